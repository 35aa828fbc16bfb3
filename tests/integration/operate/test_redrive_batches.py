"""Batches that Lambda gave up are played again, whole and in order."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.quarantine import QuarantinedRecord, QuarantineLocation, S3Quarantine
from operate.quarantine.redrive import HopAccess, RedriveOptions, RedriveOutcome, redrive
from operate.stop import Stop
from tests.support.lambda_functions import (
    KEY,
    QUARANTINE,
    TABLE,
    Ring,
)
from tests.support.quarantined_entries import (
    LARGE,
    PLAY,
    TRY,
    give_up,
    item,
    listed,
)
from tests.support.stream_records import record


def test_a_batch_that_lambda_gave_up_is_played_whole_and_in_order(
    ring: Ring, reach: HopAccess
) -> None:
    for key in ("1", "2"):
        ring.members[0].put(item("first", key))
        ring.members[0].put(item("second", key))
    ring.become(0)
    give_up(ring, *ring.members[0].new_records())
    (entry,) = listed(reach)
    assert (entry.reason, len(entry.records)) == ("RecordAgeExceeded", 4)
    assert entry.keys == [KEY, {"k": {"S": "2"}}]
    assert "7 invocations" in entry.error
    (played,) = redrive(reach, [entry], PLAY)
    assert played.outcome is RedriveOutcome.DONE
    ring.go_round()
    assert ring.equal() == [item("second", "1"), item("second", "2")]
    assert listed(reach) == []


@pytest.mark.parametrize(
    ("invocations", "expected"),
    [(1, "given up after 1 invocation"), (2, "given up after 2 invocations")],
)
def test_how_often_lambda_tried_a_batch_is_shown_in_words(
    ring: Ring, reach: HopAccess, invocations: int, expected: str
) -> None:
    ring.members[0].put(item("tried"))
    give_up(ring, *ring.members[0].new_records(), invocations=invocations)
    (entry,) = listed(reach)
    assert entry.error == expected


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_batch_that_is_stopped_between_two_keys_stays_whole_and_is_played_later(
    ring: Ring, reach: HopAccess, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr("operate.quarantine.redrive.CONCURRENCY", 1)
    keys = [str(number) for number in range(5)]
    for key in keys:
        ring.members[0].put(item("lost", key))
    give_up(ring, *ring.members[0].new_records())
    stop = StopAfter(2)
    (left,) = redrive(reach, listed(reach), RedriveOptions(dry_run, stop=stop))
    assert left.outcome is RedriveOutcome.LEFT
    assert left.why == "stopped before all of it was replayed"
    assert len(listed(reach)) == 1
    assert len(ring.members[1].items()) == (0 if dry_run else 1)
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.DONE
    assert ring.members[1].items() == [item("lost", key) for key in keys]
    assert listed(reach) == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_batch_whose_calls_succeed_is_played_whole_however_long_it_takes(
    ring: Ring, reach: HopAccess, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    # Any one call takes longer than this.
    monkeypatch.setattr("operate.quarantine.patience.PATIENCE_SECONDS", 1e-6)
    for key in ("1", "2", "3"):
        ring.members[0].put(item("lost", key))
    give_up(ring, *ring.members[0].new_records())
    (played,) = redrive(reach, listed(reach), RedriveOptions(dry_run))
    assert played.outcome is RedriveOutcome.DONE, played.why
    assert len(ring.members[1].items()) == (0 if dry_run else 3)


def test_a_batch_whose_calls_fail_ends_after_one_patience_for_all_keys_and_says_so(
    ring: Ring, reach: HopAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operate.quarantine.patience.PATIENCE_SECONDS", 1e-6)
    monkeypatch.setattr("operate.quarantine.redrive.CONCURRENCY", 1)
    for key in ("1", "2", "3"):
        ring.members[0].put(item("lost", key))
    give_up(ring, *ring.members[0].new_records())
    there: Any = ThrottledWrites(reach.there)
    (played,) = redrive(replace(reach, there=there), listed(reach), PLAY)
    assert there.puts == 1
    assert played.outcome is RedriveOutcome.FAILED
    assert "Rate of requests exceeds" in played.why
    assert "NoProgressError: Calls failed for" in played.why
    assert "function" not in played.why
    assert len(listed(reach)) == 1
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.DONE
    assert len(ring.members[1].items()) == 3


class ThrottledWrites:
    """A client whose table has no capacity for writes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.puts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **_: Any) -> Any:
        self.puts += 1
        code = "ProvisionedThroughputExceededException"
        error: Any = {"Code": code, "Message": "Rate of requests exceeds the allowed throughput."}
        raise ClientError({"Error": error}, "PutItem")


def test_what_fails_when_it_is_stopped_is_not_taken_for_superseded(
    ring: Ring, reach: HopAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run shows whether it is; it is not stopped halfway."""
    ring.members[0].put(item(LARGE))
    ring.hop(0)
    (played,) = redrive(reach, listed(reach), RedriveOptions(dry_run=False, stop=StopAfter(2)))
    assert played.outcome is RedriveOutcome.FAILED
    assert len(listed(reach)) == 1


class StopAfter(Stop):
    """Is asked for when it was looked at so often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    @property
    def is_asked(self) -> bool:
        self._looks -= 1
        return self._looks < 0


def test_poison_in_a_batch_that_lambda_gave_up_gets_a_place_of_its_own(
    ring: Ring, reach: HopAccess
) -> None:
    ring.members[0].put(item(LARGE, "1"))
    ring.members[0].put(item("small", "2"))
    give_up(ring, *ring.members[0].new_records())
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.DONE
    assert "quarantined by itself: ItemTooLargeError" in played.why
    assert ring.members[1].items() == [item("small", "2")]
    (entry,) = listed(reach)
    assert (entry.reason, entry.keys) == ("too large", [KEY])
    assert entry.id.startswith("quarantine/")


@pytest.mark.parametrize("by_lambda", [False, True], ids=["by the hop", "by Lambda"])
def test_a_record_without_both_images_is_not_played_and_stays(
    ring: Ring, reach: HopAccess, by_lambda: bool
) -> None:
    """An earlier version quarantined such records one by one, and Lambda gives up whole batches."""
    ring.members[0].put(item("first"))
    ring.hop(0)
    ring.members[0].change_view("OLD_IMAGE")
    ring.members[0].put(item("second"))
    (update,) = ring.members[0].new_records()
    if by_lambda:
        good = record(1, "2", ApproximateCreationDateTime=int(time.time()))
        give_up(ring, good, update)
    else:
        shelf = QuarantineLocation(QUARANTINE, "us-east-1/orders -> eu-west-1/orders", TABLE)
        lost = QuarantinedRecord(update, "unreadable", "that day")
        with ThreadPoolExecutor(1) as pool:
            asyncio.run(S3Quarantine(lambda: ring.s3, pool, shelf).put(lost))
    for options in (TRY, PLAY):
        (played,) = redrive(reach, listed(reach), options)
        assert played.outcome is RedriveOutcome.FAILED
        assert "has the view type 'OLD_IMAGE'" in played.why
    assert ring.members[1].items() == [item("first")]
    assert len(listed(reach)) == 1


@pytest.mark.parametrize("options", [PLAY, TRY])
def test_a_record_of_another_table_fails_with_words_about_its_entry_and_not_about_a_stream(
    ring: Ring, reach: HopAccess, options: RedriveOptions
) -> None:
    arn = record(2)["eventSourceARN"].replace("orders", "carts")
    give_up(ring, now(record(1)), {**now(record(2)), "eventSourceARN": arn})
    (result,) = redrive(reach, listed(reach), options)
    assert result.outcome is RedriveOutcome.FAILED
    assert "carts" in result.why
    assert "stays in the quarantine" in result.why
    for words in ("No record of the batch", "stay in the stream", "event source mapping"):
        assert words not in result.why
    assert ring.members[1].items() == []
    assert len(listed(reach)) == 1


def now(given: Any) -> Any:
    return {**given, "dynamodb": {**given["dynamodb"], "ApproximateCreationDateTime": time.time()}}


def test_the_event_of_a_batch_may_be_text(ring: Ring, reach: HopAccess) -> None:
    name = give_up(ring, record(1))
    body = json.loads(ring.s3.get_object(Bucket=QUARANTINE, Key=name)["Body"].read())
    body["payload"] = json.dumps(body["payload"])
    ring.s3.put_object(Bucket=QUARANTINE, Key=name, Body=json.dumps(body))
    assert [list(entry.records) for entry in listed(reach)] == [[record(1)]]
