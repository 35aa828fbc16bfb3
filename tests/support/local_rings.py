"""Local rings for tests, and what a test does with them."""

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
from operate.monitoring.status import Status
from operate.monitoring.status import status as status_of
from operate.quarantine.redrive import HopAccess

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2", "sa-east-1", "ca-central-1")
PATIENCE = 300.0
"""How long a busy machine may take to start a ring's functions, in seconds."""
TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}


def ring_of(size: int, dynamodb: str | None = None, **settings: Any) -> LocalRing:
    members = [{"region": region} for region in REGIONS[:size]]
    stack = StackConfig.of({"table": TABLE, "members": members, **settings})
    return LocalRing(stack, dynamodb=dynamodb, idle=0.02)


def item(key: str, **attributes: Any) -> dict[str, Any]:
    return {"id": {"S": key}, **attributes}


def put(ring: LocalRing, word: str, put_item: Mapping[str, Any]) -> None:
    ring.client(word).put_item(TableName=ring.member(word).table, Item=put_item)


def get(ring: LocalRing, word: str, key: str) -> dict[str, Any] | None:
    """Read an item without the ring's own attributes."""
    found = ring.client(word).get_item(TableName=ring.member(word).table, Key=item(key))
    kept = found.get("Item")
    return kept and {name: value for name, value in kept.items() if not name.startswith("_repl_")}


@contextmanager
def costs(ring: LocalRing, writes: int) -> Iterator[None]:
    """Check how many writes the members' own tables take until the ring is quiet."""
    before = ring.meter.read()
    yield
    ring.wait_until_quiet(PATIENCE)
    tally = ring.meter.read() - before
    assert writes == sum(
        tally.count(region=member.region, table=member.table) for member in ring.members.values()
    )


def hop_from(ring: LocalRing, source: str) -> LocalHop:
    """Return the one hop that starts at a member."""
    (hop,) = ring.hops_from(source)
    return hop


def wait_for(ring: LocalRing, source: str, what: Callable[[Stats], bool]) -> None:
    """Wait until a hop's mapping tells of something."""
    mapping, end = hop_from(ring, source).mapping, time.monotonic() + PATIENCE
    while not what(mapping.stats()):
        assert time.monotonic() < end, mapping.stats()
        mapping.poll_now()
        time.sleep(0.01)


def reach(ring: LocalRing, source: str) -> HopAccess:
    """Reach a hop and its quarantine as an operator does."""
    hop = hop_from(ring, source)
    here, there = ring.member(source), ring.member(hop.target)
    settings = settings_of(here.clients.functions(here.region), hop.function.spec.arn)
    return HopAccess(settings, here.clients.s3(here.region), here.client, there.client)


def status(ring: LocalRing) -> Status:
    """Return what `status --local` tells."""
    stack = RunningLocalRing(ring.endpoint)
    return status_of(stack.deployed(), stack.clients())
