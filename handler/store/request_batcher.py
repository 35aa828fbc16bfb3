"""Batch single requests from many coroutines into few API calls.

A batch is put together when it is sent, not before: while the limit of concurrent requests is
reached, submitted items wait, and go out in few requests afterwards. Below the limit an item waits
only until the end of the event loop's current iteration, in which other coroutines may submit
theirs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class RequestGate(Protocol):
    """Limits concurrent requests, see ``handler.retry.RetryBudget.limit``."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make the request when it may begin; return its response."""


async def no_gate(attempt: Callable[[], Awaitable[T]]) -> T:
    """Make a request at once, without a limit."""
    return await attempt()


class RequestBatcher(Generic[ItemT, ResultT]):
    """Batches items that coroutines submit."""

    def __init__(
        self,
        send: Callable[[list[ItemT]], Awaitable[Sequence[ResultT | BaseException]]],
        max_items: int,
        gate: RequestGate = no_gate,
    ) -> None:
        """Make a batcher for one kind of request.

        Args:
            send: makes one request, and returns for each item, in order, its result or the error to
                raise. What it raises itself is raised for all items.
            max_items: items that fit into one request.
            gate: limits concurrent requests.
        """
        self._send = send
        self._max_items = max_items
        self._gate = gate
        self._waiting: list[tuple[ItemT, asyncio.Future[ResultT]]] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._unsent = 0
        """Number of requests that have not taken their items yet."""

    async def submit(self, item: ItemT) -> ResultT:
        """Submit an item, and wait for its result.

        Raises:
            Exception: the item's own error, or that of its request.
        """
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._waiting) > self._unsent * self._max_items:
            self._unsent += 1
            request = asyncio.create_task(self._request())
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)
        try:
            return await future
        finally:
            del future  # an error in it refers to this frame by its traceback: a reference cycle

    async def _request(self) -> None:
        batch: list[tuple[ItemT, asyncio.Future[ResultT]]] = []

        async def attempt() -> Sequence[ResultT | BaseException]:
            batch.extend(self._take())
            return await self._send([item for item, _ in batch])

        try:
            results = await self._gate(attempt)
            settled = list(zip(batch, results, strict=True))
        except BaseException as error:  # whatever it is, no coroutine may wait for ever
            # If the gate raised it, the batch has not been taken yet.
            settled = [(waiting, error) for waiting in batch or self._take()]
        _settle(settled)
        # An error refers to this frame by its traceback: a reference cycle, which would keep all
        # that the SDK made of the request.
        settled.clear()
        batch.clear()

    def _take(self) -> list[tuple[ItemT, asyncio.Future[ResultT]]]:
        self._unsent -= 1
        batch, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
        return batch


def _settle(
    settled: Sequence[tuple[tuple[Any, asyncio.Future[ResultT]], ResultT | BaseException]],
) -> None:
    for (_, future), result in settled:
        if future.done():  # the coroutine that submitted it was cancelled
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
