"""Rate limit in capacity units per second."""

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
    limiter = RateLimiter(None)
    assert [limiter.take(1000) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.spent == 3000


def test_over_time_no_more_is_taken_than_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock)
    for _ in range(100):
        clock.at += limiter.take(4)
    # A burst of one second is allowed; the rest has to wait.
    assert clock.at - 100 == pytest.approx((400 - 10) / 10)


def test_concurrent_waits_add_up() -> None:
    limiter = RateLimiter(10, Clock())
    assert [limiter.take(10) for _ in range(4)] == pytest.approx([0, 1, 2, 3])


def test_unused_units_do_not_accumulate() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock)
    clock.at += 1000
    assert limiter.take(30) == pytest.approx(2)


def test_a_call_first_takes_the_units_of_the_last_one() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock)
    assert limiter.begin("Scan") == 0
    limiter.end("Scan", 128)
    assert limiter.spent == 128
    clock.at += 13
    assert limiter.begin("Scan") == pytest.approx((128 - 10) / 10)
    assert limiter.spent == 256
    limiter.end("Scan", 28)
    assert limiter.spent == 156


def test_overlapping_calls_are_each_counted_by_their_own_units() -> None:
    limiter = RateLimiter(None)
    limiter.begin("Scan")

    def call() -> None:
        limiter.begin("Scan")
        limiter.end("Scan", 128)

    other = threading.Thread(target=call)
    other.start()
    other.join()
    limiter.end("Scan", 28)
    assert limiter.spent == 128 + 28
