"""How batches are formed, retried, split and given up, without a thread or a clock."""

from __future__ import annotations

from typing import Any

import pytest

from local.lambda_emulator.batching import (
    PAYLOAD_BYTES,
    AbandonedBatch,
    Batch,
    Lane,
    Policy,
    after_failure,
    first_failure,
)
from tests.support.samples import NOON, numbers, record

FOUR = tuple(record(number) for number in (9, 10, 11, 12))


def failures(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize(
    "answer",
    [None, {}, "", [], "done", {"batchItemFailures": []}, {"batchItemFailures": None}],
)
def test_an_answer_without_failures_means_that_all_is_done(answer: Any) -> None:
    assert first_failure(FOUR, answer) is None


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (failures("9"), 0),
        (failures("11"), 2),
        (failures("12", "11"), 2),
        (failures("12", "9", "11"), 0),
    ],
)
def test_the_lowest_number_reported_is_the_checkpoint_by_value_not_as_text(
    answer: Any, place: int
) -> None:
    assert first_failure(FOUR, answer) == place


@pytest.mark.parametrize(
    "answer",
    [
        failures(""),
        failures(None),
        failures(11),
        failures("13"),
        failures("12", ""),
        {"batchItemFailures": [{"item": "12"}]},
        {"batchItemFailures": ["12"]},
    ],
)
def test_an_identifier_that_names_no_record_fails_the_whole_batch(answer: Any) -> None:
    assert first_failure(FOUR, answer) == 0


def split(batch: Batch, failed_at: int, policy: Policy) -> list[list[int]]:
    return [numbers(part.records) for part in after_failure(batch, failed_at, policy, NOON)]


def test_without_bisecting_all_from_the_checkpoint_on_is_delivered_again() -> None:
    assert split(Batch(FOUR), 0, Policy()) == [[9, 10, 11, 12]]
    assert split(Batch(FOUR), 2, Policy()) == [[11, 12]]


def test_bisecting_splits_a_failed_batch_in_two_halves() -> None:
    assert split(Batch(FOUR), 0, Policy(bisect=True)) == [[9, 10], [11, 12]]
    assert split(Batch(FOUR[:3]), 0, Policy(bisect=True)) == [[9, 10], [11]]


def test_bisecting_splits_a_partly_done_batch_at_the_checkpoint() -> None:
    assert split(Batch(FOUR), 1, Policy(bisect=True)) == [[10, 11, 12]]


def test_a_split_spends_no_retry_and_does_not_wait() -> None:
    for failed_at in (0, 1):
        for part in after_failure(Batch(FOUR), failed_at, Policy(bisect=True), NOON):
            assert (part.failures, part.invocations, part.not_before) == (0, 1, 0.0)


def test_a_batch_of_one_cannot_be_split_and_is_retried_later_and_later() -> None:
    waits = []
    (batch,) = (Batch(FOUR[:1]),)
    for _ in range(8):
        (batch,) = after_failure(batch, 0, Policy(bisect=True), NOON)
        waits.append(batch.not_before - NOON)
    assert batch.failures == 8
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 10, 10]


def next_batch(lane: Lane, now: float = NOON) -> list[int] | None:
    match lane.next(now):
        case Batch(records):
            return numbers(records)
        case AbandonedBatch():
            pytest.fail("given up")
    return None


def given_up(lane: Lane, now: float) -> tuple[str, list[int]]:
    found = lane.next(now)
    assert isinstance(found, AbandonedBatch)
    return found.reason, numbers(found.batch.records)


def lane_of(policy: Policy, *of: int) -> Lane:
    lane = Lane(policy)
    lane.add([record(number) for number in of], NOON)
    return lane


def test_a_batch_has_the_records_in_order_and_at_most_the_batch_size() -> None:
    lane = lane_of(Policy(batch_size=2), 1, 2, 3)
    assert next_batch(lane) == [1, 2]
    lane.finished()
    assert next_batch(lane) == [3]
    lane.finished()
    assert next_batch(lane) is None


def test_a_batch_stays_the_next_one_until_it_is_done() -> None:
    lane = lane_of(Policy(batch_size=2), 1, 2, 3)
    assert next_batch(lane) == [1, 2]
    lane.add([record(4)], NOON)
    assert next_batch(lane) == [1, 2]


def test_a_batch_is_no_larger_than_an_invocation_may_be() -> None:
    lane = Lane(Policy())
    lane.add([record(number, size=PAYLOAD_BYTES // 2) for number in (1, 2, 3)], NOON)
    assert next_batch(lane) == [1, 2]


def test_a_record_larger_than_an_invocation_may_be_goes_alone() -> None:
    lane = Lane(Policy())
    lane.add([record(1, size=PAYLOAD_BYTES + 1), record(2)], NOON)
    assert next_batch(lane) == [1]


def test_the_batching_window_waits_for_a_fuller_batch() -> None:
    lane = lane_of(Policy(batch_size=3, window=5), 1)
    assert next_batch(lane, NOON + 4.9) is None
    lane.add([record(2)], NOON + 4.9)
    assert next_batch(lane, NOON + 5) == [1, 2]


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    assert next_batch(lane_of(Policy(batch_size=2, window=5), 1, 2)) == [1, 2]


def test_the_next_window_begins_when_a_batch_is_taken() -> None:
    lane = lane_of(Policy(batch_size=2, window=5), 1, 2, 3)
    assert next_batch(lane, NOON + 1) == [1, 2]
    lane.finished()
    assert next_batch(lane, NOON + 5) is None
    assert next_batch(lane, NOON + 6) == [3]


def test_nothing_overtakes_a_failed_batch_while_it_waits_to_be_retried() -> None:
    lane = lane_of(Policy(batch_size=1), 1, 2)
    assert next_batch(lane) == [1]
    lane.failed(0, NOON)
    assert next_batch(lane, NOON + 0.2) is None
    assert next_batch(lane, NOON + 0.25) == [1]


def test_the_halves_of_a_batch_keep_their_order() -> None:
    lane = lane_of(Policy(bisect=True), 1, 2, 3, 4)
    next_batch(lane)
    lane.failed(0, NOON)
    assert next_batch(lane) == [1, 2]
    lane.finished()
    assert next_batch(lane) == [3, 4]


def test_a_batch_is_given_up_after_its_retries() -> None:
    lane = lane_of(Policy(max_retries=2), 1, 2)
    now = NOON
    for _ in range(3):
        assert next_batch(lane, now) == [1, 2]
        lane.failed(0, now)
        now += 60
    assert given_up(lane, now) == ("RetryAttemptsExhausted", [1, 2])


def test_without_retries_the_first_failure_is_the_last() -> None:
    lane = lane_of(Policy(max_retries=0), 1)
    next_batch(lane)
    lane.failed(0, NOON)
    assert given_up(lane, NOON) == ("RetryAttemptsExhausted", [1])


def test_without_a_limit_a_batch_is_retried_for_ever() -> None:
    lane = lane_of(Policy(), 1)
    for day in range(100):
        assert next_batch(lane, NOON + day * 86_400) == [1]
        lane.failed(0, NOON + day * 86_400)


def test_bisecting_isolates_a_bad_record_and_gives_up_it_alone() -> None:
    lane = lane_of(Policy(bisect=True, max_retries=1), *range(1, 9))
    delivered: list[int] = []
    lost: list[int] = []
    now = NOON
    while lane.waiting:
        match lane.next(now):
            case Batch(records) if 5 in numbers(records):
                lane.failed(0, now)
            case Batch(records):
                delivered += numbers(records)
                lane.finished()
            case AbandonedBatch(batch):
                lost += numbers(batch.records)
                lane.finished()
            case None:
                now += 1
    assert delivered == [1, 2, 3, 4, 6, 7, 8]
    assert lost == [5]


def test_records_that_are_too_old_are_given_up_and_younger_ones_are_not() -> None:
    lane = Lane(Policy(max_age=60))
    lane.add([record(1, NOON), record(2, NOON + 1), record(3, NOON + 30)], NOON + 61)
    assert given_up(lane, NOON + 61) == ("RecordAgeExceeded", [1, 2])
    lane.finished()
    assert next_batch(lane, NOON + 61) == [3]


def test_a_record_that_grows_too_old_between_retries_is_given_up() -> None:
    lane = lane_of(Policy(max_age=60), 1)
    assert next_batch(lane, NOON + 59) == [1]
    lane.failed(0, NOON + 59)
    assert given_up(lane, NOON + 60) == ("RecordAgeExceeded", [1])


def test_a_lane_shows_what_waits_and_since_when_the_first_was_created() -> None:
    lane = Lane(Policy(batch_size=2))
    assert (lane.waiting, lane.oldest) == (0, None)
    lane.add([record(1, NOON + 1), record(2, NOON + 2), record(3, NOON + 3)], NOON)
    assert (lane.waiting, lane.oldest) == (3, NOON + 1)
    next_batch(lane)
    lane.failed(1, NOON)
    assert (lane.waiting, lane.oldest) == (2, NOON + 2)
    lane.finished()
    assert (lane.waiting, lane.oldest) == (1, NOON + 3)
