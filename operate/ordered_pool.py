"""Many things done in their order, a few at a time, until somebody asks to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from operate.stop import Stop

S = TypeVar("S")
T = TypeVar("T")


async def run_in_order(
    things: Sequence[S],
    act: Callable[[S], Awaitable[T]],
    stop: Stop,
    at_once: int,
    done: Callable[[], object] = lambda: None,
) -> list[T]:
    """Do it for each, `at_once` at a time, and return what came of each, in their order.

    Once a stop is asked for, none is begun, and those under way are finished: what is returned
    is then of the first so many. `done` is called after each.
    """
    results: dict[int, T] = {}
    waiting = iter(enumerate(things))

    async def work() -> None:
        while not stop.is_asked:
            place, thing = next(waiting, (None, None))
            if place is None:
                return
            results[place] = await act(thing)  # type: ignore[arg-type]
            done()

    await asyncio.gather(*(work() for _ in range(min(at_once, len(things)))))
    return [results[place] for place in range(len(results))]
