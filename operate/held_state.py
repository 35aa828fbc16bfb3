"""What a stack knows of members whose regions may answer nothing, held back and put back. Pure.

The engine asks about all that a state names: it configures every provider, and plans every resource
whether or not anything of it changes. So a bypassed member is held: the state no longer names what
it has, but for one component (`ring.held.Held`) whose outputs keep it, word for word, in the state
itself. Nothing is deleted and nothing forgotten (docs/decisions/0014-a-bypassed-member-is-held.md).
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
    """The members that are bypassed, by every name that a state may know them by."""
    out = [member for member in members_of(settings) if member.state == "bypassed"]
    return {name for member in out for name in (member.name, member.resource_name)}


def held_members(resources: Iterable[Resource]) -> list[HeldMember]:
    """What is kept of members that are held."""
    return [HeldMember.from_outputs(one["outputs"]) for one in resources if one["type"] == HELD]


def name_of(replica: Resource) -> str:
    """The name of the member that a replica is, which one that was not finished does not tell."""
    told = (replica.get("outputs") or {}).get("name")
    return str(told or _name(replica).partition("-")[2])


def arranged(state: State, out: Collection[str]) -> State:
    """A state in which exactly these members are held, of those that it knows.

    It is the very same one where they are already.
    """
    resources = _resources(state)
    now = {one.member for one in held_members(resources)}
    if now <= set(out) and not any(name_of(one) in out for one in _of(resources, REPLICA)):
        return state
    deployment = _put_back(state["deployment"])
    for replica in _of(deployment["resources"], REPLICA):
        if name_of(replica) in out:
            deployment = _hold(deployment, replica)
    return {**state, "deployment": deployment}


def _hold(deployment: Mapping[str, Any], replica: Resource) -> dict[str, Any]:
    """Take what a member has out of a deployment, and leave a component that keeps it."""
    resources: Sequence[Resource] = deployment["resources"]
    mine = _belonging(resources, replica)
    kept = [one for one in resources if _is_in(one, mine)]
    left = [one for one in resources if not _is_in(one, mine)]
    pending = deployment.get("pending_operations") or []
    known = {one["urn"] for one in left}
    text = json.dumps(
        {
            "resources": kept,
            "needed": list(_needed(kept, left)),
            "pending": [one for one in pending if _is_in(one["resource"], mine)],
        }
    )
    holds = {
        "urn": replica["urn"].replace(REPLICA, HELD),
        "custom": False,
        "type": HELD,
        "inputs": {},
        "outputs": HeldMember(_name_in(replica["parent"]), name_of(replica), text).outputs,
        "parent": replica["parent"],
        "protect": True,
    }
    waiting = [one for one in pending if not _is_in(one["resource"], mine)]
    return {
        **deployment,
        "resources": [*(_knowing(one, known) for one in left), holds],
        **({"pending_operations": waiting} if pending else {}),
    }


def _put_back(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Put back all that is held, behind what it depends on."""
    resources = [one for one in deployment["resources"] if one["type"] != HELD]
    pending = list(deployment.get("pending_operations") or ())
    for one in held_members(deployment["resources"]):
        told = json.loads(one.text)
        known = {there["urn"] for there in resources}
        needed = [there for there in told["needed"] if there["urn"] not in known]
        resources += [*needed, *told["resources"]]
        pending += told["pending"]
    known = {one["urn"] for one in resources}
    providers = {one["urn"]: one["id"] for one in _of(resources, _PROVIDER)}
    return {
        **deployment,
        "resources": [_provided(_knowing(one, known), providers) for one in resources],
        **({"pending_operations": pending} if pending else {}),
    }


def _belonging(resources: Sequence[Resource], replica: Resource) -> set[str]:
    """The URNs of what is a member's own, and the references to its providers.

    That is its component, the hops that start at it, what watches these, what works on segments if
    it stands there, and all beneath; and whatever else its provider has made.
    """
    member = name_of(replica)
    mine = {replica["urn"]}
    for one in resources:  # a parent always stands before its children
        told = one.get("outputs") or {}
        if (
            one.get("parent") in mine
            or (one["type"] == HOP and told.get("source") == member)
            or (one["type"] == DISTRIBUTED and told.get("member") == member)
            or (one["type"] == WATCH and _name(one) == _name(replica))
        ):
            mine.add(one["urn"])
    providers = {_reference(one) for one in _of(resources, _PROVIDER) if one["urn"] in mine}
    return mine | providers


def _is_in(resource: Resource, mine: Collection[str]) -> bool:
    return resource["urn"] in mine or resource.get("provider") in mine


def _needed(kept: Sequence[Resource], left: Sequence[Resource]) -> Iterator[Resource]:
    """What of the rest the kept ones stand beneath or are made with: components and providers."""
    wanted = {one.get("parent") for one in kept}
    wanted |= {str(one.get("provider")).rpartition("::")[0] for one in kept}
    found = []
    for one in reversed(left):
        if one["urn"] in wanted:
            found.append(one)
            wanted.add(one.get("parent"))
    yield from reversed(found)


def _knowing(resource: Resource, known: Collection[str]) -> Resource:
    """A resource that depends on nothing which is not there; the next update tells it anew."""
    changed = {**resource}
    if "dependencies" in resource:
        changed["dependencies"] = [one for one in resource["dependencies"] if one in known]
    if "propertyDependencies" in resource:
        changed["propertyDependencies"] = {
            key: [one for one in told or () if one in known]
            for key, told in resource["propertyDependencies"].items()
        }
    if resource.get("deletedWith") not in known:
        changed.pop("deletedWith", None)
    return changed


def _provided(resource: Resource, providers: Mapping[str, str]) -> Resource:
    """A resource that is made with the provider that is there now, under the same URN."""
    urn = str(resource.get("provider")).rpartition("::")[0]
    return {**resource, "provider": f"{urn}::{providers[urn]}"} if urn in providers else resource


def _resources(state: State) -> Sequence[Resource]:
    resources: Sequence[Resource] = (state.get("deployment") or {}).get("resources") or ()
    return resources


def _of(resources: Iterable[Resource], kind: str) -> list[Resource]:
    return [one for one in resources if one["type"] == kind and not one.get("delete")]


def _reference(provider: Resource) -> str:
    """How resources refer to a provider."""
    return f"{provider['urn']}::{provider['id']}"


def _name(resource: Resource) -> str:
    return _name_in(resource["urn"])


def _name_in(urn: str) -> str:
    return urn.rpartition("::")[2]
