"""What many coroutines ask one by one, asked together: one request for as many as fit.

A request is made up when it is sent, not before: while all those that may be under way are, what
is asked waits here, and goes out in few requests when there is room. Where there is room at once,
nothing waits but for the end of the event loop's turn, in which others may ask as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class RequestGate(Protocol):
    """Makes one request when it may be made; ``handler.retry`` says when."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make it, and return its answer."""


async def no_gate(attempt: Callable[[], Awaitable[T]]) -> T:
    """Make a request at once."""
    return await attempt()


class RequestBatcher(Generic[Question, Answer]):
    """Gathers what is asked, and sends it in requests."""

    def __init__(
        self,
        send: Callable[[list[Question]], Awaitable[Sequence[Answer | BaseException]]],
        max_items: int,
        gate: RequestGate = no_gate,
    ) -> None:
        """Take what sends a request.

        Args:
            send: makes the request, and returns for each that asked, in order, the answer or
                what to raise. What it raises itself is raised to all.
            max_items: how many fit into one.
            gate: what lets a request begin.
        """
        self._send = send
        self._max_items = max_items
        self._gate = gate
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._unsent = 0
        """How many requests are to come that have not taken their share yet."""

    async def submit(self, asked: Question) -> Answer:
        """Ask, and wait for the answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if len(self._waiting) > self._unsent * self._max_items:
            self._unsent += 1
            request = asyncio.create_task(self._request())
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)
        try:
            return await future
        finally:
            del future  # an error in it has a traceback, which has this frame: a circle

    async def _request(self) -> None:
        share: list[tuple[Question, asyncio.Future[Answer]]] = []

        async def attempt() -> Sequence[Answer | BaseException]:
            share.extend(self._take())
            return await self._send([asked for asked, _ in share])

        try:
            answers = await self._gate(attempt)
            answered = list(zip(share, answers, strict=True))
        except BaseException as error:  # whatever it is, nobody may wait for ever
            # Refused before it began, it still has a share of those who wait.
            answered = [(one, error) for one in share or self._take()]
        _settle(answered)
        # An error has a traceback, which has this frame: a circle, and all that the SDK made of the
        # request is in it.
        answered.clear()
        share.clear()

    def _take(self) -> list[tuple[Question, asyncio.Future[Answer]]]:
        self._unsent -= 1
        share, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
        return share


def _settle(
    answered: Sequence[tuple[tuple[Any, asyncio.Future[Answer]], Answer | BaseException]],
) -> None:
    for (_, future), answer in answered:
        if future.done():  # who asked was stopped meanwhile
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
