"""How long a write takes around a ring on this machine: the stack's own program over moto."""

from __future__ import annotations

import statistics
import time

from benchmarks.screen import Screen, number, times
from local.ring import LocalRing
from local.stack_config import StackConfig

_REGIONS = (
    "us-east-1",
    "eu-west-1",
    "ap-southeast-2",
    "sa-east-1",
    "ca-central-1",
    "us-west-2",
    "eu-north-1",
    "ap-south-1",
)
_SIZES = (3, 5, 8)
_PATIENCE = 120.0


def run(screen: Screen, scale: float) -> None:
    """Write one item after the other, and print when the next and the last member had it."""
    rows: list[list[str]] = []
    count = max(5, int(30 * scale))
    for size in screen.progress("Lag", _SIZES):
        with _ring(size) as ring:
            _taken(ring, "warm up", 1)
            hop = statistics.median(_taken(ring, f"hop {place}", 1) for place in range(count))
            lags = [_taken(ring, f"lap {place}", size - 1) for place in range(count)]
        middle = statistics.median(lags)
        cells = (number(hop), number(middle), number(max(lags)), times(middle / hop))
        rows.append([f"{size} members", *cells])
    columns = ["", "next member ms", "last member ms", "worst ms", "last / next"]
    screen.table(f"Lag on this machine over moto: {count} writes, one by one", columns, rows)


def _ring(size: int) -> LocalRing:
    table = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
    members = [{"region": region} for region in _REGIONS[:size]]
    tombstones = {"retention_days": max(7, size)}
    settings = {"table": table, "members": members, "tombstones": tombstones}
    return LocalRing(StackConfig.of(settings), idle=0.005)


def _taken(ring: LocalRing, name: str, hops: int) -> float:
    """Milliseconds until a write at the first member is so many hops on."""
    members = list(ring.members.values())
    here, there = members[0], members[hops]
    key = {"id": {"S": name}}
    began = time.monotonic()
    here.client.put_item(TableName=here.table, Item={**key, "total": {"N": "10"}})
    while "Item" not in there.client.get_item(TableName=there.table, Key=key):
        if time.monotonic() - began > _PATIENCE:
            raise TimeoutError(f"{name!r} has not come to {there.name} in {_PATIENCE:g} s")
        time.sleep(0.001)
    taken = (time.monotonic() - began) * 1000
    ring.wait_until_quiet(_PATIENCE)
    return taken
