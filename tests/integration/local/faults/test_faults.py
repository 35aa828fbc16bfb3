"""Faults that are started in a running ring: what each does, that it ends, and what is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from local.faults.fault import FaultError, FaultRequest, Kind
from local.live.document import live_document
from local.ring import LocalRing
from local.view import take
from tests.support.local_rings import (
    PATIENCE,
    get,
    hop_from,
    item,
    put,
    ring_of,
    wait_for,
)

HERE, THERE = "us-east-1", "eu-west-1"


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2, function={"timeout": 4}) as two:
        yield two


@pytest.fixture(autouse=True)
def all_is_well_afterwards(ring: LocalRing) -> Iterator[None]:
    yield
    ring.active_faults.clear()
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []


def start(
    ring: LocalRing, kind: Kind, target: str, value: float | None = None, seconds: float = 600.0
) -> str:
    return ring.active_faults.start(FaultRequest(kind, target, value, seconds)).id


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def quick(ring: LocalRing, service: str, region: str) -> Any:
    """Return a client that does not repeat a request."""
    create: Any = boto3.client
    return create(
        service,
        region_name=region,
        endpoint_url=ring.endpoint,
        aws_access_key_id="AKIALOCALRINGEXAMPLE",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("dynamodb", "list_tables"),
        ("lambda", "list_functions"),
        ("cloudwatch", "describe_alarms"),
        ("s3", "list_buckets"),
    ],
)
def test_no_service_answers_in_an_outage_and_other_regions_do(
    ring: LocalRing, service: str, call: str
) -> None:
    start(ring, "outage", THERE)
    with pytest.raises(BotoCoreError):
        getattr(quick(ring, service, THERE), call)()
    getattr(quick(ring, service, HERE), call)()
    ring.active_faults.clear()
    getattr(quick(ring, service, THERE), call)()


def test_writes_wait_during_an_outage_and_arrive_when_it_ends(ring: LocalRing) -> None:
    failures = hop_from(ring, HERE).mapping.stats().failures
    start(ring, "outage", THERE)
    put(ring, HERE, item("waits"))
    wait_for(ring, HERE, lambda stats: stats.failures > failures)
    ring.active_faults.clear()
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "waits") == item("waits")


def test_the_hop_of_a_lost_region_delivers_nothing_until_it_is_back(ring: LocalRing) -> None:
    hop = hop_from(ring, THERE)
    delay = start(ring, "delay", THERE, 600.0)
    put(ring, THERE, item("unsent"))
    start(ring, "outage", THERE)
    ring.active_faults.clear(delay)
    assert hop.mapping.stopped_by == "outage"
    put(ring, HERE, item("elsewhere"))
    wait_for(ring, HERE, lambda stats: stats.waiting > 0)
    assert get(ring, HERE, "unsent") is None
    ring.active_faults.clear()
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, HERE, "unsent") == item("unsent")


def test_a_member_is_throttled_and_nothing_is_lost(ring: LocalRing) -> None:
    tally = hop_from(ring, HERE).tally
    retries = tally.read()["retries"]
    start(ring, "throttle", THERE, 0.5)
    written: list[dict[str, Any]] = []
    while tally.read()["retries"] == retries:  # chance decides which request it is
        assert len(written) < 100
        written.append(item(f"throttled {len(written)}"))
        put(ring, HERE, written[-1])
        ring.wait_until_quiet(PATIENCE)
    assert [get(ring, THERE, one["id"]["S"]) for one in written] == written


def test_a_delayed_hop_delivers_late_and_counts_what_waits(ring: LocalRing) -> None:
    start(ring, "delay", HERE, 1.0)
    began = time.monotonic()
    put(ring, HERE, item("late"))
    wait_for(ring, HERE, lambda stats: stats.waiting == 1 and stats.oldest is not None)
    ring.wait_until_quiet(PATIENCE)
    assert time.monotonic() - began > 1.0
    assert get(ring, THERE, "late") == item("late")


def test_a_delay_that_is_cleared_delivers_at_once(ring: LocalRing) -> None:
    fault = start(ring, "delay", HERE, 600.0)
    put(ring, HERE, item("held"))
    wait_for(ring, HERE, lambda stats: stats.waiting == 1)
    ring.active_faults.clear(fault)
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "held") == item("held")


@pytest.mark.long
def test_a_function_is_killed_while_it_works_until_the_fault_ends(ring: LocalRing) -> None:
    failures = hop_from(ring, HERE).mapping.stats().failures
    start(ring, "crash", HERE)
    end, written = time.monotonic() + PATIENCE, 0
    while hop_from(ring, HERE).mapping.stats().failures < failures + 2:
        put(ring, HERE, item(f"crash {written}"))
        written += 1
        time.sleep(0.02)
        assert time.monotonic() < end
    ring.active_faults.clear()
    ring.wait_until_quiet(PATIENCE)
    assert all(get(ring, THERE, f"crash {n}") == item(f"crash {n}") for n in range(written))


def test_poison_is_quarantined_and_gone_when_the_fault_ends(ring: LocalRing) -> None:
    hop, member = hop_from(ring, HERE), ring.member(HERE)
    s3 = member.clients.s3(HERE)
    start(ring, "poison", HERE)
    put(ring, HERE, item("behind it"))
    ring.wait_until_quiet(PATIENCE)
    assert s3.list_objects_v2(Bucket=hop.quarantine)["KeyCount"] == 1
    assert get(ring, THERE, "behind it") == item("behind it")
    ring.active_faults.clear()
    ring.wait_until_quiet(PATIENCE)
    items = member.client.scan(TableName=member.table, ConsistentRead=True)["Items"]
    assert [one for one in items if one["id"]["S"].startswith("poison")] == []


def test_poison_that_ends_while_its_region_is_down_is_gone_when_that_is_back(
    ring: LocalRing,
) -> None:
    member = ring.member(HERE)
    poison = start(ring, "poison", HERE)
    outage = start(ring, "outage", HERE)
    assert [fault.id for fault in ring.active_faults.clear(poison)] == [poison]
    ring.active_faults.clear(outage)
    items = member.client.scan(TableName=member.table, ConsistentRead=True)["Items"]
    assert [one for one in items if one["id"]["S"].startswith("poison")] == []


def test_a_fault_ends_by_itself(ring: LocalRing) -> None:
    start(ring, "outage", THERE, seconds=0.2)
    assert [fault.target for fault in ring.active_faults.list()] == [THERE]
    wait_until(lambda: ring.active_faults.list() == ())
    quick(ring, "dynamodb", THERE).list_tables()


def test_an_unknown_member_and_a_second_fault_of_a_kind_are_refused(ring: LocalRing) -> None:
    with pytest.raises(FaultError, match="no member has this name"):
        start(ring, "outage", "mars-1")
    start(ring, "delay", HERE, 1.0)
    with pytest.raises(FaultError, match="already"):
        start(ring, "delay", HERE, 2.0)
    with pytest.raises(FaultError, match="No active fault has the id '77'"):
        ring.active_faults.clear("77")


def test_the_views_of_a_ring_go_on_in_an_outage(ring: LocalRing) -> None:
    start(ring, "outage", THERE)
    here, there = take(ring, time.time()).members
    document = json.loads(live_document(ring, ""))
    assert (here.items is None, there.items) == (False, None)
    assert [member["items"] is None for member in document["members"]] == [False, True]
