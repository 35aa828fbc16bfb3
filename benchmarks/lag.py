"""Measure the replication lag of a ring on this machine: the stack's program over moto."""

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
_TIMEOUT = 120.0


def run(screen: Screen, scale: float) -> None:
    """Write items one by one; print the time until the next and the last member have them."""
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
    """Return the milliseconds until a write at the first member has passed a number of hops."""
    members = list(ring.members.values())
    source, target = members[0], members[hops]
    key = {"id": {"S": name}}
    began = time.monotonic()
    source.client.put_item(TableName=source.table, Item={**key, "total": {"N": "10"}})
    while "Item" not in target.client.get_item(TableName=target.table, Key=key):
        if time.monotonic() - began > _TIMEOUT:
            raise TimeoutError(f"{name!r} did not reach {target.name} within {_TIMEOUT:g} s")
        time.sleep(0.001)
    taken = (time.monotonic() - began) * 1000
    ring.wait_until_quiet(_TIMEOUT)
    return taken
