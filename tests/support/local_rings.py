"""Local rings for tests, and operations on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from commands.local_ring import RunningLocalRing
from local.hop import LocalHop
from local.lambda_emulator.mapping_stats import Stats
from local.ring import LocalRing
from local.stack_config import StackConfig
from operate.hop_settings import settings_of
from operate.monitoring.ring_monitoring import ring_status
from operate.monitoring.status import Status
from operate.quarantine.redrive import HopAccess

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1", "ca-central-1")
PATIENCE = 300.0
"""Timeout in seconds: a busy machine starts a ring's functions slowly."""
TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}


UNWATCHED = {"monitoring": {"enabled": False}}
"""Settings of most tests: alarms and dashboards take a third of the time until a ring is there."""


def ring_of(
    size: int, dynamodb: str | None = None, *, is_watched: bool = False, **settings: Any
) -> LocalRing:
    """Return a ring of so many members, without alarms unless it `is_watched`."""
    members = [{"region": region} for region in REGIONS[:size]]
    given = ({} if is_watched else UNWATCHED) | settings
    stack = StackConfig.of({"table": TABLE, "members": members, **given})
    return LocalRing(stack, dynamodb=dynamodb, idle=0.02)


def item(key: str, **attributes: Any) -> dict[str, Any]:
    return {"id": {"S": key}, **attributes}


def put(ring: LocalRing, word: str, put_item: Mapping[str, Any]) -> None:
    ring.client(word).put_item(TableName=ring.member(word).table, Item=put_item)


def get(ring: LocalRing, word: str, key: str) -> dict[str, Any] | None:
    """Read an item without the ring's attributes."""
    response = ring.client(word).get_item(TableName=ring.member(word).table, Key=item(key))
    found = response.get("Item")
    return found and {name: value for name, value in found.items() if not name.startswith("_repl_")}


def make_conflict(ring: LocalRing, key: str) -> None:
    """Put an item red at the first member and blue at the second, neither knowing of the other."""
    with ring.paused():
        put(ring, REGIONS[0], item(key, color={"S": "red"}))
        put(ring, REGIONS[1], item(key, color={"S": "blue"}))
    ring.wait_until_quiet(PATIENCE)
    ring.flush()


@contextmanager
def restored(ring: LocalRing) -> Iterator[LocalRing]:
    """End all faults and give a ring its settings back after a test."""
    before = ring.stack.settings
    yield ring
    ring.active_faults.clear()
    if ring.stack.settings != before:
        ring.change(before)


@contextmanager
def costs(ring: LocalRing, writes: int) -> Iterator[None]:
    """Check the number of writes at the members' tables until the ring is quiet."""
    before = ring.meter.read()
    yield
    ring.wait_until_quiet(PATIENCE)
    counts = ring.meter.read() - before
    assert writes == sum(
        counts.count(region=member.region, table=member.table) for member in ring.members.values()
    )


def hop_from(ring: LocalRing, source: str) -> LocalHop:
    """Return the only hop whose source is a member."""
    (hop,) = ring.hops_from(source)
    return hop


def wait_for(ring: LocalRing, source: str, condition: Callable[[Stats], bool]) -> None:
    """Wait until a condition on the statistics of a hop's mapping holds."""
    mapping, end = hop_from(ring, source).mapping, time.monotonic() + PATIENCE
    while not condition(mapping.stats()):
        assert time.monotonic() < end, mapping.stats()
        mapping.poll_now()
        time.sleep(0.01)


def reach(ring: LocalRing, source: str) -> HopAccess:
    """Return an operator's access to a hop and its quarantine."""
    hop = hop_from(ring, source)
    member, target = ring.member(source), ring.member(hop.target)
    settings = settings_of(member.clients.functions(member.region), hop.function.spec.arn)
    return HopAccess(settings, member.clients.s3(member.region), member.client, target.client)


def status(ring: LocalRing) -> Status:
    """Return the status as `status --local` does."""
    return ring_status(RunningLocalRing(ring.endpoint))
