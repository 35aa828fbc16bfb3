"""The state of a running ring as JSON at its endpoint, for the page that shows it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from local.hop import LocalHop
    from local.ring import LocalRing
    from local.running_ring import LocalMember

PATH = "/_dynamodb-ring/live"
"""Path of the document. `?after=NUMBER` leaves out the lines and deliveries up to a number."""


def live_document(ring: LocalRing, query: str) -> bytes:
    """Return members, hops, and what happened after the number in a query string, as JSON.

    Times are in seconds since 1970. `waiting` and `oldest` are of the records that a hop has read
    and not delivered yet; `heartbeat` is when a member's last heartbeat was written. `items` is
    None while a region does not answer.
    """
    names = {
        hop.function.spec.environment.get("RING_SOURCE_ID", ""): hop.source
        for hop in ring.hops.values()
    }
    recent = ring.recent.after(_number(query))
    for delivery in recent["deliveries"]:
        origin = delivery["origin"]
        delivery["origin"] = names.get(origin, origin) if origin else delivery["source"]
    now = ring.recent.now()
    document = {
        "now": now,
        "faults": [fault.document(now) for fault in ring.active_faults.list()],
        "members": [_member(ring, member) for member in ring.members.values()],
        "hops": [_hop(hop) for hop in ring.hops.values()],
        **recent,
    }
    return json.dumps(document).encode()


def _number(query: str) -> int:
    after = parse_qs(query).get("after", ["0"])[0]
    return int(after) if after.isdecimal() else 0


def _member(ring: LocalRing, member: LocalMember) -> dict[str, Any]:
    keys = ring.settings.table
    return {
        "name": member.name,
        "region": member.region,
        "table": member.table,
        "items": ring.item_count(member),
        "keys": [
            {"name": key.name, "type": key.type}
            for key in (keys.partition_key, keys.sort_key)
            if key
        ],
        "heartbeat": ring.recent.heartbeats.get(member.name),
    }


def _hop(hop: LocalHop) -> dict[str, Any]:
    stats = asdict(hop.mapping.stats())
    return {
        "source": hop.source,
        "target": hop.target,
        "stopped_by": hop.mapping.stopped_by,
        **{name: stats[name] for name in ("waiting", "oldest", "failures", "trouble")},
    }
