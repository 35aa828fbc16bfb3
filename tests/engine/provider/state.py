"""A resource's inputs and outputs, as Pulumi's AWS provider would give them back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime import rpc

from local.cloud.cloud import named_inputs
from local.cloud.validation import is_input
from tests.engine.provider.diff import DEFAULTS, is_unknown, normal

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
    """Return a resource's inputs with what they leave to the provider.

    A made-up name stays what it was, and one that is too long is a `NameTooLongError`. `tagsAll`
    are its tags and the provider's, `region` is the provider's, where the resource lies in one:
    https://github.com/pulumi/pulumi-aws/blob/master/provider/tags.go
    https://github.com/pulumi/pulumi-aws/blob/master/provider/region.go
    """
    inputs = dict(new)
    if (
        resource_type.name
        and resource_type.name not in inputs
        and f"{resource_type.name}Prefix" not in inputs
    ):
        made_up = resource_type.name in old.get(DEFAULTS, ())
        kept = {**inputs, resource_type.name: old[resource_type.name]} if made_up else inputs
        inputs = {**named_inputs(resource_type, logical_name, kept), DEFAULTS: [resource_type.name]}
    if resource_type.regional and "region" not in inputs:
        inputs["region"] = place.region
    if resource_type.tagged:
        tags = inputs.get("tags", {})
        inputs["tagsAll"] = rpc.UNKNOWN if is_unknown(tags) else place.tags(inputs)
    return inputs


def previewed(resource_type: ResourceType, inputs: Properties) -> dict[str, Any]:
    """Return the outputs of a resource that is not there yet."""
    unknown = {*resource_type.computed, *([resource_type.name] if resource_type.name else [])}
    return {**dict.fromkeys(unknown, rpc.UNKNOWN), **inputs}


def was(resource_type: ResourceType, old_inputs: Properties, outputs: Properties) -> dict[str, Any]:
    """Return what a resource was: its inputs, or what is known to have come of them.

    What the provider keeps where it is left out counts, whoever said it.
    """
    kept = {name: outputs[name] for name in resource_type.optional_computed if outputs.get(name)}
    return {**kept, **{name: outputs.get(name, value) for name, value in old_inputs.items()}}


def refreshed(
    resource_type: ResourceType, known: Properties, seen: Properties, place: Location
) -> dict[str, Any]:
    """Return the properties that were known, with the values that AWS has now.

    What means the same stays as it was written, and so does what AWS does not show.
    """
    now = with_own_tags(seen, place)
    told = {
        name: value
        if name in resource_type.write_only or _alike(resource_type, name, value, now)
        else now.get(name)
        for name, value in known.items()
    }
    return {name: value for name, value in told.items() if value is not None}


def _alike(resource_type: ResourceType, name: str, value: Any, now: Properties) -> bool:
    return name in (DEFAULTS, "id", "region") or normal(resource_type, name, value) == normal(
        resource_type, name, now.get(name)
    )


def with_own_tags(seen: Properties, place: Location) -> dict[str, Any]:
    """Return what was seen of a resource, with those of its tags that are not the provider's."""
    defaults = place.default_tags.items()
    own = {key: tag for key, tag in seen.get("tagsAll", {}).items() if (key, tag) not in defaults}
    return {**seen, "tags": own}


def with_kept(resource_type: ResourceType, outputs: Properties, seen: Properties) -> dict[str, Any]:
    """Return outputs with what a read fills in, though nobody has said it."""
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
