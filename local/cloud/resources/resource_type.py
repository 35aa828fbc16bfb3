"""Interface of a resource type (create, read, update, delete), and helpers for its boto3 calls."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.clients import Clients

Properties = Mapping[str, Any]
_TIMEOUT, _POLL = 600.0, 0.02
"""Seconds: how long the provider waits for AWS, and the pause between two polls here."""


@dataclass(frozen=True)
class Location:
    """Account, region, clients and default tags of a provider."""

    clients: Clients
    region: str
    account: str
    default_tags: Mapping[str, str]

    def of(self, properties: Properties) -> Location:
        """Return the location of a resource: its own region takes precedence."""
        return replace(self, region=properties.get("region") or self.region)

    def tags(self, inputs: Properties) -> dict[str, str]:
        """Return the tags of a resource with these inputs."""
        return {**self.default_tags, **inputs.get("tags", {})}

    def tag_list(self, inputs: Properties) -> Any:
        """Return the tags as a list of `Key` and `Value`."""
        return as_list(self.tags(inputs))


@dataclass(frozen=True)
class Created:
    """A created resource: Pulumi's id of it, and the outputs that are not inputs."""

    id: str
    outputs: Properties


class PartlyCreatedError(Exception):
    """The resource was created, but a later step failed. The cause says why."""

    def __init__(self, created: Created) -> None:
        super().__init__(f"{created.id} was created, but not completely.")
        self.created = created


class ResourceType(ABC):
    """A type of resource. Every method may raise botocore's `ClientError`.

    Names and diff rules are those of Pulumi's AWS provider, which takes them from Terraform's
    schema: a property is in `force_new` where that says `ForceNew`.
    """

    name: ClassVar[str | None] = "name"
    """The input with the physical name; None if the provider generates none."""
    force_new: ClassVar[frozenset[str]] = frozenset({"name"})
    """Properties whose change replaces the resource."""
    computed: ClassVar[frozenset[str]] = frozenset({"arn"})
    """Outputs that are unknown until the resource exists."""
    unordered: ClassVar[frozenset[str]] = frozenset()
    """List properties in which order does not matter."""
    json_documents: ClassVar[frozenset[str]] = frozenset()
    """Properties that are JSON text, compared by value."""
    write_only: ClassVar[frozenset[str]] = frozenset()
    """Inputs that AWS does not return."""
    optional_computed: ClassVar[frozenset[str]] = frozenset()
    """Properties that keep their value when omitted: Terraform's Optional with Computed, and
    Computed alone."""
    tagged: ClassVar[bool] = True
    """Whether it supports tags."""
    max_name_length: ClassVar[int] = 255
    """Maximum length of a name, by Pulumi's AWS provider:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/resource_overrides.go"""
    regional: ClassVar[bool] = True
    """Whether it belongs to a region, which the provider adds to its inputs:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/region.go"""

    def plan(self, old: Properties, new: Properties) -> dict[str, Any]:
        """Return the planned inputs: the new ones, with omitted ones that keep their old value."""
        inputs = {name: value for name, value in new.items() if value is not None}
        omitted = [name for name in self.optional_computed if name in old and name not in inputs]
        # A state written by an older provider has no regions.
        if "region" not in old:
            inputs.pop("region", None)
        return {**{name: old[name] for name in omitted}, **inputs}

    def validate_plan(  # noqa: B027
        self, old: Properties, new: Properties, location: Location
    ) -> None:
        """Validate a plan with AWS, if the provider does. Raises botocore's `ClientError`.

        `old` is empty for a new resource. Unknown values are not validated.
        """

    @abstractmethod
    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the resource. Raises `PartlyCreatedError` if it exists but is incomplete."""

    @abstractmethod
    def read(self, id_: str, location: Location) -> Properties | None:
        """Return its current properties, None if it does not exist. `tagsAll` are its tags."""

    @abstractmethod
    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Update the resource to its new inputs. No `force_new` property differs in them."""

    @abstractmethod
    def delete(self, id_: str, location: Location) -> None:
        """Delete the resource. Succeeds if it does not exist."""

    def delete_with_outputs(self, outputs: Properties, id_: str, location: Location) -> None:
        """Delete the resource; its outputs may say how."""
        self.delete(id_, location)


def get_or_none(call: Callable[[], Any], *missing: str) -> Any:
    """Return the response of a call, or None for one of the error codes in `missing`."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            return None
        raise


def poll_until(call: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:
    """Repeat a call until its response is final, as the provider does; return that response.

    Raises `TimeoutError` after the provider's timeout.
    """
    end = time.monotonic() + _TIMEOUT
    while not is_done(response := call()):
        if time.monotonic() > end:
            raise TimeoutError(f"AWS was not done after {_TIMEOUT:g} s: {response}")
        time.sleep(_POLL)
    return response


def retry_while(
    code: str, call: Callable[..., Any], /, *, texts: Sequence[str] = (), **arguments: Any
) -> Any:
    """Repeat a call with these arguments while it fails with the error `code`.

    `texts`: only if the error's message contains one of them. Returns the response.
    """
    end = time.monotonic() + _TIMEOUT
    while True:
        try:
            return call(**arguments)
        except ClientError as error:
            found = error.response["Error"]
            is_meant = not texts or any(text in found["Message"] for text in texts)
            if found["Code"] != code or not is_meant or time.monotonic() > end:
                raise
        time.sleep(_POLL)


def update_tags(
    now: Mapping[str, str],
    wanted: Mapping[str, str],
    untag: Callable[[list[str]], object],
    tag: Callable[[dict[str, str]], object],
) -> None:
    """Remove and set tags until a resource has the wanted ones."""
    if removed := [key for key in now if key not in wanted]:
        untag(removed)
    if added := {key: value for key, value in wanted.items() if now.get(key) != value}:
        tag(added)


def as_map(tags: Any) -> dict[str, str]:
    """Convert a list of `Key` and `Value` to a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def as_list(tags: Mapping[str, str]) -> Any:
    """Convert tags to a list of `Key` and `Value`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def has_changed(old: Properties, new: Properties, *names: str) -> bool:
    """Return whether any of these properties differs."""
    return any(old.get(name) != new.get(name) for name in names)
