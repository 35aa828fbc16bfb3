"""What a deployment does with each resource, by comparison with what is deployed."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from local.cloud.cloud import Change, CloudError, named_inputs, resource_type_of
from local.cloud.diff import difference
from local.cloud.resources.archive import zip_archive
from local.cloud.state import Resource
from ring.arn import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.cloud.cloud import Cloud
    from local.cloud.resources import Location

Operation = Literal["create", "update", "delete", "same"]
TABLE = "aws:dynamodb/table:Table"
_CODE = "code"


class NotInPlaceError(CloudError):
    """A running ring cannot be changed like this. Says what it would replace or delete."""


@dataclass(frozen=True)
class Step:
    """A step of a deployment; `keys` are the inputs that differ."""

    operation: Operation
    token: str
    name: str
    keys: tuple[str, ...] = ()


class Deployer:
    """Create or update resources in a cloud. With `dry_run`, nothing is changed.

    In a dry run, the outputs of new resources are made up.
    """

    def __init__(self, cloud: Cloud, *, dry_run: bool = False) -> None:
        self._cloud = cloud
        self._dry_run = dry_run

    def create(
        self, token: str, name: str, inputs: Mapping[str, Any], location: Location
    ) -> tuple[Resource, Step]:
        """Create a resource. Raises `CloudError`."""
        resource_type = resource_type_of(token, name)
        named = named_inputs(resource_type, name, inputs)
        if self._dry_run:
            id_, outputs = _made_up(token, name, named, location)
        else:
            id_, outputs = self._cloud.create(token, name, named, location)
        declared = _comparable(named)
        return Resource(token, name, id_, outputs, location, declared), Step("create", token, name)

    def update(
        self, before: Resource, inputs: Mapping[str, Any], location: Location
    ) -> tuple[Resource, Step]:
        """Update a resource to new inputs; one that does not differ is returned as it is.

        Raises `CloudError`: `NotInPlaceError` for one that would be replaced.
        """
        token, name = before.token, before.name
        resource_type = resource_type_of(token, name)
        generated = resource_type.name
        if generated is not None and generated not in inputs and generated in before.inputs:
            inputs = {**inputs, generated: before.inputs[generated]}
        found = difference(resource_type, before.inputs, _comparable(inputs))
        if found.replacing:
            reasons = ", ".join(sorted(found.replacing))
            raise NotInPlaceError(f"{name} ({token}) would be replaced, because of {reasons}.")
        keys = tuple(found.changed)
        if location.default_tags != before.location.default_tags:
            keys = (*keys, "tagsAll")
        if not keys:
            return before, Step("same", token, name)
        step = Step("update", token, name, keys)
        planned = resource_type.plan(before.inputs, inputs)
        if self._dry_run:
            outputs: Mapping[str, Any] = {**before.outputs, **planned}
        else:
            change = Change(before.inputs, planned)
            outputs = self._cloud.update(token, name, before.id, change, location)
        declared = _comparable(planned)
        return replace(before, inputs=declared, outputs=outputs, location=location), step

    def removal(self, resource: Resource) -> Step:
        """Return the step that deletes a resource. Raises `NotInPlaceError` for a table."""
        if resource.token == TABLE:
            raise NotInPlaceError(f"The table {resource.id} would leave the ring.")
        return Step("delete", resource.token, resource.name)


def _comparable(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs with an archive as a digest of its bytes, as they are now."""
    if _CODE not in inputs:
        return dict(inputs)
    return {**inputs, _CODE: hashlib.sha256(zip_archive(inputs[_CODE])).hexdigest()}


def _made_up(
    token: str, name: str, inputs: Mapping[str, Any], location: Location
) -> tuple[str, dict[str, Any]]:
    id_ = f"{name}-{uuid.uuid4()}"
    partition = partition_of(location.region)
    arn = f"arn:{partition}:local:{location.region}:{location.account}:planned/{id_}"
    computed = dict.fromkeys(resource_type_of(token, name).computed, arn)
    return id_, {**inputs, **computed, "id": id_}
