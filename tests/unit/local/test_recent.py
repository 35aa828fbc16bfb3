"""The latest lines and deliveries of a ring."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handler.model.image import DELETED, SOURCE_REGION, SOURCE_TABLE, VERSION, digest
from handler.model.version import Version
from local.live.recent import KEPT, MOST_PER_SECOND, Recent
from tests.simulation.stream_json import as_json

SECOND = 1_700_000_000


class Clock:
    """A clock that stands still."""

    now = SECOND + 0.25

    def __call__(self) -> float:
        return self.now


def stream_record(number: int, key: str = "a", **images: Any) -> dict[str, Any]:
    """Return a stream record; `images` are NewImage and OldImage without the key."""
    keys = {"id": {"S": key}}
    return {
        "eventID": str(number),
        "dynamodb": {
            "Keys": keys,
            "SequenceNumber": str(number),
            "ApproximateCreationDateTime": datetime.fromtimestamp(SECOND, UTC),
            **{name: {**keys, **image} for name, image in images.items()},
        },
    }


def event_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record as a function gets it."""
    change = {**record["dynamodb"], "ApproximateCreationDateTime": SECOND}
    images = {name: as_json(change[name]) for name in ("NewImage", "OldImage") if name in change}
    return {**record, "dynamodb": {**change, **images}}


def copy(item: dict[str, Any], *, delete: bool = False) -> dict[str, Any]:
    """Return an item as a hop writes it, from the replica bbbbbbbb."""
    version = Version.make(SECOND, 0, "bbbbbbbb", 1, digest({"id": {"S": "a"}, **item}))
    mark = {DELETED: {"BOOL": True}} if delete else {}
    source = {SOURCE_REGION: {"S": "eu-west-1"}, SOURCE_TABLE: {"S": "orders"}}
    return {**item, **source, **mark, VERSION: {"B": version}}


def deliver(recent: Recent, *records: dict[str, Any], seconds: float = 0.5) -> None:
    """Let a hop read records, and deliver them some time later."""
    observer = recent.observer("a", "b")
    observer.polled(records)
    recent.now.now += seconds  # type: ignore[attr-defined]
    observer.delivered([event_record(record) for record in records])


@pytest.fixture
def recent() -> Recent:
    return Recent(Clock())


def deliveries(recent: Recent) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recent.after(0)["deliveries"]
    return found


def test_a_delivery_has_its_hop_its_key_and_its_times(recent: Recent) -> None:
    deliver(recent, stream_record(1, NewImage={"x": {"N": "1"}}))
    assert deliveries(recent) == [
        {
            "number": 1,
            "source": "a",
            "target": "b",
            "key": "id=a",
            "action": "insert",
            "origin": None,
            "read": SECOND + 0.25,
            "at": SECOND + 0.75,
        }
    ]


@pytest.mark.parametrize(
    ("images", "action", "origin"),
    [
        ({"NewImage": {"x": {"N": "2"}}, "OldImage": {"x": {"N": "1"}}}, "update", None),
        ({"OldImage": {"x": {"N": "1"}}}, "delete", None),
        ({"NewImage": copy({"x": {"N": "1"}})}, "insert", "bbbbbbbb"),
        (
            {"NewImage": copy({"x": {"N": "1"}}), "OldImage": {"x": {"N": "0"}}},
            "update",
            "bbbbbbbb",
        ),
        ({"NewImage": copy({}, delete=True)}, "delete", "bbbbbbbb"),
    ],
)
def test_a_delivery_lists_what_was_done_and_where(
    recent: Recent, images: dict[str, Any], action: str, origin: str | None
) -> None:
    deliver(recent, stream_record(1, **images))
    (delivery,) = deliveries(recent)
    assert (delivery["action"], delivery["origin"]) == (action, origin)


def test_the_second_half_of_a_delete_is_no_delivery_of_its_own(recent: Recent) -> None:
    deliver(recent, stream_record(1, OldImage=copy({}, delete=True)))
    assert deliveries(recent) == []
    assert recent.after(0)["delivered"] == 1


def test_a_record_that_a_hop_could_not_parse_is_counted_alone(recent: Recent) -> None:
    deliver(recent, stream_record(1))
    assert deliveries(recent) == []
    assert recent.after(0)["delivered"] == 1


def test_a_heartbeat_is_no_delivery_but_its_time_is_kept(recent: Recent) -> None:
    time = {"ring_heartbeat": {"N": f"{SECOND}.5"}}
    deliver(recent, stream_record(1, "_repl_heartbeat-aaaaaaaa", NewImage=time))
    assert deliveries(recent) == []
    assert recent.heartbeats == {"a": SECOND + 0.25}


def test_a_reader_gets_what_is_new_to_it(recent: Recent) -> None:
    deliver(recent, stream_record(1, NewImage={}))
    first = recent.after(0)
    recent.add_line("a", "a line")
    deliver(recent, stream_record(2, NewImage={}))
    after = recent.after(first["last"])
    assert [line["line"] for line in after["lines"]] == ["a line"]
    assert [delivery["number"] for delivery in after["deliveries"]] == [3]
    assert recent.after(after["last"])["lines"] == []


def test_at_a_high_rate_a_sample_of_the_keys_is_kept_the_same_by_each_hop(recent: Recent) -> None:
    records = [stream_record(number, str(number), NewImage={}) for number in range(1_000)]
    deliver(recent, *records)
    first = {delivery["key"] for delivery in deliveries(recent)}
    assert MOST_PER_SECOND * 0.5 < len(first) < MOST_PER_SECOND * 2
    deliver(recent, *records)
    assert {delivery["key"] for delivery in deliveries(recent)} == first
    assert recent.after(0)["delivered"] == 2_000


def test_old_lines_are_dropped(recent: Recent) -> None:
    for number in range(KEPT + 10):
        recent.add_line("a", str(number))
    lines = recent.after(0)["lines"]
    assert (len(lines), lines[0]["line"]) == (KEPT, "10")
