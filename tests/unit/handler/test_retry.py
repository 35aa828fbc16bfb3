"""Trying again within the function's time, and giving back what there is no time for."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from inspect import signature
from typing import Any, TypeVar, cast

import pytest

from handler import retry
from handler.quarantine import QuarantinedRecord
from handler.retry import (
    BACKOFF_MAX_SECONDS,
    DeadlineExceededError,
    RetryBudget,
    RetryingQuarantine,
    RetryingStore,
)
from handler.store.dynamodb import Store

T = TypeVar("T")


class Clock:
    """A clock that only pauses and calls move."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.pauses: list[float] = []

    def left(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds -= seconds


class Flaky:
    """A call that fails a number of times, each time after some seconds."""

    def __init__(self, clock: Clock, failures: float, takes: float = 0.0) -> None:
        self._clock = clock
        self._failures = failures
        self._takes = takes
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        self._clock.seconds -= self._takes
        if self.made <= self._failures:
            raise ConnectionError
        return "done"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(60.0)
    monkeypatch.setattr(retry, "sleep", clock.sleep)
    monkeypatch.setattr(retry, "random", lambda: 1.0)
    return clock


def patient(clock: Clock, at_once: int = 32) -> RetryBudget:
    passes = (ConnectionError,)
    return RetryBudget(
        clock.left,
        lambda error: isinstance(error, passes),
        reserve_seconds=9.0,
        max_concurrency=at_once,
    )


def asked(budget: RetryBudget, request: Callable[[], Awaitable[T]]) -> Coroutine[Any, Any, T]:
    """Make one request, and again where it fails."""
    return budget.retry(lambda: budget.limit(request))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_what_fails_for_the_moment_is_tried_again_after_longer_and_longer_pauses(
    clock: Clock,
) -> None:
    budget = patient(clock)
    assert run(asked(budget, Flaky(clock, 9))) == "done"
    assert clock.pauses == [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert (budget.calls, budget.retries) == (10, 9)


def test_garbage_is_looked_for_once_a_call_has_failed(clock: Clock) -> None:
    seen: list[bool] = []

    async def fail_once() -> None:
        seen.append(gc.isenabled())
        if len(seen) == 1:
            raise ConnectionError

    gc.disable()
    try:
        run(asked(patient(clock), fail_once))
    finally:
        gc.enable()
    assert seen == [False, True]


def test_pauses_are_drawn_so_that_those_who_failed_together_do_not_come_back_together(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([0.5, 0.0, 0.25])
    monkeypatch.setattr(retry, "random", lambda: next(draws))
    run(asked(patient(clock), Flaky(clock, 3)))
    assert clock.pauses == [0.0125, 0.0, 0.025]


def test_nothing_begins_when_the_time_left_is_what_a_call_may_take(clock: Clock) -> None:
    call = Flaky(clock, failures=float("inf"), takes=1.0)
    with pytest.raises(ConnectionError):
        run(asked(patient(clock), call))
    assert 7.0 < clock.seconds < 9.0 + BACKOFF_MAX_SECONDS
    assert call.made == len(clock.pauses) + 1  # no pause that no call follows
    late = Flaky(clock, failures=0)
    budget = patient(Clock(60.0))
    budget._remaining = lambda: 9.0
    with pytest.raises(DeadlineExceededError):
        run(asked(budget, late))
    assert late.made == 0


def test_what_has_failed_before_the_time_was_over_is_given_back_with_that_error(
    clock: Clock,
) -> None:
    async def take_the_time(_: float) -> None:
        clock.seconds = 9.0

    budget = patient(clock)
    budget._pause = take_the_time
    call = Flaky(clock, failures=1)
    with pytest.raises(ConnectionError):
        run(asked(budget, call))
    assert call.made == 1


def test_what_does_not_pass_is_not_tried_again(clock: Clock) -> None:
    async def refused() -> None:
        raise ValueError("never")

    budget = patient(clock)
    with pytest.raises(ValueError, match="never"):
        run(asked(budget, refused))
    assert (budget.calls, budget.retries) == (1, 0)


def test_a_function_with_little_time_uses_half_of_it(clock: Clock) -> None:
    clock.seconds = 3.0
    budget = patient(clock)
    assert run(asked(budget, Flaky(clock, 0))) == "done"
    clock.seconds = 1.5
    with pytest.raises(DeadlineExceededError):
        run(asked(budget, Flaky(clock, 0)))


def test_no_more_calls_are_in_flight_than_may_be(clock: Clock) -> None:
    in_flight = most = 0

    async def call() -> None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0)
        in_flight -= 1

    async def ten() -> None:
        budget = patient(clock, at_once=3)
        await asyncio.gather(*(asked(budget, call) for _ in range(10)))

    run(ten())
    assert most == 3


class Waves:
    """Calls that end together, once all that may begin have begun; counts each such wave."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._begun: list[asyncio.Future[bool]] = []

    async def __call__(self) -> None:
        ended = asyncio.get_running_loop().create_future()
        self._begun.append(ended)
        if not await ended:
            raise ConnectionError

    async def end(self, waiting: asyncio.Future[Any], first_fails: bool = False) -> None:
        """End waves until what waits for them is done; the first call of all may fail."""
        while not waiting.done():
            for _ in range(10):
                await asyncio.sleep(0)
            wave, self._begun = self._begun, []
            self.counts += [len(wave)] if wave else []
            for ended in wave:
                ended.set_result(not first_fails)
                first_fails = False


def waves(budget: RetryBudget, calls: int, *, first_fails: bool = False) -> list[int]:
    """How many calls were in progress in each wave."""
    made = Waves()

    async def all_calls() -> None:
        everything = asyncio.gather(*(asked(budget, made) for _ in range(calls)))
        await made.end(everything, first_fails)
        await everything

    run(all_calls())
    return made.counts


def test_calls_in_progress_double_with_each_round_trip_up_to_the_maximum(clock: Clock) -> None:
    assert waves(patient(clock, at_once=100), 32 + 64 + 100 + 7) == [32, 64, 100, 7]


def test_no_more_calls_begin_at_once_after_one_has_failed(clock: Clock) -> None:
    assert waves(patient(clock, at_once=100), 99, first_fails=True)[:3] == [32, 32, 32]


def test_no_more_calls_begin_at_once_while_the_processor_is_busy(clock: Clock) -> None:
    budget = patient(clock, at_once=100)
    budget.idle_seconds = lambda: 0.0
    assert waves(budget, 99) == [32, 32, 32, 3]


def test_calls_that_wait_for_no_other_leave_the_number_as_it_is(clock: Clock) -> None:
    budget = patient(clock, at_once=100)
    for _ in range(5):
        waves(budget, 20)
    assert waves(budget, 60)[0] == 32


def test_no_more_quarantined_records_are_put_at_once_than_there_are_threads(clock: Clock) -> None:
    budget, made = patient(clock, at_once=100), Waves()
    waves(budget, 32 + 64)

    class Bucket:
        async def put(self, _: QuarantinedRecord) -> None:
            await made()

    quarantine = RetryingQuarantine(Bucket(), budget)

    async def all_puts() -> None:
        everything = asyncio.gather(
            *(quarantine.put(cast(QuarantinedRecord, None)) for _ in range(70))
        )
        await made.end(everything)
        await everything

    run(all_puts())
    assert made.counts == [32, 32, 6]


def test_a_key_that_pauses_holds_up_no_other(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    b_is_done = asyncio.Event()

    async def until_b_is_done(_: float) -> None:
        await b_is_done.wait()

    async def two() -> None:
        budget = patient(clock, at_once=1)

        async def b() -> None:
            b_is_done.set()

        a = asked(budget, Flaky(clock, 1))
        async with asyncio.timeout(30):
            await asyncio.gather(a, asked(budget, b))

    monkeypatch.setattr(retry, "sleep", until_b_is_done)
    run(two())


class FailsOnce:
    """A Store each of whose calls fails for the moment, and is answered when it is made again."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[str]]:
        async def call(*_: Any) -> str:
            self.asked.append(name)
            if len(self.asked) == 1:
                raise ConnectionError
            return "the answer"

        return call


CALLS = [name for name in vars(Store) if not name.startswith("_")]


@pytest.mark.parametrize("name", CALLS)
def test_every_call_of_a_store_is_made_again(clock: Clock, name: str) -> None:
    store: Any = FailsOnce()
    call = getattr(RetryingStore(store, patient(clock)), name)
    arguments = len(signature(call).parameters)
    assert run(call(*range(arguments))) in ("the answer", None)
    assert store.asked == [name, name]
