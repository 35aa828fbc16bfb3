"""A heartbeat: written when the function is called for it, replicated around, measured apart."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from handler import app
from handler.batch import BatchReport
from handler.config import HopConfig, HopConfigError
from handler.heartbeat import HEARTBEAT_ATTRIBUTE, Heartbeat, heartbeat_time
from handler.model.records import read_change
from handler.protocol.hop import Action, Outcome
from ring.resources.heartbeat import HEARTBEAT_EVENT
from tests.support.lambda_functions import REGIONS, TABLE, Left, Ring, environment, ring_of_three
from tests.support.stream_records import record

BEAT = {"k": {"S": "_repl_heartbeat-aaaaaaaa"}}
NOTHING_FAILED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    with ring_of_three() as three:
        monkeypatch.setenv("RING_HEARTBEAT", json.dumps(BEAT))
        yield three


def beat(ring: Ring) -> None:
    """Call the first member's function as its rule does."""
    ring.become(0)
    assert ring.handle(HEARTBEAT_EVENT) == NOTHING_FAILED


def batches(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "batch"]


def test_a_beat_is_written_here_and_is_at_all_members_after_as_many_writes_as_there_are(
    ring: Ring,
) -> None:
    beat(ring)
    for source in (0, 1, 2, 0):
        ring.hop(source)
    (here,), *others = (member.items() for member in ring.members)
    assert {name: here[name] for name in BEAT} == BEAT
    assert others == [[here]] * 2
    assert ring.calls.writes == list(REGIONS)


def test_the_next_beat_takes_the_place_of_the_last_and_costs_the_same(ring: Ring) -> None:
    for _ in range(2):
        ring.calls.writes.clear()
        beat(ring)
        for source in (0, 1, 2, 0):
            ring.hop(source)
        assert ring.calls.writes == list(REGIONS)
    assert [len(member.items()) for member in ring.members] == [1, 1, 1]


def test_beats_are_measured_apart_from_what_applications_write(
    ring: Ring, capsys: pytest.CaptureFixture[str]
) -> None:
    beat(ring)
    ring.members[0].put({"k": {"S": "1"}})
    for source in (0, 1, 2):
        ring.hop(source)
    first, second, last = batches(capsys)
    for batch in (first, second):
        assert [len(batch[name]) for name in ("lag", "beat_lag")] == [1, 1]
    assert [len(last[name]) for name in ("lap", "beat_lap")] == [1, 1]
    named = {one["Name"]: one["Unit"] for one in last["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (named["beat_lap"], "beat_lag" in last) == ("Seconds", False)


def test_a_function_whose_heart_is_off_writes_nothing(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RING_HEARTBEAT")
    beat(ring)
    assert ring.calls.writes == []


def test_a_beat_that_cannot_be_written_fails_the_call(ring: Ring) -> None:
    ring.calls.trouble[BEAT["k"]["S"]] = OSError("that day")
    ring.become(0)
    with pytest.raises(OSError, match="that day"):
        ring.handle(HEARTBEAT_EVENT)


def test_a_batch_is_no_call_for_a_beat_whatever_is_in_it(ring: Ring) -> None:
    ring.become(0)
    assert ring.handle({**HEARTBEAT_EVENT, "Records": []}) == NOTHING_FAILED
    assert ring.calls.writes == []
    with pytest.raises(app.MalformedEventError):
        app.handle({}, Left())


def test_the_time_is_that_of_the_beat_to_the_millisecond() -> None:
    received: list[Any] = []

    async def call(operation: str, request: Mapping[str, Any]) -> None:
        received.extend((operation, request))

    asyncio.run(Heartbeat(call, TABLE, BEAT, lambda: 1_700_000_000.1234).beat())
    operation, request = received
    item = {**BEAT, HEARTBEAT_ATTRIBUTE: {"N": "1700000000.123"}}
    assert (operation, request) == ("PutItem", {"TableName": TABLE, "Item": item})
    written = record(1, Keys=BEAT, NewImage=item)
    assert heartbeat_time(read_change(written)) == 1_700_000_000.123


def test_a_beats_lag_is_from_its_own_time_not_the_streams_whole_seconds() -> None:
    report = BatchReport()
    report.add(Outcome(Action.REPLICATED, written_at=100), now=110.5, heartbeat_at=100.25)
    report.add(Outcome(Action.LAP_COMPLETED, written_at=100), now=120.5, heartbeat_at=100.25)
    assert (report.heartbeat_lags, report.heartbeat_laps) == ([10.25], [20.25])
    assert (report.lags, report.laps) == ([], [])


@pytest.mark.parametrize("mark", [{"S": "1"}, {"M": {}}, None])
def test_an_applications_item_is_no_beat(mark: dict[str, Any] | None) -> None:
    image = {"k": {"S": "1"}} | ({HEARTBEAT_ATTRIBUTE: mark} if mark else {})
    assert heartbeat_time(read_change(record(1, Keys={"k": {"S": "1"}}, NewImage=image))) is None


@pytest.mark.parametrize(
    "key",
    [
        {"k": {"S": "1"}},
        {"k": {"S": "_repl_heartbeat-aaaaaaaa-1"}},
        {"k": {"S": "_repl_heartbeat-aaaaaaaa"}, "sort": {"S": "1"}},
        {"k": {"N": "-1"}},
        {"k": {"B": "AQID"}},
        {"k": {"N": "no number"}},
        {"k": {"N": "NaN"}},
        {"k": {"BOOL": True}},
    ],
)
def test_an_applications_own_number_of_that_name_makes_no_beat(key: dict[str, Any]) -> None:
    image = {**key, HEARTBEAT_ATTRIBUTE: {"N": "72"}}
    assert heartbeat_time(read_change(record(1, Keys=key, NewImage=image))) is None


def test_a_key_of_binary_is_read_as_bytes_and_what_is_no_key_is_rejected() -> None:
    variables = environment(0, 1)
    read = HopConfig.read(variables | {"RING_HEARTBEAT": '{"k": {"B": "AAE="}}'})
    assert read.heartbeat == {"k": {"B": b"\x00\x01"}}
    for wrong in ("no JSON", "[]", '{"k": "1"}', '{"k": {"B": "?"}}'):
        with pytest.raises(HopConfigError, match="RING_HEARTBEAT is"):
            HopConfig.read(variables | {"RING_HEARTBEAT": wrong})
