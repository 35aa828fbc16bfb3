"""Take the resources of bypassed members out of a stack's state, and put them back. Pure.

The engine configures every provider in the state and plans every resource, changed or not, so a
region that is down would fail every update. A bypassed member is therefore held: its resources are
replaced by one component (`ring.held.Held`) whose outputs store them verbatim. Nothing is deleted
or lost (docs/decisions/0014-a-bypassed-member-is-held.md).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ring.component_types import HELD, REPLICA
from ring.held import HeldMember
from ring.held_resources import (
    PROVIDER,
    Resource,
    is_owned,
    member_of_replica,
    name_in,
    own_resources,
    replicas,
)
from ring.settings.members import members_of
from ring.settings.settings import Settings

State = Mapping[str, Any]


def bypassed(settings: Settings) -> set[str]:
    """Return the bypassed members, under every name that a state may have for them."""
    out = [member for member in members_of(settings) if member.state == "bypassed"]
    return {name for member in out for name in (member.name, member.resource_name)}


def held_members(resources: Iterable[Resource]) -> list[HeldMember]:
    """Return the members that are held."""
    return [HeldMember.from_outputs(held["outputs"]) for held in resources if held["type"] == HELD]


def arranged(state: State, out: Collection[str]) -> State:
    """Return the state with exactly these members held, of those in it.

    Returns the same object if they are held already.
    """
    resources = _resources(state)
    held = {member.member for member in held_members(resources)}
    if held <= set(out) and not any(
        member_of_replica(replica) in out for replica in replicas(resources)
    ):
        return state
    deployment = _put_back(state["deployment"])
    for replica in replicas(deployment["resources"]):
        if member_of_replica(replica) in out:
            deployment = _hold(deployment, replica)
    return {**state, "deployment": deployment}


def _hold(deployment: Mapping[str, Any], replica: Resource) -> dict[str, Any]:
    """Replace a member's resources with a component that stores them."""
    resources: Sequence[Resource] = deployment["resources"]
    own = own_resources(resources, replica)
    stored = [resource for resource in resources if is_owned(resource, own)]
    rest = [resource for resource in resources if not is_owned(resource, own)]
    pending = deployment.get("pending_operations") or []
    known = {resource["urn"] for resource in rest}
    text = json.dumps(
        {
            "resources": stored,
            "needed": list(_needed(stored, rest)),
            "pending": [entry for entry in pending if is_owned(entry["resource"], own)],
        }
    )
    held = {
        "urn": replica["urn"].replace(REPLICA, HELD),
        "custom": False,
        "type": HELD,
        "inputs": {},
        "outputs": HeldMember(name_in(replica["parent"]), member_of_replica(replica), text).outputs,
        "parent": replica["parent"],
        "protect": True,
    }
    still_pending = [entry for entry in pending if not is_owned(entry["resource"], own)]
    return {
        **deployment,
        "resources": [*(_without_dangling(resource, known) for resource in rest), held],
        **({"pending_operations": still_pending} if pending else {}),
    }


def _put_back(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Put back all held resources, after those that they depend on."""
    resources = [resource for resource in deployment["resources"] if resource["type"] != HELD]
    pending = list(deployment.get("pending_operations") or ())
    for member in held_members(deployment["resources"]):
        document = json.loads(member.text)
        known = {resource["urn"] for resource in resources}
        needed = [resource for resource in document["needed"] if resource["urn"] not in known]
        resources += [*needed, *document["resources"]]
        pending += document["pending"]
    known = {resource["urn"] for resource in resources}
    providers = {provider["urn"]: provider["id"] for provider in _of(resources, PROVIDER)}
    return {
        **deployment,
        "resources": [
            _with_provider(_without_dangling(resource, known), providers) for resource in resources
        ],
        **({"pending_operations": pending} if pending else {}),
    }


def _needed(stored: Sequence[Resource], rest: Sequence[Resource]) -> Iterator[Resource]:
    """Yield the parents and providers of stored resources that are not stored themselves."""
    wanted = {resource.get("parent") for resource in stored}
    wanted |= {str(resource.get("provider")).rpartition("::")[0] for resource in stored}
    found = []
    for resource in reversed(rest):
        if resource["urn"] in wanted:
            found.append(resource)
            wanted.add(resource.get("parent"))
    yield from reversed(found)


def _without_dangling(resource: Resource, known: Collection[str]) -> Resource:
    """Remove dependencies on resources that are not in the state; the next update adds them."""
    changed = {**resource}
    if "dependencies" in resource:
        changed["dependencies"] = [urn for urn in resource["dependencies"] if urn in known]
    if "propertyDependencies" in resource:
        changed["propertyDependencies"] = {
            key: [urn for urn in urns or () if urn in known]
            for key, urns in resource["propertyDependencies"].items()
        }
    if resource.get("deletedWith") not in known:
        changed.pop("deletedWith", None)
    return changed


def _with_provider(resource: Resource, providers: Mapping[str, str]) -> Resource:
    """Refer to the current provider with the same URN."""
    urn = str(resource.get("provider")).rpartition("::")[0]
    return {**resource, "provider": f"{urn}::{providers[urn]}"} if urn in providers else resource


def _resources(state: State) -> Sequence[Resource]:
    resources: Sequence[Resource] = (state.get("deployment") or {}).get("resources") or ()
    return resources


def _of(resources: Iterable[Resource], kind: str) -> list[Resource]:
    return [
        resource
        for resource in resources
        if resource["type"] == kind and not resource.get("delete")
    ]
