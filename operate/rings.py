"""Run one operation on several rings at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from operate.errors import OperateError

if TYPE_CHECKING:
    from operate.aws.clients import ClientPool
    from operate.deployed import Deployed


class DeployedRing(Protocol):
    """A deployed ring, of a Pulumi stack or on this machine, as operations need it."""

    label: str
    """Name in results and messages."""
    name: str
    """Name of the stack."""
    is_local: bool
    """Whether `automate.py local` runs the ring."""

    def expect_ready(self, operation: str | None = None) -> None:
        """Raise `PrerequisiteError` if `deployed`, or this operation, would."""

    def deployed(self) -> Deployed:
        """Return what is deployed. Raises `OperateError`."""

    def clients(self) -> ClientPool:
        """Return AWS clients for the members."""

    def cancel(self) -> None:
        """Cancel the running operation, in order."""


@dataclass(frozen=True)
class CatchUp:
    """How long a hop must have kept up to have caught up, and how often this is looked at."""

    stable_for: timedelta
    poll_seconds: float


ON_AWS = CatchUp(timedelta(minutes=10), 15.0)
"""A mapping may take minutes to start, a metric to appear:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html"""

Command = Callable[[str], str]
"""Completes a command to advise: `resume us-east-1` to all of it, in backticks."""


def command_for(ring: DeployedRing) -> Command:
    """Return what completes commands for a ring. One on this machine needs its URL."""
    selection = f" --local {ring.name}" if ring.is_local else ""
    return lambda words: f"`automate.py {words}{selection}`"


_CANCEL_SECONDS = 1.0
"""Seconds that a cancelled read-only operation has to end."""

R = TypeVar("R", bound=DeployedRing)
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """Result or error of an operation on a ring."""

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
    """Run an action on every ring, `jobs` at a time. A failure does not stop the others.

    The first Ctrl-C cancels all of them in order, the second one at once; `on_cancel` is called
    after each. With `reads_only` nothing can be left half done, so Ctrl-C does not wait for
    regions that do not answer.
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
                wait(futures, _CANCEL_SECONDS)
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            on_cancel()
    pool.shutdown()
    return [future.result() for future in futures]
