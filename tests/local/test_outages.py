"""Faults that a local ring survives: after each, the members are equal and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.faults import outage, throttling
from local.ring import LocalRing
from operate.redrive import Became, Wish, redrive
from tests.local.rings import PATIENCE, REGIONS, get, hop_from, item, put, reach, ring_of, wait_for

KEYS = [f"k{number}" for number in range(8)]


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


def in_quarantine(ring: LocalRing, source: str) -> list[Any]:
    hop, member = hop_from(ring, source), ring.member(source)
    s3 = member.clients.s3(member.region)
    listed = s3.list_objects_v2(Bucket=hop.quarantine).get("Contents", [])
    return [
        json.loads(s3.get_object(Bucket=hop.quarantine, Key=one["Key"])["Body"].read())
        for one in listed
    ]


def test_a_target_region_that_does_not_answer_and_comes_back(ring: LocalRing) -> None:
    before = hop_from(ring, "us-east-1").mapping.stats().failures
    with ring.faults.put(outage("eu-west-1")):
        fill(ring, "us-east-1", "outage")
        wait_for(ring, "us-east-1", lambda stats: stats.failures >= before + 2)
    all_hold(ring, "outage")


def test_a_target_that_throttles_every_other_call(ring: LocalRing) -> None:
    with ring.faults.put(throttling("eu-west-1", 0.5)):
        fill(ring, "us-east-1", "throttled")
        ring.wait_until_quiet(PATIENCE)
    all_hold(ring, "throttled")
    assert hop_from(ring, "us-east-1").tally.read()["retries"] > 0


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
    with ring.faults.put(kill), ring.paused("us-east-1"):
        fill(ring, "us-east-1", f"killed at {nth}")
    with ring.faults.put(kill):
        ring.wait_until_quiet(PATIENCE)
    assert hop.mapping.stats().failures > before
    all_hold(ring, f"killed at {nth}")


def test_a_poison_record_between_good_ones_is_set_aside_and_the_shard_goes_on(
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
    (played,) = redrive(hop, hop.bucket.entries(), Wish(dry_run=False))
    assert (played.became, played.why) == (Became.DONE, "1 refused")
    assert get(ring, "us-east-1", "poison") == item("poison", v={"S": "cured"})
    all_hold(ring, "beside poison")
