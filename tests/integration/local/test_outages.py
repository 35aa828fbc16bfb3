"""Faults that a local ring survives: after each, the members are equal and nothing is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from typing import Any

import pytest

from local.endpoint.fault_injection import outage, throttling
from local.live.document import live_document
from local.ring import LocalRing
from local.view import take
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, redrive
from tests.support.local_rings import (
    PATIENCE,
    REGIONS,
    get,
    hop_from,
    item,
    put,
    reach,
    ring_of,
    wait_for,
)

KEYS = [f"k{number}" for number in range(8)]
THROTTLED_SECONDS = 20.0


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    # A function with little time gives back early what it cannot do.
    with ring_of(2, function={"timeout": 4}) as two:
        yield two


def fill(ring: LocalRing, word: str, name: str) -> None:
    """Write to all keys, twice each, at one member."""
    for value in ("first", name):
        for key in KEYS:
            put(ring, word, item(key, v={"S": value}))


def all_hold(ring: LocalRing, name: str) -> None:
    """Check that all members hold what was written last, and nothing is in the quarantine."""
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    for word in REGIONS[:2]:
        assert {str(get(ring, word, key)) for key in KEYS} == {
            str(item(key, v={"S": name})) for key in KEYS
        }
    assert all(in_quarantine(ring, hop.source) == [] for hop in ring.hops.values())


def test_an_outage_that_begins_while_the_items_are_counted_does_not_end_the_view(
    ring: LocalRing,
) -> None:
    member = ring.member(REGIONS[1])
    with ExitStack() as end:

        def lose_it(**_: Any) -> None:
            if not ring.faults.is_lost(member.region):
                end.enter_context(ring.faults.lose(member.region))

        events = member.client.meta.events
        events.register("before-send.dynamodb.DescribeTable", lose_it)
        end.callback(events.unregister, "before-send.dynamodb.DescribeTable", lose_it)
        assert [row.items for row in take(ring, time.time()).members] == [0, None]
        assert [one["items"] for one in json.loads(live_document(ring, ""))["members"]] == [0, None]
    assert [row.items for row in take(ring, time.time()).members] == [0, 0]


def in_quarantine(ring: LocalRing, source: str) -> list[Any]:
    hop, member = hop_from(ring, source), ring.member(source)
    s3 = member.clients.s3(member.region)
    listed = s3.list_objects_v2(Bucket=hop.quarantine).get("Contents", [])
    return [
        json.loads(s3.get_object(Bucket=hop.quarantine, Key=one["Key"])["Body"].read())
        for one in listed
    ]


@pytest.mark.long
def test_a_target_region_that_does_not_answer_and_comes_back(ring: LocalRing) -> None:
    before = hop_from(ring, "us-east-1").mapping.stats().failures
    with ring.faults.inject(outage("eu-west-1")):
        fill(ring, "us-east-1", "outage")
        wait_for(ring, "us-east-1", lambda stats: stats.failures >= before + 2)
    all_hold(ring, "outage")


@pytest.mark.long
def test_a_target_that_throttles_every_other_call(ring: LocalRing) -> None:
    with ring.faults.inject(throttling("eu-west-1", 0.5)):
        fill(ring, "us-east-1", "throttled")
        ring.wait_until_quiet(PATIENCE)
    all_hold(ring, "throttled")
    assert hop_from(ring, "us-east-1").tally.read()["retries"] > 0


@pytest.mark.long
def test_writers_go_on_while_the_target_throttles_nine_calls_of_ten_and_the_members_end_equal(
    ring: LocalRing,
) -> None:
    """Real: the time on the wall, pauses and functions' time included; the stream and its mapping;
    the function's process; the requests, over HTTP; and that 90 % of those to the target's tables
    come back as DynamoDB's throttling error. Not real: who throttles (a draw, not a table that is
    out of capacity, and so it does not get worse by being asked more), and 20 seconds for minutes.
    """
    hop = hop_from(ring, "us-east-1")
    before, retries = hop.mapping.stats(), hop.tally.read()["retries"]
    with ring.faults.inject(throttling("eu-west-1", 0.9)):
        end, written = time.monotonic() + THROTTLED_SECONDS, 0
        for key in cycle(KEYS):
            put(ring, "us-east-1", item(key, v={"S": str(written)}))
            written += 1
            if time.monotonic() > end:
                break
            time.sleep(0.02)  # or there are more records than the machine can work off
        wait_for(ring, "us-east-1", lambda stats: stats.records > before.records)
    fill(ring, "us-east-1", "after the throttling")
    all_hold(ring, "after the throttling")
    stats = hop.mapping.stats()
    assert written > len(KEYS)
    assert stats.records - before.records == written + 2 * len(KEYS)
    assert stats.given_up == before.given_up
    assert hop.tally.read()["retries"] > retries + 100


@pytest.mark.long
def test_a_target_that_leaves_calls_hanging_until_the_function_is_stopped(
    ring: LocalRing, caplog: pytest.LogCaptureFixture
) -> None:
    """The function's 4 seconds end before the 5 that a call waits: Lambda stops it."""
    caplog.set_level("INFO", "local.lambda_emulator.event_source_mapping")
    hop, go_on = hop_from(ring, "us-east-1"), threading.Event()

    def hang(region: str, operation: str) -> None:
        if region == "eu-west-1":
            go_on.wait(PATIENCE)

    before = hop.mapping.stats().failures
    with ring.faults.inject(hang):
        fill(ring, "us-east-1", "left hanging")
        wait_for(ring, "us-east-1", lambda stats: stats.failures > before)
        go_on.set()
    assert "timed out after 4" in caplog.text
    all_hold(ring, "left hanging")


@pytest.mark.parametrize("nth", [2, 7])
def test_a_function_that_is_killed_at_one_of_its_calls(ring: LocalRing, nth: int) -> None:
    hop = hop_from(ring, "us-east-1")
    calls = 0

    def kill(region: str, operation: str) -> None:
        nonlocal calls
        if region == "eu-west-1":
            calls += 1
            if calls == nth:
                assert hop.function._worker is not None
                hop.function._worker.kill()

    before = hop.mapping.stats().failures
    with ring.faults.inject(kill), ring.paused("us-east-1"):
        fill(ring, "us-east-1", f"killed at {nth}")
    with ring.faults.inject(kill):
        ring.wait_until_quiet(PATIENCE)
    assert hop.mapping.stats().failures > before
    all_hold(ring, f"killed at {nth}")


def test_a_poison_record_between_good_ones_is_quarantined_and_the_shard_goes_on(
    ring: LocalRing,
) -> None:
    put(ring, "us-east-1", item("poison", v={"S": "x" * 404_950}))
    fill(ring, "us-east-1", "beside poison")
    ring.wait_until_quiet(PATIENCE)
    (kept,) = in_quarantine(ring, "us-east-1")
    assert (kept["key"], kept["reason"]) == (item("poison"), "too large")
    assert get(ring, "eu-west-1", "poison") is None
    # A later write that fits wins, and the redrive of the old record does not undo it.
    put(ring, "us-east-1", item("poison", v={"S": "cured"}))
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, "eu-west-1", "poison") == item("poison", v={"S": "cured"})
    hop = reach(ring, "us-east-1")
    (played,) = redrive(hop, hop.bucket.entries(), RedriveOptions(dry_run=False))
    assert (played.outcome, played.why) == (RedriveOutcome.DONE, "1 refused")
    assert get(ring, "us-east-1", "poison") == item("poison", v={"S": "cured"})
    all_hold(ring, "beside poison")
