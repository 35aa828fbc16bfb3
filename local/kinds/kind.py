"""What a type of resource has to be able to do here: be made, read, changed and deleted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.aws import Clients

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a provider's resources are made, and with what tags."""

    clients: Clients
    region: str
    account: str
    default_tags: Mapping[str, str]

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


class PartlyMadeError(Exception):
    """The resource is there, but not all that was said of it could be done. Its cause says why."""

    def __init__(self, created: Created) -> None:
        super().__init__(f"{created.id} was made, but not all of it.")
        self.created = created


class Kind(ABC):
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
    tagged: ClassVar[bool] = True
    """Whether it takes tags."""

    @abstractmethod
    def create(self, inputs: Properties, place: Place) -> Created:
        """Make the resource. Raises `PartlyMadeError` where it is there in part."""

    @abstractmethod
    def read(self, id_: str, place: Place) -> Properties | None:
        """Return its properties as AWS has them now, None if it is not there.

        `tagsAll` are its tags, where it has any.
        """

    @abstractmethod
    def update(self, id_: str, old: Properties, new: Properties, place: Place) -> None:
        """Make the resource what its new inputs say. Nothing that is `fixed` differs in them."""

    @abstractmethod
    def delete(self, id_: str, place: Place) -> None:
        """Delete the resource. One that is not there is deleted."""

    def delete_as(self, outputs: Properties, id_: str, place: Place) -> None:
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
