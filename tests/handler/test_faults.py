"""Faults, through the function's entry: afterwards the good is there, and the poison set aside."""

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handler import app
from handler.app import MalformedEventError
from handler.image import VERSION
from local.events import event_of
from tests.handler.benches import MOTO_LIMIT, hearing, make_table
from tests.handler.lambdas import KEY, QUARANTINE, TABLE, Left, Ring, ring_of_three
from tests.handler.size import size_of
from tests.handler.wire import NOON, record

NOTHING_FAILED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}
UNREADABLE = record(0, NewImage={"k": {"S": "1"}, "v": {"S": 5}})
UNFIT = record(0, NewImage={"k": {"S": "1"}, "v": {"S": "x" * MOTO_LIMIT}})
UNDEFINED = record(0, NewImage={"k": {"S": "1"}, "v": {"N": "1E+200"}})


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        three.become(0)
        yield three


def numbered(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records in their order, each with a number of its own."""
    told = [copy.deepcopy(one) for one in records]
    for number, one in enumerate(told, 1):
        one["dynamodb"]["SequenceNumber"] = str(number)
    return told


def logged(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == event]


def keys_at(ring: Ring, member: int) -> list[str]:
    return sorted(one["k"]["S"] for one in ring.members[member].items())


@pytest.mark.parametrize("poison", [UNREADABLE, UNFIT, UNDEFINED], ids=["shape", "size", "range"])
@pytest.mark.parametrize("place", [0, 2, 4], ids=["first", "in the middle", "last"])
def test_poison_is_set_aside_wherever_it_is_and_all_else_goes_on(
    ring: Ring, capsys: pytest.CaptureFixture[str], poison: dict[str, Any], place: int
) -> None:
    good = [record(0, key) for key in ("1", "2", "3", "4")]
    batch = numbered([*good[:place], poison, *good[place:]])
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert keys_at(ring, 1) == ["1", "2", "3", "4"]
    assert [kept["record"] for kept in ring.quarantined()] == [batch[place]]
    assert logged(capsys, "batch")[0]["quarantined"] == 1


def test_a_batch_of_nothing_but_poison_is_set_aside_whole(ring: Ring) -> None:
    batch = numbered([UNREADABLE, UNFIT, UNDEFINED, UNREADABLE])
    for _ in range(2):  # also when it is delivered again
        assert ring.handle(event_of(batch)) == NOTHING_FAILED
        kept = [one["record"]["dynamodb"]["SequenceNumber"] for one in ring.quarantined()]
        assert sorted(kept) == ["1", "2", "3", "4"]
    assert {kept["reason"] for kept in ring.quarantined()} == {"unreadable", "too large", "refused"}


def test_an_item_that_just_fits_travels_and_one_byte_more_is_set_aside(ring: Ring) -> None:
    ring.members[0].put({**KEY, "v": {"S": "a"}})
    ring.hop(0)
    (copied,) = ring.members[1].client.scan(TableName=TABLE)["Items"]
    spare = MOTO_LIMIT - size_of(copied)
    for more, held in ((spare, []), (spare + 1, ["too large"])):
        ring.members[0].put({**KEY, "v": {"S": "a" * (1 + more)}})
        assert ring.hop(0) == NOTHING_FAILED
        assert [kept["reason"] for kept in ring.quarantined()] == held


def test_a_hop_without_its_target_keeps_everything_sets_nothing_aside_and_says_so(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = numbered([record(0, key) for key in ("1", "2", "2")])
    ring.members[1].client.delete_table(TableName=TABLE)
    answer = ring.handle(event_of(batch))
    assert sorted(one["itemIdentifier"] for one in answer["batchItemFailures"]) == ["1", "2", "3"]
    assert ring.quarantined() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failure, told = lines
    assert (failure["kind"], failure["code"]) == ("fault", "ResourceNotFoundException")
    assert failure["keys"] == 2
    assert (told["failures"], told["faults"], told["given_back"]) == (2, 2, 3)
    make_table(ring.members[1].client, TABLE, KEY)
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert keys_at(ring, 1) == ["1", "2"]


def test_a_target_with_another_key_schema_empties_no_stream_into_the_quarantine(
    ring: Ring,
) -> None:
    ring.members[1].client.delete_table(TableName=TABLE)
    make_table(ring.members[1].client, TABLE, {"k": {"N": "1"}})
    answer = ring.handle(event_of(numbered([record(0, "1")])))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "1"}]
    assert ring.quarantined() == []


def test_what_the_quarantine_refuses_is_kept_in_the_stream(ring: Ring) -> None:
    batch = numbered([record(0, "2"), UNREADABLE, record(0, "1")])
    ring.s3.delete_bucket(Bucket=QUARANTINE)
    answer = ring.handle(event_of(batch))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}]
    assert keys_at(ring, 1) == ["2"]
    ring.s3.create_bucket(Bucket=QUARANTINE)
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert keys_at(ring, 1) == ["1", "2"]
    assert [kept["record"] for kept in ring.quarantined()] == [batch[1]]


def test_what_there_is_no_time_for_is_given_back_in_order_and_the_rest_is_done(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = numbered([record(0, str(number)) for number in range(40)])
    # Every look at the clock takes 4 seconds, and the last 9 are for what is under way.
    answer = ring.handle(event_of(batch), Left(60, tick=4))
    back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    done = {str(int(key) + 1) for key in keys_at(ring, 1)}
    assert back | done == {str(number) for number in range(1, 41)}
    assert back
    assert ring.quarantined() == []
    assert {one["code"] for one in logged(capsys, "failure")} == {"OutOfTimeError"}
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert len(keys_at(ring, 1)) == 40


def test_a_target_that_throttles_nine_calls_of_ten_gets_all_within_one_call(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pauses between the tries are taken for gone; see ``handler.patience`` for how long."""
    draws, batch = Random(0), numbered([record(0, str(number)) for number in range(20)])

    def throttle(**_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if draws.random() >= 0.9:
            return None
        code = "ProvisionedThroughputExceededException"
        return AWSResponse("", 400, HTTPHeaders(), None), {"Error": {"Code": code, "Message": ""}}

    client = app._function().there
    with hearing(client, "before-call.dynamodb", throttle):
        assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert len(keys_at(ring, 1)) == 20
    (told,) = logged(capsys, "batch")
    assert told["retries"] > 100
    assert (told["failures"], told["quarantined"]) == (0, 0)


class KilledError(BaseException):
    """The process ends here."""


def killing(ring: Ring, nth: int, moment: str) -> Any:
    """Let a function die at the nth of its calls, before or after it took effect."""
    calls = 0

    def kill(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise KilledError

    client = app._function().there
    return hearing(client, f"{moment}.dynamodb", kill)


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_function_that_dies_at_any_of_its_calls_leaves_nothing_undone(
    ring: Ring, moment: str
) -> None:
    """Of a put, an update, a delete and another put of one key, each call, one after the other."""
    ring.members[0].put({**KEY, "v": {"S": "a"}})
    ring.members[0].put({**KEY, "v": {"S": "b"}})
    ring.members[0].client.delete_item(TableName=TABLE, Key=KEY)
    ring.members[0].put({**KEY, "v": {"S": "c"}})
    event = event_of(ring.members[0].new_records())
    deaths = 0
    for nth in range(1, 100):
        try:
            with killing(ring, nth, moment):
                assert ring.handle(event) == NOTHING_FAILED
            break
        except KilledError:
            deaths += 1
            assert ring.handle(event) == NOTHING_FAILED
            assert ring.members[1].items() == [{**KEY, "v": {"S": "c"}}]
    assert deaths >= 4
    for member in (1, 2, 0):
        ring.hop(member)
    assert [member.items() for member in ring.members] == [[{**KEY, "v": {"S": "c"}}]] * 3
    assert ring.quarantined() == []


def test_a_stream_that_is_read_again_from_its_beginning_changes_nothing(ring: Ring) -> None:
    events = []
    for value, number in (("a", "1"), ("b", "2"), ("c", "1")):
        ring.members[0].put({"k": {"S": number}, "v": {"S": value}})
    ring.members[0].client.delete_item(TableName=TABLE, Key={"k": {"S": "2"}})
    records = [*ring.members[0].new_records(), *numbered([UNFIT])]
    for _ in range(3):
        events.append(ring.handle(event_of(records)))
        for source in (1, 2, 0):
            ring.hop(source)
        ring.become(0)
    assert events == [NOTHING_FAILED] * 3
    assert [member.items() for member in ring.members] == [[{**KEY, "v": {"S": "c"}}]] * 3
    assert len(ring.quarantined()) == 1


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
STAMPED = {"k": {"S": "1"}, VERSION: {"S": f"{NOON}-000000-aaaaaaaa-{7:040d}-{'0' * 16}"}}
WHOLE = record(7, OldImage=STAMPED, NewImage={**STAMPED, "v": {"L": [{"M": {"b": {"B": "AA=="}}}]}})


@st.composite
def damaged(draw: Callable[..., Any]) -> Any:
    """A good record in which some parts were replaced by anything, or taken out."""
    told = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        part: Any = told
        while isinstance(part, dict) and part:
            name = draw(st.sampled_from(sorted(part)))
            if draw(st.integers(0, 2)) == 0 or not isinstance(part[name], dict):
                if draw(st.booleans()):
                    part[name] = draw(ANY_JSON)
                else:
                    del part[name]
                break
            part = part[name]
    return told


EVENTS = ANY_JSON | st.fixed_dictionaries(
    {"Records": st.lists(damaged() | ANY_JSON, max_size=4) | ANY_JSON}
)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(event=EVENTS)
def test_whatever_comes_each_record_is_done_set_aside_or_given_back(
    ring: Ring, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    capsys.readouterr()
    try:
        answer = ring.handle(event, Left(60, tick=1))
    except MalformedEventError:
        assert not isinstance(event, dict) or not isinstance(event.get("Records"), list)
        return
    json.dumps(answer)
    (told,) = logged(capsys, "batch")
    done = sum(told[name] for name in ("ignored", "replicated", "deletes", "laps", "refused"))
    assert done + told["quarantined"] + told["given_back"] == len(event["Records"])
    assert len(answer["batchItemFailures"]) == told["given_back"]


def test_what_is_no_batch_is_told(ring: Ring) -> None:
    with pytest.raises(MalformedEventError, match="no list of Records"):
        ring.handle({"detail-type": "Scheduled Event"})
