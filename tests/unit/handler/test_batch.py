"""A batch: in order within a key, concurrently across keys, and a failure stops only its key."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from handler.batch import WHOLE_BATCH, Failure
from handler.errors import FailureKind
from handler.store.dynamodb import ItemTooLargeError
from tests.support.fakes import EmptyStore, ListQuarantine, work
from tests.support.stream_records import record


class ThrottledError(Exception):
    """The target did not take the item, this time."""


def failing(key: str, error: Exception, at: int = 1) -> Callable[[str], Awaitable[None]]:
    """Fail the nth put of a key."""
    seen = 0

    async def meet(name: str) -> None:
        nonlocal seen
        if name == key:
            seen += 1
            if seen == at:
                raise error

    return meet


def written(store: EmptyStore, key: str) -> list[str]:
    return [value for name, value in store.puts if name == key]


def test_records_of_one_key_are_worked_on_in_order_and_one_at_a_time() -> None:
    async def dawdle(key: str) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    store = EmptyStore(dawdle)
    work([record(number, "a") for number in range(1, 5)], store)
    assert written(store, "a") == [f"written by {number}" for number in range(1, 5)]
    assert store.most_at_once["a"] == 1


def test_records_of_two_keys_are_in_flight_at_the_same_time() -> None:
    both_there = asyncio.Barrier(2)

    async def wait_for_the_other(_: str) -> None:
        await both_there.wait()

    store = EmptyStore(wait_for_the_other)
    assert work([record(1, "a"), record(2, "b")], store).failures == []


def test_a_key_that_waits_holds_up_no_other_key() -> None:
    b_is_done = asyncio.Event()

    async def a_waits_for_the_last_of_b(key: str) -> None:
        if key == "a":
            await b_is_done.wait()
        elif written(store, "b")[-1] == "written by 4":
            b_is_done.set()

    store = EmptyStore(a_waits_for_the_last_of_b)
    records = [record(1, "a"), record(2, "b"), record(3, "b"), record(4, "b")]
    assert work(records, store).failures == []


def test_keys_that_name_their_parts_in_another_order_are_one_key() -> None:
    forwards = {"k": {"S": "a"}, "s": {"N": "1"}}
    backwards = {"s": {"N": "1"}, "k": {"S": "a"}}
    store = EmptyStore(failing("a", ThrottledError()))
    records = [
        record(number, Keys=keys, NewImage={**keys, "v": {"S": "a"}})
        for number, keys in enumerate((forwards, backwards), 1)
    ]
    report = work(records, store)
    assert report.unprocessed == ["1", "2"]


def test_a_batch_without_failures_names_nothing() -> None:
    report = work([record(1, "a"), record(2, "b")], EmptyStore())
    assert report.response() == {"batchItemFailures": []}
    assert report.counts == {"replicated": 2}


def test_an_empty_batch_is_no_failure() -> None:
    assert work([], EmptyStore()).response() == {"batchItemFailures": []}


def test_a_failure_stops_its_own_key_and_no_other() -> None:
    store = EmptyStore(failing("a", ThrottledError(), at=2))
    work([record(1, "a"), record(2, "a"), record(3, "b"), record(4, "a"), record(5, "b")], store)
    assert written(store, "a") == ["written by 1", "written by 2"]
    assert written(store, "b") == ["written by 3", "written by 5"]


def test_the_response_names_the_record_that_failed_and_those_of_its_key_after_it() -> None:
    store = EmptyStore(failing("a", ThrottledError(), at=2))
    records = [record(1, "a"), record(2, "a"), record(3, "b"), record(4, "a"), record(5, "b")]
    assert work(records, store).response() == {
        "batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "4"}]
    }


def test_a_failure_after_writes_that_were_sent_as_one_gives_none_of_these_back() -> None:
    first = record(1, "a")
    edit = record(2, "a", OldImage=first["dynamodb"]["NewImage"])
    records = [first, edit, record(3, "a"), record(4, "a")]
    store = EmptyStore(failing("a", ThrottledError(), at=2))
    report = work(records, store)
    assert written(store, "a") == ["written by 2", "written by 3"]
    assert report.unprocessed == ["3", "4"]


def test_the_report_says_where_each_key_stopped_and_why() -> None:
    error = ThrottledError("slow down")
    report = work([record(7, "a"), record(8, "a")], EmptyStore(failing("a", error)))
    assert report.failures == [Failure("7", error, FailureKind.FAULT)]


def test_an_unreadable_record_is_quarantined_whole_and_its_key_goes_on() -> None:
    unreadable = record(1, "a", NewImage={"k": {"S": "a"}, "v": {"S": 5}})
    quarantine, store = ListQuarantine(), EmptyStore()
    report = work([unreadable, record(2, "a")], store, quarantine)
    (kept,) = quarantine.kept
    assert kept.record == unreadable
    assert kept.reason == "unreadable"
    assert kept.error.startswith("UnreadableRecordError: ValueError: a value of the type 'S'")
    assert written(store, "a") == ["written by 2"]
    assert report.response() == {"batchItemFailures": []}


def test_an_item_that_is_too_large_is_quarantined_and_its_key_goes_on() -> None:
    quarantine = ListQuarantine()
    store = EmptyStore(failing("a", ItemTooLargeError("over 400 KB")))
    report = work([record(1, "a"), record(2, "a")], store, quarantine)
    assert [kept.reason for kept in quarantine.kept] == ["too large"]
    assert written(store, "a") == ["written by 1", "written by 2"]
    assert report.quarantined == quarantine.kept
    assert report.response() == {"batchItemFailures": []}


def test_a_record_that_cannot_be_quarantined_is_given_back_with_the_rest_of_its_key() -> None:
    full = OSError("the quarantine is closed")
    store = EmptyStore(failing("a", ItemTooLargeError("over 400 KB")))
    report = work([record(1, "a"), record(2, "a"), record(3, "b")], store, ListQuarantine(full))
    assert report.unprocessed == ["1", "2"]
    assert report.failures == [Failure("1", full, FailureKind.TRANSIENT)]
    assert report.quarantined == []
    assert written(store, "b") == ["written by 3"]


@pytest.mark.parametrize("number", [None, "", 5])
def test_a_failure_that_cannot_be_named_gives_the_whole_batch_back(number: object) -> None:
    nameless = record(1, "a", SequenceNumber=number)
    report = work([nameless], EmptyStore(failing("a", ThrottledError())), ListQuarantine(OSError()))
    assert report.response() == {"batchItemFailures": [{"itemIdentifier": ""}]}
    assert [failure.record for failure in report.failures] == [WHOLE_BATCH]


def test_a_record_that_cannot_be_named_and_waits_behind_a_failure_gives_the_batch_back() -> None:
    nameless = record(2, "a", SequenceNumber=2)
    report = work([record(1, "a"), nameless], EmptyStore(failing("a", ThrottledError())))
    assert "" in report.unprocessed
    assert [failure.record for failure in report.failures] == ["1"]


def test_a_record_that_cannot_be_named_and_can_be_quarantined_fails_nothing() -> None:
    quarantine = ListQuarantine()
    nameless = record(1, "a", SequenceNumber=1, NewImage={"k": {"S": "a"}, "v": {"S": 5}})
    report = work([nameless], EmptyStore(), quarantine)
    assert [kept.record for kept in quarantine.kept] == [nameless]
    assert report.unprocessed == []
