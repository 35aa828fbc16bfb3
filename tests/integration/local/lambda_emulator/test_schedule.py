"""Rules that fire on this machine: what a rate is, and a local ring's heartbeat."""

from __future__ import annotations

import threading
import time

import pytest

from local.lambda_emulator import schedule
from local.lambda_emulator.schedule import Schedule, rate_seconds
from local.lambda_emulator.worker_process import FunctionError
from tests.support.local_rings import PATIENCE, get, ring_of


def test_a_rate_is_given_in_minutes_hours_or_days() -> None:
    assert rate_seconds("rate(1 minute)") == 60
    assert rate_seconds("rate(5 minutes)") == 300
    assert rate_seconds("rate(1 day)") == 86_400


@pytest.mark.parametrize(
    "wrong", ["rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "cron()"]
)
def test_what_eventbridge_would_not_take_is_no_rate(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        rate_seconds(wrong)


def test_a_call_that_fails_is_made_again_when_it_is_time_and_none_after_the_end() -> None:
    called, calls = threading.Event(), 0

    def fail(event: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            called.set()
        raise FunctionError("Error", "that day")

    rules = Schedule()
    rules.every(0.01, fail, {})
    assert called.wait(PATIENCE)
    rules.close()
    for thread in rules._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_local_rings_hearts_beat_and_every_member_has_every_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "_SECONDS", {"minute": 1.0})
    with ring_of(2, heartbeat={"enabled": True}) as ring:
        ids = [hop.function.spec.environment["RING_SOURCE_ID"] for hop in ring.hops.values()]
        end = time.monotonic() + PATIENCE
        while not all(
            get(ring, member, f"_repl_heartbeat-{id_}") for member in ring.members for id_ in ids
        ):
            assert time.monotonic() < end, "no beat arrived"
            time.sleep(0.05)
        ring._schedule.close()
        ring.wait_until_quiet(PATIENCE)
        assert ring.differences() == []
