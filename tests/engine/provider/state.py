"""Inputs and outputs of a resource as Pulumi's AWS provider returns them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime import rpc

from local.cloud.cloud import named_inputs
from local.cloud.diff import DEFAULTS, is_unknown, normal
from local.cloud.validation import is_input

if TYPE_CHECKING:
    from local.cloud.resources import Location, Properties, ResourceType

_NOTHING: tuple[Any, ...] = (None, "", {}, [], False, {"enabled": False})


def checked(
    resource_type: ResourceType,
    logical_name: str,
    old: Properties,
    new: Properties,
    place: Location,
) -> dict[str, Any]:
    """Return a resource's inputs with generated ones.

    A generated name is kept; one that is too long raises `NameTooLongError`. `tagsAll` are its tags
    and the provider's, `region` is the provider's for regional resources:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/tags.go
    https://github.com/pulumi/pulumi-aws/blob/master/provider/region.go
    """
    inputs = dict(new)
    if (
        resource_type.name
        and resource_type.name not in inputs
        and f"{resource_type.name}Prefix" not in inputs
    ):
        generated = resource_type.name in old.get(DEFAULTS, ())
        kept = {**inputs, resource_type.name: old[resource_type.name]} if generated else inputs
        inputs = {**named_inputs(resource_type, logical_name, kept), DEFAULTS: [resource_type.name]}
    if resource_type.regional and "region" not in inputs:
        inputs["region"] = place.region
    if resource_type.tagged:
        tags = inputs.get("tags", {})
        inputs["tagsAll"] = rpc.UNKNOWN if is_unknown(tags) else place.tags(inputs)
    return inputs


def previewed(resource_type: ResourceType, inputs: Properties) -> dict[str, Any]:
    """Return the outputs of a resource that does not exist yet."""
    unknown = {*resource_type.computed, *([resource_type.name] if resource_type.name else [])}
    return {**dict.fromkeys(unknown, rpc.UNKNOWN), **inputs}


def was(resource_type: ResourceType, old_inputs: Properties, outputs: Properties) -> dict[str, Any]:
    """Return a resource's old properties: its inputs with the values of its outputs.

    Includes properties that keep their value when omitted.
    """
    kept = {name: outputs[name] for name in resource_type.optional_computed if outputs.get(name)}
    return {**kept, **{name: outputs.get(name, value) for name, value in old_inputs.items()}}


def refreshed(
    resource_type: ResourceType, known: Properties, seen: Properties, place: Location
) -> dict[str, Any]:
    """Return the known properties with their current values.

    Equivalent values and those that AWS does not return stay as they were written.
    """
    now = with_own_tags(seen, place)
    current = {
        name: value
        if name in resource_type.write_only or _alike(resource_type, name, value, now)
        else now.get(name)
        for name, value in known.items()
    }
    return {name: value for name, value in current.items() if value is not None}


def _alike(resource_type: ResourceType, name: str, value: Any, now: Properties) -> bool:
    return name in (DEFAULTS, "id", "region") or normal(resource_type, name, value) == normal(
        resource_type, name, now.get(name)
    )


def with_own_tags(seen: Properties, place: Location) -> dict[str, Any]:
    """Return a resource's properties with its tags, without the provider's default tags."""
    defaults = place.default_tags.items()
    own = {key: tag for key, tag in seen.get("tagsAll", {}).items() if (key, tag) not in defaults}
    return {**seen, "tags": own}


def with_kept(resource_type: ResourceType, outputs: Properties, seen: Properties) -> dict[str, Any]:
    """Return outputs with computed properties from a read."""
    return {
        **{name: seen[name] for name in resource_type.optional_computed if seen.get(name)},
        **outputs,
    }


def inputs_to_import(
    token: str, resource_type: ResourceType, seen: Properties, place: Location
) -> dict[str, Any]:
    """Return the inputs that would have made a resource as it is; what says nothing is left out."""
    now = with_own_tags(seen, place)
    region = {"region": place.region} if resource_type.regional else {}
    return region | {
        name: value
        for name, value in now.items()
        if (name == "tagsAll" or is_input(token, name)) and value not in _NOTHING
    }
