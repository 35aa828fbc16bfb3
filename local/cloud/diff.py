"""Compare a resource's inputs: no change, an update, or a replacement. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pulumi.runtime import rpc

if TYPE_CHECKING:
    from local.cloud.resources import Properties, ResourceType

How = Literal["ADD", "UPDATE", "DELETE"]
DEFAULTS = "__defaults"
"""The input that lists generated inputs, as in Pulumi's bridge to Terraform."""


@dataclass(frozen=True)
class Difference:
    """Changed properties, and those of them that require a replacement.

    `delete_first`: the old resource must be deleted before the new one is created.
    """

    changed: Mapping[str, How]
    replacing: frozenset[str]
    delete_first: bool


def difference(resource_type: ResourceType, old: Properties, new: Properties) -> Difference:
    """Compare a resource's inputs with the planned ones."""
    new = resource_type.plan(old, new)
    names = {name for name in {*old, *new} if not name.startswith("__")}
    changed = {
        name: _how(old, new, name)
        for name in sorted(names)
        if normal(resource_type, name, old.get(name)) != normal(resource_type, name, new.get(name))
    }
    replacing = frozenset(changed) & (resource_type.force_new | {"region"})
    return Difference(
        changed, replacing, bool(replacing) and _names_collide(resource_type, old, new)
    )


def _how(old: Properties, new: Properties, name: str) -> How:
    if old.get(name) is None:
        return "ADD"
    return "DELETE" if new.get(name) is None else "UPDATE"


def _names_collide(resource_type: ResourceType, old: Properties, new: Properties) -> bool:
    """Return whether both resources would have the same name, given by the program.

    https://github.com/pulumi/pulumi-terraform-bridge/blob/main/pkg/tfbridge/names.go
    """
    if resource_type.name is None or resource_type.name in new.get(DEFAULTS, ()):
        return False
    return new.get(resource_type.name) is not None and new.get(resource_type.name) == old.get(
        resource_type.name
    )


def normal(resource_type: ResourceType, name: str, value: Any) -> Any:
    """Normalize a property's value for comparison."""
    if (
        name in resource_type.optional_computed
        and isinstance(value, Mapping)
        and value.get("enabled") is False
    ):
        return None  # disabled, whatever its other properties
    if name in resource_type.json_documents and isinstance(value, str) and value != rpc.UNKNOWN:
        return json.loads(value)
    if name in resource_type.unordered and isinstance(value, list):
        return sorted((_bare(part) for part in value), key=json.dumps)
    return _bare(value)


def _bare(value: Any) -> Any:
    """Remove empty parts, and all of an archive but its hash: the engine may omit the rest."""
    match value:
        case {rpc._special_sig_key: signature, "hash": digest}:
            return {"signature": signature, "hash": digest}
        case Mapping():
            parts = {name: _bare(part) for name, part in value.items() if name != DEFAULTS}
            return {name: part for name, part in sorted(parts.items()) if part is not None} or None
        case list():
            return [_bare(part) for part in value] or None
    return value


def is_unknown(value: Any) -> bool:
    """Return whether a value or a part of it is unknown yet."""
    match value:
        case Mapping():
            return any(is_unknown(part) for part in value.values())
        case list():
            return any(is_unknown(part) for part in value)
    return bool(value == rpc.UNKNOWN)
