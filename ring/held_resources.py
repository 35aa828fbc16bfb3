"""Which resources of a stack belong to one member, and are held while it is bypassed. Pure.

A resource is a mapping with Pulumi's names: urn, type, id, parent, provider, outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ring.component_types import DISTRIBUTED, HOP, REPLICA, WATCH

PROVIDER = "pulumi:providers:aws"

Resource = Mapping[str, Any]


def member_of_replica(replica: Resource) -> str:
    """Return the name of a replica's member. An unfinished replica has it only in its own name."""
    name = (replica.get("outputs") or {}).get("name")
    return str(name or name_in(replica["urn"]).partition("-")[2])


def replicas(resources: Sequence[Resource]) -> list[Resource]:
    """Return the replicas among the resources."""
    return [found for found in resources if found["type"] == REPLICA and not found.get("delete")]


def own_resources(resources: Sequence[Resource], replica: Resource) -> set[str]:
    """Return the URNs of a member's own resources, and the references to its providers.

    Its component, the hops that start at it, their alarms, the distributed runner if it runs there,
    all their children, and whatever else its provider has created.
    """
    member = member_of_replica(replica)
    own = {replica["urn"]}
    for resource in resources:  # a parent always comes before its children
        outputs = resource.get("outputs") or {}
        if (
            resource.get("parent") in own
            or (resource["type"] == HOP and outputs.get("source") == member)
            or (resource["type"] == DISTRIBUTED and outputs.get("member") == member)
            or (resource["type"] == WATCH and name_in(resource["urn"]) == name_in(replica["urn"]))
        ):
            own.add(resource["urn"])
    providers = [found for found in resources if found["type"] == PROVIDER]
    return own | {
        reference(provider)
        for provider in providers
        if provider["urn"] in own and not provider.get("delete")
    }


def is_owned(resource: Resource, own: Collection[str]) -> bool:
    """Return whether a resource is one of those that `own_resources` returned."""
    return resource["urn"] in own or resource.get("provider") in own


def reference(provider: Resource) -> str:
    """Return the reference to a provider in its resources."""
    return f"{provider['urn']}::{provider['id']}"


def name_in(urn: str) -> str:
    """Return the logical name at the end of a URN."""
    return urn.rpartition("::")[2]
