"""What a stack has deployed, read from the state that Pulumi keeps of it. Pure.

The state is asked, not the outputs: after an update that failed midway the tables are there, and
the outputs are those of the update before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from operate.held_state import held_members, name_of
from ring.arn import Arn
from ring.distributed import DISTRIBUTED
from ring.hop import HOP
from ring.replica import REPLICA
from ring.ring import RING
from ring.settings.types import TOMBSTONES

_TABLE = "aws:dynamodb/table:Table"
_FUNCTION = "aws:lambda/function:Function"
_PROVIDER = "pulumi:providers:aws"

Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Credentials:
    """How a member's account is reached: a profile, a role to assume, both or neither."""

    profile: str | None = None
    role: str | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class TableShape:
    """What of a table can never be changed, or not in one step, or not by leaving it out."""

    keys: Mapping[str, tuple[str, str]]
    """`partition_key` and `sort_key`, each a name and a type."""
    local_indexes: Mapping[str, tuple[str, str, str, tuple[str, ...]]]
    """Each a sort key's name and type, a projection, and its attributes, sorted."""
    types: Mapping[str, str] = field(default_factory=dict)
    """The type of each attribute that is a key of the table or of an index."""
    global_indexes: Sequence[str] = ()
    """Their names."""
    ttl: str | None = None
    """The attribute by which items expire; None where TTL is off."""


@dataclass(frozen=True)
class DeployedMember:
    """A member whose table this stack has created or adopted, or only names.

    `created` is the shape of the table that it created; None if it did not. `keyed` is that of the
    tombstones' table. `replica` is the replica id that stands in versions; None if no hop starts
    here. `retention_days` is how long its tombstones are kept.
    """

    name: str
    region: str
    table: str
    account: str | None = None
    stream_arn: str | None = None
    tombstones: str | None = None
    created: TableShape | None = None
    keyed: TableShape | None = None
    replica: str | None = None
    credentials: Credentials = Credentials()
    retention_days: int = 7

    @property
    def named_only(self) -> bool:
        """Whether another stack deploys its table."""
        return self.created is None and self.stream_arn is None


@dataclass(frozen=True)
class DeployedHop:
    """A hop: members by name, the function by ARN, the mapping by UUID, the quarantine's bucket.

    What is None was not deployed: the update failed before.
    """

    source: str
    target: str
    function: str | None = None
    mapping: str | None = None
    quarantine: str | None = None


@dataclass(frozen=True)
class DeployedDistributed:
    """The part that works on segments in functions, as `ring.distributed` tells of it.

    `member` is the one, by name, at which it stands and by whose credentials it is reached;
    `state_machine` is an ARN, `bucket` a name; `readers` are the roles that the function takes, by
    member; `writes` is whether it may fill members.
    """

    member: str
    state_machine: str
    bucket: str
    readers: Mapping[str, str]
    writes: bool

    @classmethod
    def told(cls, outputs: Mapping[str, Any]) -> DeployedDistributed:
        """Read it from the stack's output."""
        return cls(
            member=outputs["member"],
            state_machine=outputs["machine"],
            bucket=outputs["bucket"],
            readers=outputs["readers"],
            writes=outputs["writes"],
        )


@dataclass(frozen=True)
class Deployed:
    """What a stack has deployed, in ring order (after an update that failed: in any)."""

    members: Sequence[DeployedMember] = ()
    hops: Sequence[DeployedHop] = ()
    distributed: DeployedDistributed | None = None
    """None: the settings do not ask for it, or it was not deployed to its end."""
    held: Collection[str] = frozenset()
    """The members, by name, that are bypassed and left alone: what is told of them is as it was."""

    @property
    def asked_hops(self) -> list[DeployedHop]:
        """The hops that can be asked about: not those that start at a member that is held."""
        return [hop for hop in self.hops if hop.source not in self.held]

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> Deployed:
        """Read it from what `pulumi stack export` prints."""
        resources = (state.get("deployment") or {}).get("resources") or []
        kept = held_members(resources)
        everything = [*resources, *(one for member in kept for one in member.resources)]
        live = [one for one in everything if not one.get("delete")]
        place = _places(live)
        members = sorted(_members(live), key=lambda one: place.get(one.name, len(place)))
        hops = sorted(_hops(live), key=lambda one: place.get(one.source, len(place)))
        parts = [one["outputs"] for one in _of(live, DISTRIBUTED) if one.get("outputs")]
        part = DeployedDistributed.told(parts[0]) if parts else None
        return cls(tuple(members), tuple(hops), part, frozenset(one.member for one in kept))


def _places(resources: Sequence[Resource]) -> dict[str, int]:
    """The members' places in the ring, by name; the state lists resources as they got ready."""
    told = [ring.get("outputs") or {} for ring in _of(resources, RING)]
    members = [member for one in told for member in one.get("members") or ()]
    return {member["name"]: at for at, member in enumerate(members)}


def _members(resources: Sequence[Resource]) -> Iterator[DeployedMember]:
    told_to = dict(_environments(resources))
    for replica in _of(resources, REPLICA):
        beneath = [one for one in resources if one.get("parent") == replica["urn"]]
        provider = next(iter(_of(beneath, _PROVIDER)), None)
        if provider is None:
            continue  # it failed before anything of it was made
        tables = {one["inputs"]["name"]: _table(one) for one in _of(beneath, _TABLE)}
        told = replica.get("outputs") or {}
        tombstones = told.get("tombstones") or _tombstones(replica, beneath)
        table = told.get("table") or next((name for name in tables if name != tombstones), None)
        if table is None:
            continue
        region = provider["inputs"]["region"]
        arn = told.get("table_arn") or _arn(beneath, table)
        yield DeployedMember(
            name=name_of(replica),
            region=region,
            table=table,
            account=Arn.parse(arn).account if arn else None,
            stream_arn=told.get("stream_arn"),
            tombstones=tombstones,
            created=_shape(tables[table]) if table in tables else None,
            keyed=_shape(tables[tombstones]) if tombstones in tables else None,
            replica=told_to.get((region, table), {}).get("RING_SOURCE_ID"),
            credentials=_credentials(provider["inputs"]),
            retention_days=_retention(told_to.values()),
        )


def _hops(resources: Sequence[Resource]) -> Iterator[DeployedHop]:
    for hop in _of(resources, HOP):
        told = hop.get("outputs") or {}
        if told.get("source"):
            yield DeployedHop(
                told["source"],
                told["target"],
                told.get("function"),
                told.get("mapping"),
                told.get("quarantine"),
            )


def _environments(
    resources: Sequence[Resource],
) -> Iterator[tuple[tuple[str, str], Mapping[str, str]]]:
    """What the functions were told, by the region and table where their hops start."""
    for function in _of(resources, _FUNCTION):
        told = (function["inputs"].get("environment") or {}).get("variables") or {}
        if "RING_SOURCE_ID" in told:
            yield (told["RING_SOURCE_REGION"], told["RING_SOURCE_TABLE"]), told


def _retention(environments: Iterable[Mapping[str, str]]) -> int:
    """How many days tombstones are kept, which is alike in all of a ring."""
    told = (one.get("RING_RETENTION_DAYS") for one in environments)
    return next((int(days) for days in told if days), DeployedMember.retention_days)


def _of(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [one for one in resources if one["type"] == kind]


def _name(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]


def _tombstones(replica: Resource, beneath: Sequence[Resource]) -> str | None:
    """The name of the tombstones' table of a replica that was not finished."""
    wanted = f"{_name(replica)}{TOMBSTONES}"
    return next(
        (one["inputs"]["name"] for one in _of(beneath, _TABLE) if _name(one) == wanted), None
    )


def _arn(beneath: Sequence[Resource], table: str) -> str | None:
    for one in _of(beneath, _TABLE):
        if one["inputs"]["name"] == table:
            return (one.get("outputs") or {}).get("arn")
    return None


def _table(resource: Resource) -> Resource:
    """A table as it was asked for, and, where it is known, as it was found to be.

    The provider keeps some blocks that are left out, and then only the outputs have them.
    """
    kept = {name: value for name, value in (resource.get("outputs") or {}).items() if value}
    return {**resource["inputs"], **kept}


def _shape(table: Resource) -> TableShape:
    types = {one["name"]: one["type"] for one in table.get("attributes") or ()}
    ttl = table.get("ttl") or {}
    roles = {"partition_key": table.get("hashKey"), "sort_key": table.get("rangeKey")}
    return TableShape(
        {role: (name, types[name]) for role, name in roles.items() if name},
        {
            one["name"]: (
                one["rangeKey"],
                types[one["rangeKey"]],
                one["projectionType"],
                tuple(sorted(one.get("nonKeyAttributes") or ())),
            )
            for one in table.get("localSecondaryIndexes") or ()
        },
        types,
        [one["name"] for one in table.get("globalSecondaryIndexes") or ()],
        ttl.get("attributeName") if ttl.get("enabled") else None,
    )


def _credentials(provider: Resource) -> Credentials:
    roles = provider.get("assumeRoles")
    # Pulumi keeps all of a provider's inputs but plain text as JSON.
    role = (json.loads(roles) if isinstance(roles, str) else roles or [{}])[0]
    return Credentials(provider.get("profile"), role.get("roleArn"), role.get("externalId"))


def hop_name(source: DeployedMember, target: DeployedMember) -> str:
    """The hop, as its log lines and metrics call it."""
    return " -> ".join(f"{end.region}/{end.table}" for end in (source, target))
