"""Records that no hop can apply, through the function's entry: the good arrives, they are kept."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handler import app
from handler.app import MalformedEventError
from handler.model.image import VERSION
from local.data.item_size import item_size
from local.lambda_emulator.events import event_of
from tests.simulation.stream_json import as_json
from tests.support.lambda_functions import (
    KEY,
    NOTHING_FAILED,
    QUARANTINE,
    TABLE,
    Left,
    Ring,
    logged,
    ring_of_three,
)
from tests.support.store_backends import MOTO_LIMIT, answering, hearing
from tests.support.stream_records import NOON, numbered, record, version

UNREADABLE = record(0, NewImage={"k": {"S": "1"}, "v": {"S": 5}})
UNFIT = record(0, NewImage={"k": {"S": "1"}, "v": {"S": "x" * MOTO_LIMIT}})
UNDEFINED = record(0, NewImage={"k": {"S": "1"}, "v": {"N": "1E+200"}})


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        three.become(0)
        yield three


@pytest.mark.parametrize("poison", [UNREADABLE, UNFIT, UNDEFINED], ids=["shape", "size", "range"])
@pytest.mark.parametrize("place", [0, 2, 4], ids=["first", "in the middle", "last"])
def test_poison_is_quarantined_wherever_it_is_and_all_else_goes_on(
    ring: Ring, capsys: pytest.CaptureFixture[str], poison: dict[str, Any], place: int
) -> None:
    good = [record(0, key) for key in ("1", "2", "3", "4")]
    batch = numbered([*good[:place], poison, *good[place:]])
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert ring.keys(1) == ["1", "2", "3", "4"]
    assert [kept["record"] for kept in ring.quarantined()] == [batch[place]]
    assert logged(capsys, "batch")[0]["quarantined"] == 1


def test_a_batch_of_nothing_but_poison_is_quarantined_whole(ring: Ring) -> None:
    batch = numbered([UNREADABLE, UNFIT, UNDEFINED, UNREADABLE])
    for _ in range(2):  # also when it is delivered again
        assert ring.handle(event_of(batch)) == NOTHING_FAILED
        kept = [one["record"]["dynamodb"]["SequenceNumber"] for one in ring.quarantined()]
        assert sorted(kept) == ["1", "2", "3", "4"]
    assert {kept["reason"] for kept in ring.quarantined()} == {"unreadable", "too large", "refused"}


def test_an_item_that_just_fits_travels_and_one_byte_more_is_quarantined(ring: Ring) -> None:
    ring.members[0].put({**KEY, "v": {"S": "a"}})
    ring.hop(0)
    (copied,) = ring.members[1].client.scan(TableName=TABLE)["Items"]
    spare = MOTO_LIMIT - item_size(copied)
    for more, held in ((spare, []), (spare + 1, ["too large"])):
        ring.members[0].put({**KEY, "v": {"S": "a" * (1 + more)}})
        assert ring.hop(0) == NOTHING_FAILED
        assert [kept["reason"] for kept in ring.quarantined()] == held


def test_what_the_quarantine_refuses_is_kept_in_the_stream(ring: Ring) -> None:
    batch = numbered([record(0, "2"), UNREADABLE, record(0, "1")])
    ring.s3.delete_bucket(Bucket=QUARANTINE)
    answer = ring.handle(event_of(batch))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}]
    assert ring.keys(1) == ["2"]
    ring.s3.create_bucket(Bucket=QUARANTINE)
    assert ring.handle(event_of(batch)) == NOTHING_FAILED
    assert ring.keys(1) == ["1", "2"]
    assert [kept["record"] for kept in ring.quarantined()] == [batch[1]]


def test_a_quarantine_that_refuses_for_a_moment_is_asked_again(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = iter([answering("SlowDown"), answering("SlowDown"), None])
    bucket: Any = app._runtime().quarantine
    with hearing(bucket._client(), "before-call.s3", lambda **_: next(busy)):
        assert ring.handle(event_of(numbered([UNREADABLE]))) == NOTHING_FAILED
    assert len(ring.quarantined()) == 1
    (line,) = logged(capsys, "batch")
    assert (line["quarantined"], line["retries"]) == (1, 2)


def test_nothing_is_put_into_a_bucket_that_belongs_to_another_account(ring: Ring) -> None:
    asked: list[dict[str, Any]] = []
    bucket: Any = app._runtime().quarantine

    def listen(params: dict[str, Any], **_: Any) -> None:
        asked.append(dict(params))

    with hearing(bucket._client(), "provide-client-params.s3", listen):
        assert ring.handle(event_of(numbered([UNREADABLE]))) == NOTHING_FAILED
    assert [(one["Bucket"], one["ExpectedBucketOwner"]) for one in asked] == [
        (QUARANTINE, "123456789012")
    ]


def test_two_records_of_one_number_are_both_kept(ring: Ring) -> None:
    """A bucket outlives the stream in which a number is one record's alone."""
    other = record(0, "2", NewImage={"k": {"S": "2"}, "v": {"S": 5}})
    for poison in (UNREADABLE, other):
        assert ring.handle(event_of(numbered([poison]))) == NOTHING_FAILED
    assert len(ring.quarantined()) == 2


@pytest.mark.parametrize("number", ["+7", " 7 ", "1_000", 7], ids=repr)
def test_poison_is_kept_under_a_name_that_is_one_whatever_its_number(
    ring: Ring, number: object
) -> None:
    poison = {**UNREADABLE, "dynamodb": {**UNREADABLE["dynamodb"], "SequenceNumber": number}}
    assert ring.handle(event_of([poison])) == NOTHING_FAILED
    (kept,) = ring.s3.list_objects_v2(Bucket=QUARANTINE)["Contents"]
    assert re.fullmatch(r"quarantine/[0-9a-f]{16}\.json", kept["Key"])


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
STAMPED = as_json({"k": {"S": "1"}, VERSION: {"B": version(NOON, replica="aaaaaaaa")}})
WHOLE = record(7, OldImage=STAMPED, NewImage={**STAMPED, "v": {"L": [{"M": {"b": {"B": "AA=="}}}]}})


@st.composite
def damaged(draw: Callable[..., Any]) -> Any:
    """A good record in which some parts were replaced by anything, or taken out."""
    malformed = copy.deepcopy(WHOLE)
    for _ in range(draw(st.integers(1, 3))):
        part: Any = malformed
        while isinstance(part, dict) and part:
            name = draw(st.sampled_from(sorted(part)))
            if draw(st.integers(0, 2)) == 0 or not isinstance(part[name], dict):
                if draw(st.booleans()):
                    part[name] = draw(ANY_JSON)
                else:
                    del part[name]
                break
            part = part[name]
    return malformed


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
def test_whatever_comes_each_record_is_done_quarantined_or_given_back(
    ring: Ring, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    capsys.readouterr()
    try:
        answer = ring.handle(event, Left(60, tick=1))
    except MalformedEventError:
        assert not isinstance(event, dict) or not isinstance(event.get("Records"), list)
        return
    json.dumps(answer)
    *lines, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    stopped = {one["code"] for one in lines if one["event"] == "failure"}
    # The table's word about a key that it does not have, and nothing that went wrong here.
    assert stopped <= {"DeadlineExceededError", "ValidationException", "WrongStreamError"}
    done = sum(summary[name] for name in ("ignored", "replicated", "deletes", "laps", "refused"))
    assert done + summary["quarantined"] + summary["given_back"] == len(event["Records"])
    assert len(answer["batchItemFailures"]) == summary["given_back"]


def test_what_is_no_batch_is_rejected(ring: Ring) -> None:
    with pytest.raises(MalformedEventError, match="no `Records` list"):
        ring.handle({"detail-type": "Scheduled Event"})
