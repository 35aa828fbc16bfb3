"""A stream that is not the hop's, or lacks an image, is the hop's fault: nothing leaves it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handler.envelope import WrongStreamError, check_records
from handler.errors import FailureKind
from handler.protocol.decide import ReplicaId
from local.lambda_emulator.events import event_of
from tests.support.fakes import EmptyStore, ListQuarantine, work
from tests.support.lambda_functions import KEY, NOTHING_FAILED, TABLE, Ring, logged, ring_of_three
from tests.support.stream_records import NOON, STREAM, record, without

VIEWS = ("OLD_IMAGE", "NEW_IMAGE", "KEYS_ONLY")
HERE = ReplicaId("aaaaaaaa", "us-east-1", "orders")
ITEM = {**KEY, "v": {"S": "before"}}
OTHER = {"k": {"S": "1"}, "v": {"S": "other"}}


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        three.become(0)
        yield three


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("change", ["insert", "update", "delete"])
def test_a_stream_of_another_view_type_changes_nothing_and_keeps_all(
    ring: Ring, capsys: pytest.CaptureFixture[str], view: str, change: str
) -> None:
    if change != "insert":
        ring.members[0].put(ITEM)
        assert ring.hop(0) == NOTHING_FAILED
    before = ring.members[1].items()
    ring.members[0].change_view(view)
    apply(ring.members[0].client, change)
    records = ring.members[0].new_records()
    capsys.readouterr()
    assert ring.handle(event_of(records)) == {"batchItemFailures": [{"itemIdentifier": ""}]}
    assert (ring.members[1].items(), ring.quarantined()) == (before, [])
    (failure,) = logged(capsys, "failure")
    assert (failure["kind"], failure["code"]) == ("fault", "WrongStreamError")
    for words in (view, "NEW_AND_OLD_IMAGES", "disable the table's stream", "`up`"):
        assert words in failure["error"]


def apply(client: Any, change: str) -> None:
    match change:
        case "insert":
            client.put_item(TableName=TABLE, Item=ITEM)
        case "update":
            client.update_item(
                TableName=TABLE,
                Key=KEY,
                UpdateExpression="SET v = :v",
                ExpressionAttributeValues={":v": {"S": "after"}},
            )
        case _:
            client.delete_item(TableName=TABLE, Key=KEY)


def changed(**parts: Any) -> dict[str, Any]:
    return {**record(2), **parts}


def wrong() -> dict[str, tuple[Any, str]]:
    """Records that only a misconfigured hop receives, and a word of the error for each."""
    return {
        "no mapping": (["dynamodb"], "not from a DynamoDB stream"),
        "nothing": (None, "not from a DynamoDB stream"),
        "no stream part": (without(record(2), "dynamodb"), "not from a DynamoDB stream"),
        "a stream part that is none": (changed(dynamodb="Keys"), "not from a DynamoDB stream"),
        "of Kinesis": (changed(eventSource="aws:kinesis"), "not from a DynamoDB stream"),
        "of another table": (changed(eventSourceARN=STREAM.replace("orders", "carts")), "carts"),
        "of another region": (changed(eventSourceARN=STREAM.replace("east", "west")), "us-west-1"),
        "of no stream": (changed(eventSourceARN="arn:aws:dynamodb:us-east-1"), "no stream's ARN"),
        "without an ARN": (without(record(2), "eventSourceARN"), "None, which is no stream's ARN"),
        "of no view type": (without(record(2), "dynamodb", "StreamViewType"), "view type None"),
        "of no event": (without(record(2), "eventName"), "eventName is None"),
        "of another event": (changed(eventName="UPSERT"), "eventName is 'UPSERT'"),
        "an event in a list": (changed(eventName=["INSERT"]), "eventName is ['INSERT']"),
        "an insert without image": (images("INSERT"), "has NewImage, and it has no image"),
        "an insert with both": (images("INSERT", "OldImage", "NewImage"), "and it has OldImage"),
        "an insert of an old one": (images("INSERT", "OldImage"), "and it has OldImage"),
        "a modify without old": (images("MODIFY", "NewImage"), "and it has NewImage"),
        "a modify without new": (images("MODIFY", "OldImage"), "OldImage and NewImage, and"),
        "a remove with new": (images("REMOVE", "NewImage"), "has OldImage, and it has NewImage"),
        "a remove with both": (images("REMOVE", "OldImage", "NewImage"), "it has OldImage and New"),
        "no keys": (without(record(2), "dynamodb", "Keys"), "no Keys"),
        "empty keys": (record(2, Keys={}), "no Keys"),
        "no number": (without(record(2), "dynamodb", "SequenceNumber"), "SequenceNumber is None"),
        "a number that is none": (record(2, SequenceNumber="first"), "'first', not a number"),
        "a long number": (record(2, SequenceNumber="1" * 41), "40 digits"),
        "a negative number": (record(2, SequenceNumber="-5"), "40 digits"),
        "no time": (without(record(2), "dynamodb", "ApproximateCreationDateTime"), "is None"),
        "a time in milliseconds": (at(NOON * 1000), "milliseconds are too long"),
        "a time in microseconds": (at(NOON * 10**6), "milliseconds are too long"),
        "a time before all": (at(-1), "-1, not a number"),
        "a time as text": (at("2024-01-01T00:00:00Z"), "not a number of up to 10 digits"),
        "a time without end": (at(float("inf")), "inf, not a number"),
    }


def images(event: str, *names: str) -> dict[str, Any]:
    given: dict[str, Any] = {"OldImage": None, "NewImage": None, **dict.fromkeys(names, OTHER)}
    return {**record(2, **given), "eventName": event}


def at(time: object) -> dict[str, Any]:
    return record(2, ApproximateCreationDateTime=time)


@pytest.mark.parametrize("case", wrong())
def test_what_is_wrong_with_the_hop_keeps_the_whole_batch_and_is_logged(case: str) -> None:
    given, words = wrong()[case]
    quarantine, store = ListQuarantine(), EmptyStore()
    report = work([record(1, "a"), given, record(3, "b")], store, quarantine)
    assert (store.puts, quarantine.kept, report.quarantined) == ([], [], [])
    assert {one["itemIdentifier"] for one in report.response()["batchItemFailures"]} == {""}
    assert len(report.unprocessed) == 3
    (failure,) = report.failures
    assert failure.kind is FailureKind.FAULT
    assert isinstance(failure.error, WrongStreamError)
    assert words in str(failure.error)
    assert "all stay in the stream" in str(failure.error)


def test_the_record_in_which_it_shows_is_named() -> None:
    report = work([record(1), images("MODIFY", "OldImage"), at(-1)], EmptyStore())
    assert [failure.record for failure in report.failures] == ["2"]


@pytest.mark.parametrize(
    "given",
    [
        images("INSERT", "NewImage"),
        images("MODIFY", "OldImage", "NewImage"),
        images("REMOVE", "OldImage"),
        {**images("REMOVE", "OldImage"), "userIdentity": {"type": "Service"}},
        at(NOON + 0.25),
        record(10**40 - 1),
        changed(eventSourceARN=STREAM.replace("arn:aws:", "arn:aws-cn:")),
    ],
)
def test_a_record_of_the_hops_own_stream_passes(given: dict[str, Any]) -> None:
    check_records([given], HERE)


def damage_value(one: dict[str, Any]) -> None:
    one["dynamodb"]["NewImage"]["v"] = {"S": 5}


def damage_key(one: dict[str, Any]) -> None:
    one["dynamodb"]["NewImage"]["k"] = {"S": "another"}


@pytest.mark.parametrize("damage", [damage_value, damage_key])
def test_what_is_wrong_with_one_item_alone_is_quarantined_and_all_else_goes_on(
    damage: Callable[[dict[str, Any]], None],
) -> None:
    poison = copy.deepcopy(record(1, "a"))
    damage(poison)
    quarantine, store = ListQuarantine(), EmptyStore()
    report = work([poison, record(2, "b")], store, quarantine)
    assert [kept.record for kept in quarantine.kept] == [poison]
    assert store.puts == [("b", "written by 2")]
    assert report.unprocessed == []
