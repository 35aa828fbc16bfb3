"""The rate limit: units a second, whoever takes them and however much a call takes at once."""

from __future__ import annotations

import threading

import pytest

from operate.reconcile.rate_limit import RateLimiter


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_units_are_free_without_a_limit_and_counted_all_the_same() -> None:
    pace = RateLimiter(None)
    assert [pace.take(1000) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.spent == 3000


def test_over_time_no_more_is_taken_than_the_rate() -> None:
    clock = Clock()
    pace = RateLimiter(10, clock)
    for _ in range(100):
        clock.at += pace.take(4)
    # A second's worth is there at once; all else has to be waited for.
    assert clock.at - 100 == pytest.approx((400 - 10) / 10)


def test_those_who_wait_at_the_same_time_wait_one_after_the_other() -> None:
    pace = RateLimiter(10, Clock())
    assert [pace.take(10) for _ in range(4)] == pytest.approx([0, 1, 2, 3])


def test_what_is_not_used_for_long_does_not_pile_up() -> None:
    clock = Clock()
    pace = RateLimiter(10, clock)
    clock.at += 1000
    assert pace.take(30) == pytest.approx(2)


def test_a_call_takes_beforehand_what_the_last_one_took() -> None:
    clock = Clock()
    pace = RateLimiter(10, clock)
    assert pace.begin("Scan") == 0
    pace.end("Scan", 128)
    assert pace.spent == 128
    clock.at += 13
    assert pace.begin("Scan") == pytest.approx((128 - 10) / 10)
    assert pace.spent == 256
    pace.end("Scan", 28)
    assert pace.spent == 156


def test_calls_that_overlap_are_counted_each_as_what_it_took() -> None:
    pace = RateLimiter(None)
    pace.begin("Scan")

    def call() -> None:
        pace.begin("Scan")
        pace.end("Scan", 128)

    other = threading.Thread(target=call)
    other.start()
    other.join()
    pace.end("Scan", 28)
    assert pace.spent == 128 + 28
