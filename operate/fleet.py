"""One operation on many rings at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from operate.errors import OperateError
from operate.stack import RingStack

T = TypeVar("T")


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How an operation on a ring ended: with a result, or with an error."""

    ring: RingStack
    result: T | None = None
    error: OperateError | None = None


def run_all(
    rings: Sequence[RingStack],
    action: Callable[[RingStack], T],
    *,
    jobs: int = 4,
    on_cancel: Callable[[], object] = lambda: None,
) -> list[Ended[T]]:
    """Do the same to every ring, `jobs` at a time; one that fails does not keep the others.

    Ctrl-C cancels all of them in order, a second one at once; `on_cancel` is called after each.
    """

    def guarded(ring: RingStack) -> Ended[T]:
        try:
            return Ended(ring, result=action(ring))
        except OperateError as error:
            return Ended(ring, error=error)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(guarded, ring) for ring in rings]
        while True:
            try:
                wait(futures)
                break
            except KeyboardInterrupt:
                for ring in rings:
                    ring.cancel()
                on_cancel()
    return [future.result() for future in futures]
