"""Stream records from a Lambda event become Changes or are reported as unreadable."""

import base64
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler.model.records import Change, UnreadableRecordError, read_change
from tests.support.stream_records import NOON, record, without

BYTES = bytes(range(256))


def encoded(binary: bytes) -> str:
    return base64.b64encode(binary).decode()


def read_value(value: dict[str, Any]) -> Any:
    change = read_change(record(1, NewImage={"k": {"S": "1"}, "v": value}))
    assert change.new is not None
    return change.new.item["v"]


def test_a_record_has_key_images_place_and_time() -> None:
    old, new = {"k": {"S": "1"}, "v": {"N": "1"}}, {"k": {"S": "1"}, "v": {"N": "2"}}
    change = read_change(record(9, OldImage=old, NewImage=new))
    assert change.key == {"k": {"S": "1"}}
    assert change.old is not None
    assert change.new is not None
    assert (change.old.item, change.new.item) == (old, new)
    assert (change.sequence, change.seconds, change.expired) == (9, NOON, False)


def test_an_insert_has_no_old_image_and_a_delete_no_new_one() -> None:
    insert = record(1)
    assert read_change(insert).old is None
    delete = record(2, OldImage=insert["dynamodb"]["NewImage"])
    assert read_change(without(delete, "dynamodb", "NewImage")).new is None


def test_a_sequence_number_of_forty_digits_keeps_them_all() -> None:
    assert read_change(record(10**40 - 1)).sequence == 10**40 - 1


@pytest.mark.parametrize("time", [NOON, float(NOON), NOON + 0.999, str(NOON)])
def test_a_time_is_cut_to_whole_seconds(time: object) -> None:
    assert read_change(record(1, ApproximateCreationDateTime=time)).seconds == NOON


def test_a_binary_is_decoded_once() -> None:
    assert read_value({"B": encoded(BYTES)}) == {"B": BYTES}


def test_a_binary_whose_bytes_are_base64_themselves_is_decoded_once() -> None:
    assert read_value({"B": encoded(b"aGVsbG8=")}) == {"B": b"aGVsbG8="}


def test_an_empty_binary_stays_empty() -> None:
    assert read_value({"B": ""}) == {"B": b""}


def test_the_members_of_a_binary_set_are_decoded() -> None:
    assert read_value({"BS": [encoded(b"a"), encoded(BYTES)]}) == {"BS": [b"a", BYTES]}


def test_binaries_are_decoded_however_deep_they_stand() -> None:
    wire = {"M": {"a": {"L": [{"NULL": True}, {"M": {"b": {"B": encoded(BYTES)}}}]}}}
    item = {"M": {"a": {"L": [{"NULL": True}, {"M": {"b": {"B": BYTES}}}]}}}
    assert read_value(wire) == item


def test_binary_keys_and_old_images_are_decoded() -> None:
    wire = {"k": {"B": encoded(BYTES)}}
    change = read_change(record(1, Keys=wire, OldImage=wire, NewImage=wire))
    assert change.old is not None
    assert (change.key, change.old.item) == ({"k": {"B": BYTES}}, {"k": {"B": BYTES}})


@pytest.mark.parametrize(
    "value",
    [
        {"S": encoded(b"only looks like it")},
        {"S": ""},
        {"N": "12345678901234567890123456789012345678"},
        {"NS": ["1", "-2.5E-7"]},
        {"SS": [encoded(b"so does this")]},
        {"BOOL": False},
        {"NULL": True},
        {"L": []},
        {"M": {}},
    ],
)
def test_everything_else_is_left_as_it_came(value: dict[str, Any]) -> None:
    assert read_value(value) == value


@pytest.mark.parametrize(
    ("identity", "expired"),
    [
        ({"type": "Service", "principalId": "dynamodb.amazonaws.com"}, True),
        ({"type": "Service", "principalId": "other.amazonaws.com"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_an_expiry_is_recognized_by_who_deleted_the_item(identity: object, expired: bool) -> None:
    assert read_change({**record(1), "userIdentity": identity}).expired is expired


def malformed() -> dict[str, object]:
    good = record(1)
    return {
        "no mapping": ["dynamodb"],
        "nothing": None,
        "a text": "dynamodb",
        "empty": {},
        "no stream part": without(good, "dynamodb"),
        "a stream part that is none": {**good, "dynamodb": None},
        "a stream part that is a text": {**good, "dynamodb": "Keys"},
        "no keys": without(good, "dynamodb", "Keys"),
        "keys that are none": record(1, Keys=None),
        "keys in a list": record(1, Keys=[{"k": {"S": "1"}}]),
        "no number": without(good, "dynamodb", "SequenceNumber"),
        "a number that is none": record(1, SequenceNumber="first"),
        "a number that is missing": record(1, SequenceNumber=None),
        "no time": without(good, "dynamodb", "ApproximateCreationDateTime"),
        "a time as text": record(1, ApproximateCreationDateTime="2024-01-01T00:00:00Z"),
        "a time that is no number": record(1, ApproximateCreationDateTime=math.nan),
        "neither image": without(good, "dynamodb", "NewImage"),
        "an image that is a text": record(1, NewImage="item"),
        "an image of bare values": record(1, NewImage={"k": "1"}),
        "a value of two kinds": record(1, NewImage={"k": {"S": "1", "N": "1"}}),
        "a value of no kind": record(1, NewImage={"k": {}}),
        "binary that is no base64": record(1, NewImage={"k": {"B": "?!"}}),
        "binary with its padding lost": record(1, NewImage={"k": {"B": "YQ"}}),
        "binary beyond ASCII": record(1, NewImage={"k": {"B": "é"}}),
        "binary that is a number": record(1, NewImage={"k": {"B": 5}}),
        "a binary set of numbers": record(1, NewImage={"k": {"BS": [5]}}),
        "a map that is a list": record(1, NewImage={"k": {"M": []}}),
        "a list that is a number": record(1, NewImage={"k": {"L": 5}}),
        "a list of bare values": record(1, NewImage={"k": {"L": ["a"]}}),
        "an identity that is a text": {**good, "userIdentity": "dynamodb.amazonaws.com"},
    }


@pytest.mark.parametrize("shape", malformed())
def test_a_malformed_record_is_reported_as_unreadable(shape: str) -> None:
    wrong: Any = malformed()[shape]
    with pytest.raises(UnreadableRecordError):
        read_change(wrong)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UnreadableRecordError, match="SequenceNumber"):
        read_change(without(record(1), "dynamodb", "SequenceNumber"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**45), 10**45) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["S", "N", "B", "BS", "M", "L", "k"]) | st.text(max_size=3),
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)
WHOLE = record(1, OldImage={"k": {"B": "YQ=="}})
PARTS = {name: JSON | st.just(part) for name, part in WHOLE["dynamodb"].items()}
RECORDS = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"dynamodb": JSON | st.fixed_dictionaries({}, optional=PARTS)}
    ),
    st.builds(lambda part, value: record(1, **{part: value}), st.sampled_from(list(PARTS)), JSON),
)


def is_change_or_unreadable(value: Any) -> bool:
    try:
        return isinstance(read_change(value), Change)
    except UnreadableRecordError:
        return True


@given(JSON | RECORDS, JSON)
def test_whatever_comes_is_a_change_or_unreadable(value: Any, identity: Any) -> None:
    assert is_change_or_unreadable(value)
    if isinstance(value, dict):
        assert is_change_or_unreadable({**value, "userIdentity": identity})


@given(st.floats() | st.integers())
@example(math.inf)
def test_whatever_number_comes_for_place_or_time_is_one_or_unreadable(number: float) -> None:
    assert is_change_or_unreadable(record(1, SequenceNumber=number))
    assert is_change_or_unreadable(record(1, ApproximateCreationDateTime=number))


def test_a_time_without_end_is_unreadable() -> None:
    with pytest.raises(UnreadableRecordError):
        read_change(record(1, ApproximateCreationDateTime=math.inf))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ApproximateCreationDateTime": 1_700_000_000_000},
        {"ApproximateCreationDateTime": -1},
        {"SequenceNumber": "-5"},
        {"SequenceNumber": "1" * 41},
    ],
)
def test_a_number_that_does_not_fit_into_a_version_is_unreadable(wrong: dict[str, Any]) -> None:
    """Its version would count as none, and the write would go around for ever."""
    with pytest.raises(UnreadableRecordError, match="digits"):
        read_change(record(1, **wrong))
