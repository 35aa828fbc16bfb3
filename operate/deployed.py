"""Members and hops that a stack has deployed, read from Pulumi's state. Pure.

From the state, not from the outputs: after an update that failed halfway, the outputs are those of
the update before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from operate.errors import InvalidRequestError
from operate.held_state import held_members
from ring.arn import Arn
from ring.component_types import DISTRIBUTED, HOP, REPLICA, RING
from ring.held_resources import PROVIDER, Resource, member_of_replica
from ring.settings.members import no_such_member
from ring.settings.types import TOMBSTONES

_TABLE = "aws:dynamodb/table:Table"
_FUNCTION = "aws:lambda/function:Function"


@dataclass(frozen=True)
class Credentials:
    """Credentials for a member's account: a profile, a role to assume, both or neither."""

    profile: str | None = None
    role: str | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class TableShape:
    """Parts of a table that can never change, or not in one step, or not by leaving them out."""

    keys: Mapping[str, tuple[str, str]]
    """`partition_key` and `sort_key`: name and type."""
    local_indexes: Mapping[str, tuple[str, str, str, tuple[str, ...]]]
    """By name: the sort key's name and type, the projection, its attributes, sorted."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Types of the attributes that are keys of the table or of an index."""
    global_indexes: Sequence[str] = ()
    """Their names."""
    ttl: str | None = None
    """TTL attribute; None where TTL is off."""


@dataclass(frozen=True)
class DeployedMember:
    """A member whose table this stack has created or adopted, or that it only names.

    `created` is the shape of the table that the stack created (None: it did not), `keyed` that of
    the tombstone table. `replica` is the replica id in versions; None if no hop starts here.
    `retention_days` is the retention of its tombstones.
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
    """A hop: members by name, function by ARN, mapping by UUID, quarantine by bucket.

    None: not deployed, because the update failed before it.
    """

    source: str
    target: str
    function: str | None = None
    mapping: str | None = None
    quarantine: str | None = None

    @property
    def title(self) -> str:
        """The hop in messages: `the hop from us-east-1 to eu-west-1`."""
        return f"the hop from {self.source} to {self.target}"


@dataclass(frozen=True)
class DeployedDistributed:
    """Step Functions runner for table segments, as `ring.distributed` exports it.

    `member` is the name of the member in whose account and region it runs; `state_machine` an ARN;
    `bucket` a name; `readers` are the roles that the function assumes, by member; `writes` is
    whether it may backfill.
    """

    member: str
    state_machine: str
    bucket: str
    readers: Mapping[str, str]
    writes: bool

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, Any]) -> DeployedDistributed:
        """Read it from the component's outputs."""
        return cls(
            member=outputs["member"],
            state_machine=outputs["machine"],
            bucket=outputs["bucket"],
            readers=outputs["readers"],
            writes=outputs["writes"],
        )


@dataclass(frozen=True)
class Deployed:
    """What a stack has deployed, in ring order (after a failed update in any order)."""

    members: Sequence[DeployedMember] = ()
    hops: Sequence[DeployedHop] = ()
    distributed: DeployedDistributed | None = None
    """None: not configured, or not deployed completely."""
    held: Collection[str] = frozenset()
    """Names of bypassed members, held as they were when they were bypassed."""

    @property
    def reachable_hops(self) -> list[DeployedHop]:
        """Hops whose source is not a held member."""
        return [hop for hop in self.hops if hop.source not in self.held]

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> Deployed:
        """Read it from the document of `pulumi stack export`."""
        resources = (state.get("deployment") or {}).get("resources") or []
        held = held_members(resources)
        everything = [*resources, *(resource for member in held for resource in member.resources)]
        live = [resource for resource in everything if not resource.get("delete")]
        order = _ring_order(live)
        members = sorted(_members(live), key=lambda member: order.get(member.name, len(order)))
        hops = sorted(
            _hops(live, {member.name for member in members}),
            key=lambda hop: order.get(hop.source, len(order)),
        )
        runners = [part["outputs"] for part in _of(live, DISTRIBUTED) if part.get("outputs")]
        runner = DeployedDistributed.from_outputs(runners[0]) if runners else None
        return cls(tuple(members), tuple(hops), runner, frozenset(member.member for member in held))


def _ring_order(resources: Sequence[Resource]) -> dict[str, int]:
    """Return the members' positions by name; the state lists resources as they were finished."""
    outputs = [ring.get("outputs") or {} for ring in _of(resources, RING)]
    members = [member for ring in outputs for member in ring.get("members") or ()]
    return {member["name"]: index for index, member in enumerate(members)}


def _members(resources: Sequence[Resource]) -> Iterator[DeployedMember]:
    environments = dict(_environments(resources))
    for replica in _of(resources, REPLICA):
        children = [resource for resource in resources if resource.get("parent") == replica["urn"]]
        provider = next(iter(_of(children, PROVIDER)), None)
        if provider is None:
            continue  # it failed before anything was created
        tables = {table["inputs"]["name"]: _properties(table) for table in _of(children, _TABLE)}
        outputs = replica.get("outputs") or {}
        tombstones = outputs.get("tombstones") or _tombstone_table(replica, children)
        table = outputs.get("table") or next((name for name in tables if name != tombstones), None)
        if table is None:
            continue
        region = provider["inputs"]["region"]
        arn = outputs.get("table_arn") or _table_arn(children, table)
        yield DeployedMember(
            name=member_of_replica(replica),
            region=region,
            table=table,
            account=Arn.parse(arn).account if arn else None,
            stream_arn=outputs.get("stream_arn"),
            tombstones=tombstones,
            created=_shape(tables[table]) if table in tables else None,
            keyed=_shape(tables[tombstones]) if tombstones in tables else None,
            replica=environments.get((region, table), {}).get("RING_SOURCE_ID"),
            credentials=_credentials(provider["inputs"]),
            retention_days=_retention_days(environments.values()),
        )


def _hops(resources: Sequence[Resource], members: Set[str]) -> Iterator[DeployedHop]:
    """Yield the hops between deployed members, which are given by name.

    After a `destroy` that broke off, the component of another hop may be there with its outputs:
    Pulumi deletes a member's provider and table after all that depends on them, components last.
    """
    for hop in _of(resources, HOP):
        outputs = hop.get("outputs") or {}
        if {outputs.get("source"), outputs.get("target")} <= members:
            yield DeployedHop(
                outputs["source"],
                outputs["target"],
                outputs.get("function"),
                outputs.get("mapping"),
                outputs.get("quarantine"),
            )


def _environments(
    resources: Sequence[Resource],
) -> Iterator[tuple[tuple[str, str], Mapping[str, str]]]:
    """Yield the environments of the hops' functions, by the source's region and table."""
    for function in _of(resources, _FUNCTION):
        variables = (function["inputs"].get("environment") or {}).get("variables") or {}
        if "RING_SOURCE_ID" in variables:
            yield (variables["RING_SOURCE_REGION"], variables["RING_SOURCE_TABLE"]), variables


def _retention_days(environments: Iterable[Mapping[str, str]]) -> int:
    """Return the retention of tombstones, which is the same in all of a ring."""
    values = (variables.get("RING_RETENTION_DAYS") for variables in environments)
    return next((int(days) for days in values if days), DeployedMember.retention_days)


def _of(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources if resource["type"] == kind]


def _name(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]


def _tombstone_table(replica: Resource, children: Sequence[Resource]) -> str | None:
    """Return the name of the tombstone table of a replica that was not finished."""
    wanted = f"{_name(replica)}{TOMBSTONES}"
    tables = _of(children, _TABLE)
    return next((table["inputs"]["name"] for table in tables if _name(table) == wanted), None)


def _table_arn(children: Sequence[Resource], name: str) -> str | None:
    for table in _of(children, _TABLE):
        if table["inputs"]["name"] == name:
            return (table.get("outputs") or {}).get("arn")
    return None


def _properties(table: Resource) -> Resource:
    """Return a table's inputs, overridden by its outputs.

    The provider keeps some blocks that are left out, and then only the outputs have them.
    """
    outputs = {name: value for name, value in (table.get("outputs") or {}).items() if value}
    return {**table["inputs"], **outputs}


def _shape(table: Resource) -> TableShape:
    types = {attribute["name"]: attribute["type"] for attribute in table.get("attributes") or ()}
    ttl = table.get("ttl") or {}
    roles = {"partition_key": table.get("hashKey"), "sort_key": table.get("rangeKey")}
    return TableShape(
        {role: (name, types[name]) for role, name in roles.items() if name},
        {
            index["name"]: (
                index["rangeKey"],
                types[index["rangeKey"]],
                index["projectionType"],
                tuple(sorted(index.get("nonKeyAttributes") or ())),
            )
            for index in table.get("localSecondaryIndexes") or ()
        },
        types,
        [index["name"] for index in table.get("globalSecondaryIndexes") or ()],
        ttl.get("attributeName") if ttl.get("enabled") else None,
    )


def _credentials(provider: Resource) -> Credentials:
    roles = provider.get("assumeRoles")
    # Pulumi stores a provider's inputs as JSON, except plain text.
    role = (json.loads(roles) if isinstance(roles, str) else roles or [{}])[0]
    return Credentials(provider.get("profile"), role.get("roleArn"), role.get("externalId"))


def hop_name(source: DeployedMember, target: DeployedMember) -> str:
    """Return a hop's name in log lines and metrics."""
    return " -> ".join(f"{member.region}/{member.table}" for member in (source, target))


def member_index(names: Sequence[str], name: str) -> int:
    """Return the index of a member's name. Raises `InvalidRequestError` if it is none of them."""
    if name not in names:
        raise InvalidRequestError(f"{name}: {no_such_member(name, names)}")
    return names.index(name)
