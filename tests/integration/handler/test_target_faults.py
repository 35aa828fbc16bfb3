"""A target that fails, and a function that is stopped: nothing is lost or quarantined."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from handler import app
from handler.aws.clients import CALL_SECONDS
from local.lambda_emulator.events import event_of
from tests.support.lambda_functions import (
    KEY,
    NOTHING_FAILED,
    TABLE,
    Left,
    Ring,
    logged,
    ring_of_three,
)
from tests.support.store_backends import MOTO_LIMIT, answering, hearing, make_table
from tests.support.stream_records import numbered, record, stamped

KEYS = [str(number) for number in range(8)]


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        three.become(0)
        yield three


def item(key: str, value: str) -> dict[str, Any]:
    return {"k": {"S": key}, "v": {"S": value}}


def live(ring: Ring, *keys: str) -> list[Any]:
    """The records of a life of each key, in which a hop makes every call that it can make.

    An item is inserted, edited, deleted and put again; of two others, one is deleted for good, and
    one meets a newer one.
    """
    member = ring.members[0]
    for key in keys:
        member.put(item(key, "a"))
        member.put(item(key, "b"))
        member.client.delete_item(TableName=TABLE, Key={"k": {"S": key}})
        member.put(item(key, "c"))
        member.put(item(f"{key}-gone", "a"))
        member.client.delete_item(TableName=TABLE, Key={"k": {"S": f"{key}-gone"}})
        newer = stamped(item(f"{key}-met", "newer"), 9_000_000_000, replica="dddddddd")
        ring.members[1].put(newer)
        member.put(item(f"{key}-met", "older"))
    ring.become(0)
    return ring.members[0].new_records()


def all_hold(ring: Ring, *keys: str) -> None:
    """Check that all members hold what the records of ``live`` come to."""
    ring.go_round()
    both = [(item(key, "c"), item(f"{key}-met", "newer")) for key in keys]
    assert ring.equal() == [one for pair in both for one in pair]


def clients() -> list[Any]:
    """All of a function's clients: of the source, of the target and of its quarantine."""
    function: Any = app._runtime()
    return [function.source_api, function.target_api, function.quarantine._client()]


LOST = {
    "before-call": EndpointConnectionError(endpoint_url="https://there"),
    "after-call": ConnectionClosedError(endpoint_url="https://there"),
}
"""A call that never arrives, and one that takes effect and whose answer is lost."""


@pytest.mark.parametrize(
    "moment", [pytest.param("before-call", marks=pytest.mark.long), "after-call"]
)
def test_a_target_that_answers_nothing_for_long_has_all_when_it_is_back(
    ring: Ring, capsys: pytest.CaptureFixture[str], moment: str
) -> None:
    def answer_nothing(**_: Any) -> None:
        raise LOST[moment]

    records = live(ring, *KEYS)
    numbers = {one["dynamodb"]["SequenceNumber"] for one in records}
    with hearing(app._runtime().target_api, f"{moment}.dynamodb", answer_nothing):
        for _ in range(3):
            answer = ring.handle(event_of(records), Left(60, tick=0.5))
            assert {one["itemIdentifier"] for one in answer["batchItemFailures"]} == numbers
    failures, batches = read(capsys)
    assert {failure["kind"] for failure in failures} == {"transient"}
    assert len(failures) <= 3 * 2  # not one for each key
    assert [one["failures"] for one in batches] == [3 * len(KEYS)] * 3
    assert {(one["faults"], one["quarantined"]) for one in batches} == {(0, 0)}
    assert all(one["retries"] > 0 for one in batches)
    assert ring.handle(event_of(records)) == NOTHING_FAILED
    all_hold(ring, *KEYS)
    assert ring.quarantined() == []


def read(capsys: pytest.CaptureFixture[str]) -> tuple[list[Any], list[Any]]:
    """The lines of failures and of batches since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failures, batches = (
        [one for one in lines if one["event"] == event] for event in ("failure", "batch")
    )
    return failures, batches


@pytest.mark.long
def test_a_target_that_throttles_nine_calls_of_ten_gets_all_within_one_call(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tries are real; the pauses between them take no time."""
    draws, records = Random(0), live(ring, *KEYS)

    def throttle(**_: Any) -> Any:
        return answering("ThrottlingException") if draws.random() < 0.9 else None

    with hearing(app._runtime().target_api, "before-call.dynamodb", throttle):
        assert ring.handle(event_of(records)) == NOTHING_FAILED
    (summary,) = logged(capsys, "batch")
    assert summary["retries"] > 100
    assert (summary["failures"], summary["quarantined"]) == (0, 0)
    all_hold(ring, *KEYS)


class KilledError(BaseException):
    """The process ends here."""


@contextmanager
def killing(nth: int, moment: str) -> Iterator[None]:
    """Let the function die at the nth of its calls, before or after it took effect."""
    calls = count(1)

    def kill(**_: Any) -> None:
        if next(calls) == nth:
            raise KilledError

    with ExitStack() as stopping:
        for client in clients():
            stopping.enter_context(hearing(client, moment, kill))
        yield


@pytest.mark.long
@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_function_that_dies_at_any_of_its_calls_leaves_nothing_undone(
    ring: Ring, moment: str
) -> None:
    """Each call of a batch of its own, the one that quarantines poison among them."""
    poison = record(10**20, NewImage={"k": {"S": "1"}, "v": {"S": "x" * MOTO_LIMIT}})
    done = []
    for nth in count(1):
        done.append(f"{nth:02}")
        event = event_of([*live(ring, done[-1]), poison])
        try:
            with killing(nth, moment):
                assert ring.handle(event) == NOTHING_FAILED
            break
        except KilledError:
            assert ring.handle(event) == NOTHING_FAILED
    assert nth > 15
    all_hold(ring, *done)
    assert [kept["record"] for kept in ring.quarantined()] == [poison]


def test_what_comes_twice_is_done_once(ring: Ring, capsys: pytest.CaptureFixture[str]) -> None:
    poison = record(10**20, NewImage={"k": {"S": "1"}, "v": {"S": 5}})
    records = [*live(ring, *KEYS), poison]
    for event in ([*records, *records], records):
        assert ring.handle(event_of(event)) == NOTHING_FAILED
    all_hold(ring, *KEYS)
    assert [kept["record"] for kept in ring.quarantined()] == [poison]


def test_mappings_that_start_over_from_trim_horizon_change_nothing(ring: Ring) -> None:
    for key in KEYS:
        ring.members[0].put(item(key, "a"))
    ring.go_round()
    for member, key in zip((0, 1, 2), KEYS, strict=False):
        ring.members[member].put(item(key, f"edited at {member}"))
        ring.members[member].client.delete_item(TableName=TABLE, Key={"k": {"S": f"{member + 3}"}})
    ring.go_round()
    before = ring.equal()
    assert len(before) == 5
    ring.calls.writes.clear()
    for _ in range(3):
        for one in ring.members:
            one.start_over()
        ring.go_round()
        assert ring.equal() == before


def test_a_hop_without_its_target_keeps_everything_quarantines_nothing_and_says_so(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = numbered([record(0, key) for key in ("1", "2", "2")])
    ring.members[1].client.delete_table(TableName=TABLE)
    answer = ring.handle(event_of(batch))
    assert sorted(one["itemIdentifier"] for one in answer["batchItemFailures"]) == ["1", "2", "3"]
    assert ring.quarantined() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failure, summary = lines
    assert (failure["kind"], failure["code"]) == ("fault", "ResourceNotFoundException")
    assert failure["keys"] == 2
    assert (summary["failures"], summary["faults"], summary["given_back"]) == (2, 2, 3)
    make_table(ring.members[1].client, TABLE, KEY)
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert ring.keys(1) == ["1", "2"]


def test_a_target_with_another_key_schema_empties_no_stream_into_the_quarantine(
    ring: Ring,
) -> None:
    ring.members[1].client.delete_table(TableName=TABLE)
    make_table(ring.members[1].client, TABLE, {"k": {"N": "1"}})
    answer = ring.handle(event_of(numbered([record(0, "1")])))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "1"}]
    assert ring.quarantined() == []


def test_what_there_is_no_time_for_is_given_back_in_order_and_the_rest_is_done(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = numbered([record(0, str(number)) for number in range(40)])
    answer = ring.handle(
        event_of(batch), Left(60, tick=1)
    )  # every look at the clock takes a second
    back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    done = {str(int(key) + 1) for key in ring.keys(1)}
    assert back | done == {str(number) for number in range(1, 41)}
    assert back
    assert done
    assert ring.quarantined() == []
    failures, (summary,) = read(capsys)
    assert {(one["kind"], one["code"]) for one in failures} == {
        ("transient", "DeadlineExceededError")
    }
    assert (summary["faults"], summary["given_back"]) == (0, len(back))
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert len(ring.keys(1)) == 40


@pytest.mark.parametrize(("seconds", "calls"), [(CALL_SECONDS + 1.9, 0), (CALL_SECONDS + 2.1, 2)])
def test_no_call_begins_that_may_not_end_before_the_function_is_stopped(
    ring: Ring, capsys: pytest.CaptureFixture[str], seconds: float, calls: int
) -> None:
    looks = iter([60.0])

    class Late(Left):
        def get_remaining_time_in_millis(self) -> int:
            return int(1000 * next(looks, seconds))

    ring.handle(event_of(numbered([record(0)])), Late())
    (summary,) = logged(capsys, "batch")
    assert summary["calls"] == calls
    assert (summary["replicated"], summary["given_back"]) == ((1, 0) if calls else (0, 1))
