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

from ring.distributed import DISTRIBUTED
from ring.held import HELD, HeldMember
from ring.hop import HOP
from ring.monitoring.component import WATCH
from ring.replica import REPLICA
from ring.settings.members import members_of
from ring.settings.settings import Settings

_PROVIDER = "pulumi:providers:aws"

Resource = Mapping[str, Any]
State = Mapping[str, Any]


def bypassed(settings: Settings) -> set[str]:
    """Return the bypassed members, under every name that a state may have for them."""
    out = [member for member in members_of(settings) if member.state == "bypassed"]
    return {name for member in out for name in (member.name, member.resource_name)}


def held_members(resources: Iterable[Resource]) -> list[HeldMember]:
    """Return the members that are held."""
    return [HeldMember.from_outputs(held["outputs"]) for held in resources if held["type"] == HELD]


def name_of(replica: Resource) -> str:
    """Return the name of a replica's member. An unfinished replica has it only in its own name."""
    name = (replica.get("outputs") or {}).get("name")
    return str(name or _name(replica).partition("-")[2])


def arranged(state: State, out: Collection[str]) -> State:
    """Return the state with exactly these members held, of those in it.

    Returns the same object if they are held already.
    """
    resources = _resources(state)
    held = {member.member for member in held_members(resources)}
    replicas = _of(resources, REPLICA)
    if held <= set(out) and not any(name_of(replica) in out for replica in replicas):
        return state
    deployment = _put_back(state["deployment"])
    for replica in _of(deployment["resources"], REPLICA):
        if name_of(replica) in out:
            deployment = _hold(deployment, replica)
    return {**state, "deployment": deployment}


def _hold(deployment: Mapping[str, Any], replica: Resource) -> dict[str, Any]:
    """Replace a member's resources with a component that stores them."""
    resources: Sequence[Resource] = deployment["resources"]
    own = _own(resources, replica)
    stored = [resource for resource in resources if _is_in(resource, own)]
    rest = [resource for resource in resources if not _is_in(resource, own)]
    pending = deployment.get("pending_operations") or []
    known = {resource["urn"] for resource in rest}
    text = json.dumps(
        {
            "resources": stored,
            "needed": list(_needed(stored, rest)),
            "pending": [entry for entry in pending if _is_in(entry["resource"], own)],
        }
    )
    held = {
        "urn": replica["urn"].replace(REPLICA, HELD),
        "custom": False,
        "type": HELD,
        "inputs": {},
        "outputs": HeldMember(_name_in(replica["parent"]), name_of(replica), text).outputs,
        "parent": replica["parent"],
        "protect": True,
    }
    still_pending = [entry for entry in pending if not _is_in(entry["resource"], own)]
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
    providers = {provider["urn"]: provider["id"] for provider in _of(resources, _PROVIDER)}
    return {
        **deployment,
        "resources": [
            _with_provider(_without_dangling(resource, known), providers) for resource in resources
        ],
        **({"pending_operations": pending} if pending else {}),
    }


def _own(resources: Sequence[Resource], replica: Resource) -> set[str]:
    """Return the URNs of a member's own resources, and the references to its providers.

    Its component, the hops that start at it, their alarms, the distributed runner if it runs there,
    all their children, and whatever else its provider has created.
    """
    member = name_of(replica)
    own = {replica["urn"]}
    for resource in resources:  # a parent always comes before its children
        outputs = resource.get("outputs") or {}
        if (
            resource.get("parent") in own
            or (resource["type"] == HOP and outputs.get("source") == member)
            or (resource["type"] == DISTRIBUTED and outputs.get("member") == member)
            or (resource["type"] == WATCH and _name(resource) == _name(replica))
        ):
            own.add(resource["urn"])
    providers = _of(resources, _PROVIDER)
    return own | {_reference(provider) for provider in providers if provider["urn"] in own}


def _is_in(resource: Resource, own: Collection[str]) -> bool:
    return resource["urn"] in own or resource.get("provider") in own


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


def _reference(provider: Resource) -> str:
    """Return the reference to a provider in its resources."""
    return f"{provider['urn']}::{provider['id']}"


def _name(resource: Resource) -> str:
    return _name_in(resource["urn"])


def _name_in(urn: str) -> str:
    return urn.rpartition("::")[2]
