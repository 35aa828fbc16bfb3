"""The state of a running ring as JSON at its endpoint, for the page that shows it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from local.hop import LocalHop
    from local.running_ring import LocalMember, RunningRing

PATH = "/_dynamodb-ring/live"
"""Path of the document. `?after=NUMBER` leaves out the lines and deliveries up to a number."""


def live_document(ring: RunningRing, query: str) -> bytes:
    """Return members, hops, and what happened after the number in a query string, as JSON.

    Times are in seconds since 1970. `waiting` and `oldest` are of the records that a hop has read
    and not delivered yet; `heartbeat` is when a member's last heartbeat was written.
    """
    names = {
        hop.function.spec.environment.get("RING_SOURCE_ID", ""): hop.source
        for hop in ring.hops.values()
    }
    recent = ring.recent.after(_number(query))
    for delivery in recent["deliveries"]:
        origin = delivery["origin"]
        delivery["origin"] = names.get(origin, origin) if origin else delivery["source"]
    document = {
        "now": ring.recent.now(),
        "members": [_member(ring, member) for member in ring.members.values()],
        "hops": [_hop(hop) for hop in ring.hops.values()],
        **recent,
    }
    return json.dumps(document).encode()


def _number(query: str) -> int:
    after = parse_qs(query).get("after", ["0"])[0]
    return int(after) if after.isdecimal() else 0


def _member(ring: RunningRing, member: LocalMember) -> dict[str, Any]:
    table = member.client.describe_table(TableName=member.table)["Table"]
    return {
        "name": member.name,
        "region": member.region,
        "table": member.table,
        "items": table["ItemCount"],
        "keys": [
            {"name": key["AttributeName"], "type": _type(table, key["AttributeName"])}
            for key in table["KeySchema"]
        ],
        "heartbeat": ring.recent.heartbeats.get(member.name),
    }


def _type(table: Any, attribute: str) -> str:
    types = {
        entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]
    }
    text: str = types[attribute]
    return text


def _hop(hop: LocalHop) -> dict[str, Any]:
    stats = asdict(hop.mapping.stats())
    return {
        "source": hop.source,
        "target": hop.target,
        "stopped_by": hop.mapping.stopped_by,
        **{name: stats[name] for name in ("waiting", "oldest", "failures", "trouble")},
    }
