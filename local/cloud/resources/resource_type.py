"""What a type of resource has to be able to do here: be made, read, changed and deleted."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.clients import Clients

Properties = Mapping[str, Any]
_PATIENCE, _PAUSE = 600.0, 0.02
"""Seconds: how long the provider waits for AWS, and, here, between two looks."""


@dataclass(frozen=True)
class Location:
    """Where a provider's resources are made, and with what tags."""

    clients: Clients
    region: str
    account: str
    default_tags: Mapping[str, str]

    def of(self, properties: Properties) -> Location:
        """Return the place of a resource with these properties: its own region, if it has one."""
        return replace(self, region=properties.get("region") or self.region)

    def tags(self, inputs: Properties) -> dict[str, str]:
        """Return the tags of a resource with these inputs."""
        return {**self.default_tags, **inputs.get("tags", {})}

    def tag_list(self, inputs: Properties) -> Any:
        """Return the tags as most services take them."""
        return as_list(self.tags(inputs))


@dataclass(frozen=True)
class Created:
    """A real resource: Pulumi's id of it, and the outputs that its inputs do not say."""

    id: str
    outputs: Properties


class PartlyCreatedError(Exception):
    """The resource is there, but not all that was said of it could be done. Its cause says why."""

    def __init__(self, created: Created) -> None:
        super().__init__(f"{created.id} was made, but not all of it.")
        self.created = created


class ResourceType(ABC):
    """One type of resource. Every method may raise botocore's `ClientError`.

    What a change calls for, and the names of inputs and outputs, are those of Pulumi's AWS
    provider, which takes them from Terraform's: a property is in `fixed` where that one's schema
    says `ForceNew`.
    """

    name: ClassVar[str | None] = "name"
    """The input that holds its physical name, if it has one."""
    fixed: ClassVar[frozenset[str]] = frozenset({"name"})
    """Properties that cannot be changed: another value makes another resource."""
    computed: ClassVar[frozenset[str]] = frozenset({"arn"})
    """Outputs that nothing knows before the resource is there."""
    unordered: ClassVar[frozenset[str]] = frozenset()
    """Properties that are lists, but mean sets."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Properties that are JSON text, in which only the meaning counts."""
    unread: ClassVar[frozenset[str]] = frozenset()
    """Inputs that AWS does not show again."""
    kept: ClassVar[frozenset[str]] = frozenset()
    """Properties that stay as they are where they are left out: Terraform's Optional and Computed,
    and Computed alone."""
    tagged: ClassVar[bool] = True
    """Whether it takes tags."""
    longest: ClassVar[int] = 255
    """The most characters of its name, as Pulumi's AWS provider has it:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/resource_overrides.go"""
    regional: ClassVar[bool] = True
    """Whether it lies in a region, which the provider puts into its inputs:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/region.go"""

    def planned(self, old: Properties, new: Properties) -> dict[str, Any]:
        """Return new inputs as the provider plans them: with what it keeps of the old ones."""
        told = {name: value for name, value in new.items() if value is not None}
        kept = {name: old[name] for name in self.kept if name in old and name not in told}
        # A state that an older provider wrote has no regions.
        if "region" not in old:
            told.pop("region", None)
        return {**kept, **told}

    def refuse_plan(  # noqa: B027
        self, old: Properties, new: Properties, place: Location
    ) -> None:
        """Raise botocore's `ClientError` where the provider asks AWS about a plan and is told no.

        `old` is empty for a resource that is not there. What is unknown is not asked about.
        """

    @abstractmethod
    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the resource. Raises `PartlyCreatedError` where it is there in part."""

    @abstractmethod
    def read(self, id_: str, place: Location) -> Properties | None:
        """Return its properties as AWS has them now, None if it is not there.

        `tagsAll` are its tags, where it has any.
        """

    @abstractmethod
    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Make the resource what its new inputs say. Nothing that is `fixed` differs in them."""

    @abstractmethod
    def delete(self, id_: str, place: Location) -> None:
        """Delete the resource. One that is not there is deleted."""

    def delete_as(self, outputs: Properties, id_: str, place: Location) -> None:
        """Delete the resource as its outputs say."""
        self.delete(id_, place)


def found(ask: Callable[[], Any], *missing: str) -> Any:
    """Return what AWS answers, or None if its answer is one of the errors named in `missing`."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            return None
        raise


def awaited(ask: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:
    """Ask until what is answered is done, as the provider waits; return the last answer.

    Raises `TimeoutError` after the provider's longest time.
    """
    end = time.monotonic() + _PATIENCE
    while not is_done(answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"AWS was not done after {_PATIENCE:g} s: {answer}")
        time.sleep(_PAUSE)
    return answer


def persistently(call: Callable[[], Any], passing: str) -> Any:
    """Make a call again for as long as AWS answers it with the error that is named `passing`."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] != passing or time.monotonic() > end:
                raise
        time.sleep(_PAUSE)


def retag(
    now: Mapping[str, str],
    wanted: Mapping[str, str],
    untag: Callable[[list[str]], object],
    tag: Callable[[dict[str, str]], object],
) -> None:
    """Make a resource's tags the wanted ones, by what takes tags away and what sets them."""
    if gone := [key for key in now if key not in wanted]:
        untag(gone)
    if put := {key: value for key, value in wanted.items() if now.get(key) != value}:
        tag(put)


def as_map(tags: Any) -> dict[str, str]:
    """Return tags, as most services list them, by their keys."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def as_list(tags: Mapping[str, str]) -> Any:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def changed(old: Properties, new: Properties, *names: str) -> bool:
    """Tell whether one of these properties differs."""
    return any(old.get(name) != new.get(name) for name in names)
