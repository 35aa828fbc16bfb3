"""A quarantine of any size is listed and played, page by page: in order, and flat in memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from handler.config import HopConfig
from operate.errors import OperationFailedError
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantineAccess, QuarantinedEntry
from operate.quarantine.redrive import HopAccess, RedriveOptions, RedriveOutcome, RedriveResult
from operate.stop import Stop
from tests.support.lambda_functions import KEY, QUARANTINE, Ring, environment, ring_of_three
from tests.support.stream_records import record

PLAY = RedriveOptions(dry_run=False)


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        yield three


def access_to(
    ring: Ring, s3: Any = None, ask_target: Callable[[], object] = lambda: None, **more: str
) -> QuarantineAccess:
    here, there, _ = (member.client for member in ring.members)
    settings = HopConfig.read({**environment(0, 1), **more})
    return QuarantineAccess("arn:f", HopAccess(settings, s3 or ring.s3, here, there), ask_target)


def catalogue(access: QuarantineAccess) -> RedriveList:
    return RedriveList(QuarantinedEntry(entry, access) for entry in access.reach.bucket.entries())


def kept(one: Any) -> bytes:
    """What the handler puts into the bucket for a record."""
    about = {"table": "orders", "key": KEY, "hop": "us-east-1/orders -> eu-west-1/orders"}
    fields = {"time": "2026-01-01T00:00:00Z", "reason": "refused", "error": "?", "record": one}
    return json.dumps(about | fields).encode()


def quarantine_object(ring: Ring, name: str, one: Any) -> None:
    ring.s3.put_object(Bucket=QUARANTINE, Key=f"quarantine/{name}.json", Body=kept(one))


def played(entries: RedriveList, options: RedriveOptions) -> list[RedriveResult]:
    results: list[RedriveResult] = []
    entries.redrive(options, results.append)
    return results


def test_a_keys_changes_are_played_in_the_order_in_which_they_were_made(ring: Ring) -> None:
    """Their names sort otherwise, and some were made within one second."""
    for name, number, seconds in (("a", 110, 7), ("b", 90, 7), ("c", 100, 7), ("d", 300, 6)):
        quarantined = record(number, ApproximateCreationDateTime=seconds)
        quarantine_object(ring, name, quarantined)
    results = played(
        catalogue(access_to(ring)), RedriveOptions(dry_run=False, ignore_retention=True)
    )
    assert [one.entry.id[11] for one in results] == ["d", "b", "c", "a"]
    (there,) = ring.members[1].items()
    assert there["v"] == {"S": "written by 110"}


def test_a_hop_with_a_heartbeat_has_a_quarantine_as_any_other(ring: Ring) -> None:
    quarantine_object(ring, "a", record(110))
    access = access_to(ring, RING_HEARTBEAT=json.dumps(KEY))
    assert access.reach.settings.heartbeat == KEY
    assert len(catalogue(access)) == 1


@pytest.mark.long
def test_more_than_a_page_is_listed_and_played_to_its_end(ring: Ring) -> None:
    for number in range(1_005):
        quarantine_object(ring, f"{number:04}", record(number + 1, str(number)))
    all_of_it = catalogue(access_to(ring))
    assert len(all_of_it) == 1_005
    held = played(all_of_it, PLAY)
    assert {one.outcome for one in held} == {RedriveOutcome.HELD}
    assert all_of_it.became == {RedriveOutcome.HELD: 1_005}
    assert all_of_it.stays
    assert len(list(all_of_it)) == 1_005


def test_what_somebody_removed_meanwhile_is_reported_as_gone(ring: Ring) -> None:
    for name in ("a", "b"):
        quarantine_object(ring, name, record(1, name))
    both = catalogue(access_to(ring))
    ring.s3.delete_object(Bucket=QUARANTINE, Key="quarantine/a.json")
    assert len(played(both, RedriveOptions(dry_run=False, ignore_retention=True))) == 1
    first, second = both
    assert (first["became"], first["why"]) == (
        "done",
        "it is gone: somebody has replayed or removed it",
    )
    assert (second["became"], both.stays) == ("done", False)


def test_where_it_is_stopped_the_rest_is_left_and_can_be_played_then(ring: Ring) -> None:
    for name in ("a", "b", "c"):
        quarantine_object(ring, name, record(1, name))
    three = catalogue(access_to(ring))
    results: list[RedriveResult] = []
    three.redrive(RedriveOptions(dry_run=True, ignore_retention=True))
    assert {one["became"] for one in three} == {"done"}
    stop = Stop()

    def receive(one: RedriveResult) -> None:
        results.append(one)
        stop.ask()

    three.redrive(RedriveOptions(dry_run=False, ignore_retention=True, stop=stop), receive)
    assert [one["became"] for one in three] == ["done", "left", "left"]
    assert three.stays
    three.redrive(RedriveOptions(dry_run=False, ignore_retention=True))
    assert [one["became"] for one in three] == ["done"] * 3
    assert ring.keys(1) == ["a", "b", "c"]


def test_what_goes_to_a_member_that_does_not_answer_stays_and_says_so(ring: Ring) -> None:
    quarantine_object(ring, "a", record(1))

    def ask_target() -> None:
        raise OperationFailedError("eu-west-1 does not answer")

    lost = catalogue(access_to(ring, ask_target=ask_target))
    assert played(lost, RedriveOptions(dry_run=False, ignore_retention=True)) == []
    (kept,) = lost
    assert (kept["became"], kept["why"]) == ("failed", "eu-west-1 does not answer")
    assert lost.unreached == ("eu-west-1 does not answer",)
    assert lost.stays
    assert ring.keys(1) == []


class Endless:
    """An S3 client with as many entries as one likes, of 50 KB each, none of which it keeps."""

    class exceptions:  # noqa: N801
        NoSuchKey = KeyError

    def __init__(self, entries: int) -> None:
        self._entries = entries

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        for start in range(0, self._entries, 1_000):
            numbers = range(start, min(start + 1_000, self._entries))
            yield {"Contents": [{"Key": f"quarantine/{number:09}.json"} for number in numbers]}

    def get_object(self, **asked: Any) -> Any:
        large = {**KEY, "v": {"S": asked["Key"] * 2_000}}
        body = kept(record(1, NewImage=large))
        return {
            "Body": BytesIO(body),
            "LastModified": datetime.now(UTC),
            "ContentLength": len(body),
        }


def memory_for(ring: Ring, entries: int) -> int:
    """The most bytes that were in use while so many entries were listed and played."""
    access = access_to(ring, Endless(entries))
    tracemalloc.start()
    try:
        all_of_it, count = catalogue(access), 0
        for _ in all_of_it:
            count += 1
        all_of_it.redrive(PLAY)
        assert (count, all_of_it.became) == (entries, {RedriveOutcome.HELD: entries})
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_ten_times_as_much_takes_no_more_memory(ring: Ring) -> None:
    memory_for(ring, 20)  # what is read and made once
    few, many = memory_for(ring, 40), memory_for(ring, 400)
    assert many < few + 40 * 50_000, (few, many)
