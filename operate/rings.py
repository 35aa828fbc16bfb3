"""One operation on many rings at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.errors import OperateError


class DeployedRing(Protocol):
    """A ring that is deployed, by whatever: what an operation on it while it runs needs."""

    label: str
    """What results call it."""
    name: str
    """Its stack's name."""

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""

    def expect_ready(self) -> None:
        """See that it can be asked what is deployed. Raises `PrerequisiteError`."""

    def deployed(self) -> Deployed:
        """What is deployed of it. Raises `OperateError`."""

    def clients(self) -> ClientPool:
        """Clients that reach its members."""

    def cancel(self) -> None:
        """Have what is done to it end in order."""


_ENDING = 1.0
"""Seconds that what is cancelled has to end, where nothing is lost if it does not."""

R = TypeVar("R", bound=DeployedRing)
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How an operation on a ring ended: with a result, or with an error."""

    ring: DeployedRing
    result: T | None = None
    error: OperateError | None = None


def run_on_all(
    rings: Sequence[R],
    action: Callable[[R], T],
    *,
    jobs: int = 4,
    on_cancel: Callable[[], object] = lambda: None,
    reads_only: bool = False,
) -> list[Outcome[T]]:
    """Do the same to every ring, `jobs` at a time; one that fails does not keep the others.

    Ctrl-C cancels all of them in order, a second one at once; `on_cancel` is called after each.
    What `reads_only` leaves nothing half done: Ctrl-C ends it, whoever does not answer.
    """

    def guarded(ring: R) -> Outcome[T]:
        try:
            return Outcome(ring, result=action(ring))
        except OperateError as error:
            return Outcome(ring, error=error)

    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(guarded, ring) for ring in rings]
    while True:
        try:
            wait(futures)
            break
        except KeyboardInterrupt:
            for ring in rings:
                ring.cancel()
            if reads_only:
                wait(futures, _ENDING)
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            on_cancel()
    pool.shutdown()
    return [future.result() for future in futures]
