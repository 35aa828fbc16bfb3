"""The minutes that a trial's figures are of hold the load, and nothing before or after it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from operate.trial.context import Patience, Trial
from operate.trial.steps import figures, load
from operate.trial.steps.units import units_of

MINUTE = 60.0


class Clock:
    """A time that sleeping alone lets pass, a little longer each time than it was asked for."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.05


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_000 * MINUTE + 17.5)
    monkeypatch.setattr(load, "time", clock)
    return clock


def trial(**more: Any) -> Trial:
    return cast("Trial", SimpleNamespace(patience=Patience(), **more))


def test_the_load_begins_and_ends_with_a_minute(clock: Clock) -> None:
    began = load._next_minute(trial(stop=clock))
    assert began == 1_001 * MINUTE <= clock.now
    clock.now += 100.0
    assert load._next_minute(trial(stop=clock)) == 1_003 * MINUTE


def test_units_are_asked_for_up_to_the_minute_in_which_the_load_ended(clock: Clock) -> None:
    """CloudWatch returns the minute that begins at 12:00:00 for an end of 12:00:00.05."""
    asked: list[Any] = []

    class CloudWatch:
        def get_metric_statistics(self, **request: Any) -> Any:
            asked.append(request)
            return {"Datapoints": []}

    member = SimpleNamespace(name="first", table="orders", tombstones=None)
    window = (load._next_minute(trial(stop=clock)), load._next_minute(trial(stop=clock)))
    units_of(trial(members=[member], client=lambda *_: CloudWatch()), window)
    assert [one["EndTime"].timestamp() % MINUTE for one in asked] == [0.0, 0.0]


def test_the_lag_is_of_the_minutes_of_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, datetime]] = []

    def lag(_deployed: Any, _clients: Any, minutes: int, now: Any) -> Any:
        asked.append((minutes, now()))
        return ()

    monkeypatch.setattr(figures, "lag", lag)
    monkeypatch.setattr(figures, "max_lag", lambda _: 30.0)
    notes = {"began": 1_001 * MINUTE, "ended": 1_003 * MINUTE}
    journal = SimpleNamespace(notes=lambda _: notes)
    figures.lags(
        trial(
            journal=journal, plan=None, deployed=None, clients=None, wait=lambda until, _: until()
        )
    )
    assert asked == [(2, datetime.fromtimestamp(1_003 * MINUTE, UTC))]
