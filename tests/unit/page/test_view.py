"""The page's state is made from readings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from page.hop_log import WINDOW, Spread, spread
from page.reading import FaultReading, HopReading, LogLine, MemberReading, Reading
from page.view import View
from tests.unit.page.test_travels import delivery

NOW = 1_700_000_000.0
A, B = (MemberReading(name, name, "orders", 3) for name in ("a", "b"))
HOPS = (HopReading("a", "b", "running"), HopReading("b", "a", "running"))
QUIET = Reading(NOW, (A, B), HOPS)


@pytest.fixture
def view() -> View:
    return View("orders", is_local=False)


def line(source: str, when: float = NOW, **fields: Any) -> LogLine:
    return LogLine(source, when, json.dumps(fields))


def batch(when: float = NOW, **numbers: Any) -> LogLine:
    return line("a", when, event="batch", hop="a -> b", **numbers)


def texts(view: View, reading: Reading) -> list[str]:
    return [happening.text for happening in view.add(reading)]


def hop_document(view: View, source: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = next(hop for hop in view.document["hops"] if hop["source"] == source)
    return found


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert spread([float(value) for value in range(101)]) == Spread(50.0, 99.0)
    assert spread([0.5]) == Spread(0.5, 0.5)
    assert spread([]) is None


def test_rates_lags_and_counters_come_from_the_log_lines_of_batches(view: View) -> None:
    lines = (batch(records=20, lag=[0.2, 0.4], retries=3), batch(records=10, lag=[0.6]))
    view.add(replace(QUIET, lines=lines))
    view.add(replace(QUIET, now=NOW + 10))
    document = hop_document(view)
    assert document["rate"] == 3.0
    assert document["lag"] == {"p50": 0.4, "p99": 0.6}
    assert document["retries"] == 3


def test_what_is_older_than_a_minute_counts_no_more(view: View) -> None:
    view.add(replace(QUIET, lines=(batch(records=600, lag=[9.0]),)))
    view.add(replace(QUIET, now=NOW + WINDOW + 1))
    assert hop_document(view)["rate"] == 0
    assert hop_document(view)["lag"] is None


def test_where_each_write_is_seen_the_lag_is_measured_by_it(view: View) -> None:
    seen = (delivery("a", "b", "a", NOW),)
    view.add(replace(QUIET, deliveries=seen, lines=(batch(records=1, lag=[1.0]),)))
    assert hop_document(view)["lag"] == {"p50": 0.1, "p99": 0.1}
    assert view.document["writes"][0]["reached"].keys() == {"a", "b"}


def test_where_writes_are_not_seen_there_are_none_to_show(view: View) -> None:
    view.add(QUIET)
    assert view.document["writes"] is None


def test_a_completed_lap_is_shown_and_many_are_counted(view: View) -> None:
    laps = [
        delivery(source, target, "a", NOW, key=str(number))
        for number in range(5)
        for source, target in (("a", "b"), ("b", "a"))
    ]
    shown = texts(view, replace(QUIET, deliveries=tuple(laps)))[1:]
    assert shown[0].startswith("insert 0: made at a, everywhere after 0.10 s, lap")
    assert shown[-1] == "and 2 more writes completed their lap"
    assert len(shown) == 4


def test_conflicts_quarantined_records_and_failures_are_shown_in_words(view: View) -> None:
    lines = (
        line("a", event="failure", kind="transient", code="Throttled", keys=2, error="slow down"),
        LogLine("a", NOW, "REPORT RequestId: 1"),
    )
    view.add(QUIET)
    assert texts(view, replace(QUIET, lines=lines)) == [
        "a -> b: failed (transient): 2 keys: Throttled: slow down"
    ]


def test_a_change_of_state_is_shown_once(view: View) -> None:
    view.add(QUIET)
    hop = replace(HOPS[0], state="paused", alarms=("ring-a-to-b-lag",), trouble=("it is paused",))
    paused = replace(QUIET, hops=(hop, HOPS[1]))
    assert texts(view, paused) == [
        "a -> b is paused.",
        "Alarm: ring-a-to-b-lag.",
        "it is paused",
    ]
    assert texts(view, paused) == []
    assert texts(view, QUIET) == ["a -> b is running.", "The alarm ring-a-to-b-lag ended."]


def test_a_fault_is_shown_when_it_begins_and_ends(view: View) -> None:
    view.add(QUIET)
    broken = replace(QUIET, faults=(FaultReading("1", "a does not answer", 30.0),))
    assert texts(view, broken) == ["Fault: a does not answer."]
    shorter = replace(QUIET, faults=(FaultReading("1", "a does not answer", 29.0),))
    assert texts(view, shorter) == []
    assert texts(view, QUIET) == ["The fault ended: a does not answer."]


def test_hops_that_come_and_go_are_shown(view: View) -> None:
    view.add(QUIET)
    other = HopReading("b", "c", "running")
    assert texts(view, replace(QUIET, hops=(HOPS[0], other))) == [
        "The hop b -> a is gone.",
        "The hop b -> c is new.",
    ]


def test_a_reading_that_failed_says_why(view: View) -> None:
    assert texts(view, Reading(NOW, note="Nothing is deployed.")) == ["Nothing is deployed."]
    assert view.document["note"] == "Nothing is deployed."


def test_a_heartbeat_is_shown_by_its_age(view: View) -> None:
    view.add(replace(QUIET, members=(replace(A, heartbeat=NOW - 12), B)))
    ages = [member["heartbeat"] for member in view.document["members"]]
    assert ages == [12.0, None]
