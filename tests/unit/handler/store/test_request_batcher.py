"""What is asked one by one goes out together, and each who asked hears its own answer."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from handler.retry import DeadlineExceededError, RetryBudget
from handler.store.request_batcher import RequestBatcher, no_gate

T = TypeVar("T")


class Server:
    """Doubles the numbers of a request; raises what is asked for, and answers when it may."""

    def __init__(self) -> None:
        self.requests: list[list[int]] = []
        self.trouble: dict[int, BaseException] = {}
        """What the answer to a number is instead."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def answer(self, numbers: list[int]) -> list[int | BaseException]:
        self.requests.append(numbers)
        await self.may_answer.wait()
        return [self.trouble.get(number, 2 * number) for number in numbers]


def run(work: Coroutine[Any, Any, T]) -> T:
    async def in_time() -> T:
        async with asyncio.timeout(30):
            return await work

    return asyncio.run(in_time())


def test_what_is_asked_in_one_turn_goes_out_in_as_few_requests_as_hold_it() -> None:
    async def ask() -> tuple[list[int], list[list[int]]]:
        server = Server()
        gatherer = RequestBatcher(server.answer, 3)
        answers = await asyncio.gather(*(gatherer.submit(number) for number in range(7)))
        return answers, server.requests

    answers, requests = run(ask())
    assert answers == [0, 2, 4, 6, 8, 10, 12]
    assert requests == [[0, 1, 2], [3, 4, 5], [6]]


def test_what_is_asked_while_no_request_may_begin_goes_out_together_when_one_may() -> None:
    patience = RetryBudget(lambda: 60.0, lambda _: False, reserve_seconds=9.0, max_concurrency=1)

    async def ask() -> list[list[int]]:
        server = Server()
        server.may_answer.clear()
        gatherer = RequestBatcher(server.answer, 5, patience.limit)
        asked = []
        for number in range(7):
            asked.append(asyncio.create_task(gatherer.submit(number)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        server.may_answer.set()
        await asyncio.gather(*asked)
        return server.requests

    assert run(ask()) == [[0], [1, 2, 3, 4, 5], [6]]


def test_one_that_fails_raises_to_who_asked_it_alone() -> None:
    async def ask() -> list[Any]:
        server = Server()
        server.trouble[1] = ValueError("one")
        gatherer = RequestBatcher(server.answer, 3)
        asked = (gatherer.submit(number) for number in range(3))
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third = run(ask())
    assert (first, third) == (0, 4)
    assert isinstance(second, ValueError)


class TroubleError(Exception):
    """What a request fails with."""


class EndError(BaseException):
    """No error that a program handles."""


async def _fail(_: list[int]) -> list[int]:
    raise EndError


async def _answer_too_few(_: list[int]) -> list[int]:
    return []


async def _not_now(_: Callable[[], Awaitable[T]]) -> T:
    raise DeadlineExceededError


@pytest.mark.parametrize(
    ("send", "through", "error"),
    [
        (_fail, no_gate, EndError),
        (_answer_too_few, no_gate, ValueError),
        (_answer_too_few, _not_now, DeadlineExceededError),
    ],
    ids=["fails", "answers too few", "may not begin"],
)
def test_a_request_that_fails_whole_leaves_nobody_waiting(
    send: Any, through: Any, error: type[BaseException]
) -> None:
    async def ask() -> list[Any]:
        gatherer: RequestBatcher[int, int] = RequestBatcher(send, 2, through)
        asked = (gatherer.submit(number) for number in range(3))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(answer) for answer in run(ask())] == [error] * 3


def test_an_error_goes_when_those_who_asked_have_received_it() -> None:
    """Its traceback holds a request of the SDK's, and within a batch no garbage is looked for."""
    errors: list[weakref.ref[BaseException]] = []

    def trouble() -> TroubleError:
        error = TroubleError()
        errors.append(weakref.ref(error))
        return error

    async def fail(_: list[int]) -> list[int]:
        raise trouble()

    async def ask(gatherer: RequestBatcher[int, int], number: int) -> None:
        with suppress(TroubleError):
            await gatherer.submit(number)

    async def look() -> list[BaseException | None]:
        gatherer = RequestBatcher(fail, 2)
        await asyncio.gather(*(ask(gatherer, number) for number in range(2)))
        return [error() for error in errors]

    gc.disable()
    try:
        assert run(look()) == [None]
    finally:
        gc.enable()


def test_who_was_stopped_meanwhile_is_not_answered_and_the_others_are() -> None:
    async def ask() -> int:
        server = Server()
        server.may_answer.clear()
        gatherer = RequestBatcher(server.answer, 2)
        stopped, other = (asyncio.create_task(gatherer.submit(number)) for number in (1, 2))
        while not server.requests:
            await asyncio.sleep(0)
        stopped.cancel()
        await asyncio.sleep(0)
        server.may_answer.set()
        return await other

    assert run(ask()) == 4
