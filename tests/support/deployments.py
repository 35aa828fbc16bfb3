"""What a stack has deployed, for tests: settings, and the state that Pulumi would keep of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operate.deployed import Deployed
from ring.component_types import RING
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import deployed_hops

ACCOUNT = "123456789012"
LABEL = "2026-01-01T00:00:00.000"

TABLE: dict[str, Any] = {
    "name": "orders",
    "partition_key": {"name": "customer", "type": "S"},
    "sort_key": {"name": "order", "type": "S"},
    "local_indexes": [{"name": "by-time", "sort_key": {"name": "placed", "type": "N"}}],
}
MEMBERS: list[dict[str, Any]] = [
    {"region": "us-east-1"},
    {"region": "eu-west-1"},
    {"region": "ap-southeast-2", "table": "orders-apac"},
]
CONFIG: dict[str, Any] = {"table": TABLE, "members": MEMBERS}


def stream(region: str, table: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{table}/stream/{LABEL}"


def deployed(config: Mapping[str, Any], **left_out: bool) -> Deployed:
    return Deployed.read(state(config, **left_out))


def state(config: Mapping[str, Any], *, finished: bool = True) -> dict[str, Any]:
    """The state after an `up`; not `finished`: after one that failed before the hops were made."""
    settings = Settings.parse(config)
    hops = deployed_hops(settings)
    sources = {hop.source for hop in hops}
    resources = [
        resource
        for member in members_of(settings)
        if member in sources | {hop.target for hop in hops}
        for resource in _replica(settings, member, member in sources, finished)
    ]
    for hop in hops if finished else ():
        resources += _hop(settings, hop.source, hop.target, hop.slug)
    # Pulumi lists resources as they got ready, which is in no order of ours.
    resources.reverse()
    if finished:
        outputs = {"members": [{"name": member.name} for member in members_of(settings)]}
        resources.insert(0, {"urn": _urn(RING, "ring"), "type": RING, "outputs": outputs})
    return {"version": 3, "deployment": {"resources": resources}}


def _urn(kind: str, name: str) -> str:
    return f"urn:pulumi:dev::dynamodb-ring::dynamodb-ring:index:Ring${kind}::{name}"


def _replica(
    settings: Settings, member: Member, ours: bool, finished: bool
) -> list[dict[str, Any]]:
    kind = "dynamodb-ring:index:Replica"
    urn = _urn(kind, f"ring-{member.resource_name}")
    account = member.account_id or ACCOUNT
    arn = f"arn:aws:dynamodb:{member.region}:{account}:table/{member.table}"
    made = ours and not member.stream_arn
    outputs = {
        "name": member.name,
        "region": member.region,
        "table": member.table,
        "table_arn": arn,
        "stream_arn": member.stream_arn
        or (stream(member.region, member.table, account) if made else None),
        "tombstones": member.tombstones if settings.tombstones.enabled else None,
    }
    provider = {
        "region": member.region,
        "profile": member.profile,
        "assumeRoles": f'[{{"roleArn":"{member.role}","externalId":"{member.external_id}"}}]'
        if member.role
        else None,
    }
    inputs = {key: value for key, value in provider.items() if value}
    rows = [
        {"urn": urn, "type": kind, "outputs": outputs if finished else {}},
        _child(urn, "pulumi:providers:aws", f"ring-{member.resource_name}", inputs),
    ]
    table = "aws:dynamodb/table:Table"
    if made:
        shape = {"name": member.table, **_keys(settings), **_indexes(settings)}
        rows.append(_child(urn, table, f"ring-{member.resource_name}", shape, {"arn": arn}))
    if ours and settings.tombstones.enabled:
        kept = {"name": member.tombstones, **_keys(settings)}
        rows.append(_child(urn, table, f"ring-{member.resource_name}-tombstones", kept))
    return rows


def _child(
    parent: str,
    kind: str,
    name: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "urn": _urn(kind, name),
        "type": kind,
        "parent": parent,
        "inputs": inputs,
        "outputs": outputs or {},
    }


def _keys(settings: Settings) -> dict[str, Any]:
    table = settings.table
    keys = {"hashKey": table.partition_key.name}
    if table.sort_key:
        keys["rangeKey"] = table.sort_key.name
    types = {key.name: key.type for _, key in table.all_keys()}
    return {**keys, "attributes": [{"name": name, "type": kind} for name, kind in types.items()]}


def _indexes(settings: Settings) -> dict[str, Any]:
    ttl = settings.table.ttl
    return {
        **({"ttl": {"attributeName": ttl.attribute, "enabled": ttl.enabled}} if ttl else {}),
        "globalSecondaryIndexes": [{"name": one.name} for one in settings.table.global_indexes],
        "localSecondaryIndexes": [
            {
                "name": index.name,
                "rangeKey": index.sort_key.name,
                "projectionType": index.projection,
                "nonKeyAttributes": list(index.attributes),
            }
            for index in settings.table.local_indexes
        ],
    }


def _hop(settings: Settings, source: Member, target: Member, slug: str) -> list[dict[str, Any]]:
    kind = "dynamodb-ring:index:Hop"
    urn = _urn(kind, f"ring-{slug}")
    outputs = {
        "source": source.name,
        "target": target.name,
        "function": f"arn:aws:lambda:{source.region}:{ACCOUNT}:function:ring-{slug}",
        "mapping": f"mapping-{slug}",
        "quarantine": f"quarantine-{source.id}",
    }
    variables = {
        "RING_SOURCE_REGION": source.region,
        "RING_SOURCE_TABLE": source.table,
        "RING_SOURCE_ID": source.id,
        "RING_RETENTION_DAYS": str(settings.tombstones.retention_days),
    }
    inputs = {"environment": {"variables": variables}}
    function = _child(urn, "aws:lambda/function:Function", f"ring-{slug}", inputs)
    return [{"urn": urn, "type": kind, "outputs": outputs}, function]
