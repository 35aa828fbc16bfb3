"""Run a function over a sequence in order, with bounded concurrency, until a stop request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from operate.stop import Stop

S = TypeVar("S")
T = TypeVar("T")


async def run_in_order(
    items: Sequence[S],
    act: Callable[[S], Awaitable[T]],
    stop: Stop,
    concurrency: int,
    done: Callable[[], object] = lambda: None,
) -> list[T]:
    """Await `act` for each item, `concurrency` at a time, and return the results in order.

    After a stop request, starts no more and finishes those in progress: the result then covers
    only the first items. `done` is called after each item.
    """
    results: dict[int, T] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for place, item in waiting:
            if stop.is_asked:
                return
            results[place] = await act(item)
            done()

    await asyncio.gather(*(work() for _ in range(min(concurrency, len(items)))))
    return [results[place] for place in range(len(results))]
