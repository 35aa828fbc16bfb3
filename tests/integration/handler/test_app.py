"""The function as Lambda calls it: events from real streams in, tables and log lines out."""

import gc
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler import app
from handler.config import HopConfigError
from handler.log import log
from handler.model.image import VERSION
from handler.model.version import Version
from local.lambda_emulator.events import event_of
from tests.support.lambda_functions import (
    IDS,
    KEY,
    NOTHING_FAILED,
    REGIONS,
    TABLE,
    TOMBSTONES,
    Left,
    Ring,
    logged,
    ring_of_three,
)
from tests.support.stream_records import record, stamped, version

BYTES = bytes(range(256))


@pytest.fixture
def ring() -> Iterator[Ring]:
    with ring_of_three() as three:
        yield three


def item(value: str, key: str = "1", **more: Any) -> dict[str, Any]:
    return {"k": {"S": key}, "v": {"S": value}, **more}


def throttled() -> ClientError:
    error: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    return ClientError(error, "PutItem")


def test_an_insert_travels_a_ring_of_three_at_two_writes_and_stops_where_it_began(
    ring: Ring,
) -> None:
    ring.members[0].put(item("a"))
    assert [ring.hop(source) for source in (0, 1, 2, 0)] == [NOTHING_FAILED] * 4
    assert [member.items() for member in ring.members] == [[item("a")]] * 3
    assert ring.calls.writes == [REGIONS[1], REGIONS[2]]


def test_an_edit_made_in_a_replica_reaches_the_origin_at_two_writes(ring: Ring) -> None:
    ring.members[0].put(item("a"))
    for source in (0, 1, 2):
        ring.hop(source)
    ring.members[1].client.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET v = :edited",
        ExpressionAttributeValues={":edited": {"S": "edited"}},
    )
    ring.calls.writes.clear()
    for source in (1, 2, 0, 1):
        assert ring.hop(source) == NOTHING_FAILED
    assert [member.items() for member in ring.members] == [[item("edited")]] * 3
    assert ring.calls.writes == [REGIONS[2], REGIONS[0]]


def test_a_delete_travels_the_ring_and_leaves_nothing_but_tombstones(ring: Ring) -> None:
    ring.members[0].put(item("a"))
    for source in (0, 1, 2):
        ring.hop(source)
    ring.members[0].client.delete_item(TableName=TABLE, Key=KEY)
    for source in (0, 1, 2, 0):
        assert ring.hop(source) == NOTHING_FAILED
    assert [member.items() for member in ring.members] == [[]] * 3
    kept = [member.client.scan(TableName=TOMBSTONES)["Items"] for member in ring.members]
    assert [len(tombstones) for tombstones in kept] == [1, 1, 1]
    assert len({tombstones[0][VERSION]["B"] for tombstones in kept}) == 1


def test_binaries_arrive_byte_for_byte_at_the_far_end_of_the_ring(ring: Ring) -> None:
    inner = {"L": [{"M": {"b": {"B": BYTES}}}]}
    ring.members[0].put(item("a", b={"B": BYTES}, bs={"BS": [BYTES]}, deep=inner))
    for source in (0, 1, 2):
        ring.hop(source)
    arrived, lap = ring.members[2].items(), ring.members[0].items()
    assert arrived == lap == [item("a", b={"B": BYTES}, bs={"BS": [BYTES]}, deep=inner)]


def test_each_batch_is_logged_in_one_line_of_json_with_its_counters(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    ring.members[0].put(item("a", "1"))
    ring.members[0].put(item("a", "2"))
    ring.members[0].client.delete_item(TableName=TABLE, Key=KEY)
    ring.hop(0)
    (line,) = logged(capsys, "batch")
    assert line.pop("store_ms") >= 0
    assert len(line.pop("lag")) == 3
    del line["_aws"]
    assert [line] == [
        {
            "event": "batch",
            "hop": "us-east-1/orders -> eu-west-1/orders",
            "records": 3,
            "ignored": 0,
            "replicated": 2,
            "deletes": 1,
            "laps": 0,
            "refused": 0,
            "conflicts": 0,
            "quarantined": 0,
            "failures": 0,
            "faults": 0,
            "given_back": 0,
            "calls": 9,
            "retries": 0,
        }
    ]


def test_a_completed_lap_and_the_second_half_of_a_delete_are_counted_too(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    ring.members[0].put(item("a"))
    for source in (0, 1, 2):
        ring.hop(source)
    ring.members[0].client.delete_item(TableName=TABLE, Key=KEY)
    for source in (0, 1, 2):
        ring.hop(source)
    insert, *_, delete = logged(capsys, "batch")[2:]
    assert (insert["laps"], insert["records"]) == (1, 1)
    # The stub in the item's place, and then the stub's removal.
    assert (delete["laps"], delete["ignored"], delete["records"]) == (1, 1, 2)


def test_a_conflict_is_logged_with_the_version_that_won_and_the_one_that_lost(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    won = stamped(item("of a clock that is ahead"), 9_000_000_000, replica=IDS[2])
    ring.members[1].put(won)
    ring.members[0].put(item("mine"))
    assert ring.hop(0) == NOTHING_FAILED
    (conflict,) = logged(capsys, "conflict")
    assert conflict["key"] == KEY
    assert conflict["won"] == str(Version(won[VERSION]["B"]))
    assert conflict["lost"].split("-")[2] == IDS[0]
    assert conflict["hop"] == "us-east-1/orders -> eu-west-1/orders"


def test_a_conflict_over_a_binary_key_can_be_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log({"event": "conflict", "key": {"k": {"B": b"\x00\xff"}}, "won": str(version())})
    assert logged(capsys, "conflict")[0]["key"] == {"k": {"B": "AP8="}}


def test_an_item_that_the_rings_attributes_make_too_large_is_quarantined_whole(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    ring.members[0].put(item("x" * 404_950))
    ring.members[0].put(item("small", "2"))
    ring.become(0)
    records = ring.members[0].new_records()
    assert ring.handle(event_of(records)) == NOTHING_FAILED
    assert ring.members[1].items() == [item("small", "2")]
    (kept,) = ring.quarantined()
    assert kept["record"] == records[0]
    assert (kept["table"], kept["key"], kept["reason"]) == ("orders", KEY, "too large")
    assert kept["hop"] == "us-east-1/orders -> eu-west-1/orders"
    assert kept["error"].startswith("ItemTooLargeError: ")
    datetime.fromisoformat(kept["time"])
    (line,) = logged(capsys, "quarantined")
    assert line["record"] == records[0]["dynamodb"]["SequenceNumber"]
    assert (line["reason"], line["error"]) == (kept["reason"], kept["error"])


def test_a_record_that_is_quarantined_twice_is_kept_once(ring: Ring) -> None:
    unreadable = record(7, NewImage={**KEY, "v": {"S": 5}})
    ring.become(0)
    ring.handle(event_of([unreadable]))
    ring.handle(event_of([unreadable]))
    assert [kept["record"] for kept in ring.quarantined()] == [unreadable]


def test_a_throttled_write_is_answered_with_its_records_number_and_logged(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("1", "2", "3"):
        ring.members[0].put(item("a", key))
    ring.calls.trouble["2"] = throttled()
    ring.become(0)
    records = ring.members[0].new_records()
    number = records[1]["dynamodb"]["SequenceNumber"]
    answer = ring.handle(event_of(records), Left(tick=1))
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert sorted(one["k"]["S"] for one in ring.members[1].items()) == ["1", "3"]
    (failure,) = logged(capsys, "failure")
    assert (failure["record"], failure["keys"]) == (number, 1)
    assert (failure["kind"], failure["code"]) == ("transient", "ThrottlingException")
    assert "ThrottlingException" in failure["error"]


def test_what_failed_goes_through_when_it_is_delivered_again(ring: Ring) -> None:
    ring.members[0].put(item("a"))
    ring.calls.trouble["1"] = throttled()
    ring.become(0)
    event = event_of(ring.members[0].new_records())
    ring.handle(event, Left(tick=1))
    ring.calls.trouble.clear()
    assert ring.handle(event) == NOTHING_FAILED
    assert ring.handle(event) == NOTHING_FAILED
    assert ring.members[1].items() == [item("a")]


def test_a_function_without_its_environment_says_what_is_missing() -> None:
    app._runtime.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RING_SOURCE_TABLE", raising=False)
        with pytest.raises(HopConfigError, match="RING_SOURCE_TABLE is missing"):
            app.handle({"Records": []}, Left())


def test_the_environment_is_read_once_and_serves_all_batches(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.become(0)
    ring.handle(event_of([]))
    monkeypatch.delenv("RING_TARGET_TABLE")
    ring.members[0].put(item("a"))
    assert ring.handle(event_of(ring.members[0].new_records())) == NOTHING_FAILED
    assert ring.members[1].items() == [item("a")]


def test_garbage_is_looked_for_again_when_a_batch_is_over(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    async def fail(*_: Any) -> None:
        seen.append(gc.isenabled())
        raise KeyboardInterrupt

    ring.become(0)
    monkeypatch.setattr(app, "replicate_batch", fail)
    with pytest.raises(KeyboardInterrupt):
        ring.handle(event_of([record(1)]))
    assert (seen, gc.isenabled()) == ([False], True)
