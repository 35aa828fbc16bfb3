"""Wait for the lock that an engine holds on a trial's stack."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pulumi.automation import ConcurrentUpdateError

from operate.errors import OperationFailedError
from operate.trial.context import Trial

T = TypeVar("T")


def when_unlocked(trial: Trial, run: Callable[[], T]) -> T:
    """Run an operation of the engine, when that of a killed process has ended.

    An engine may outlive the process that started it, and removes its lock at its end. One that
    was killed as well leaves it: then it is removed, as the trial's stack is nobody else's.
    """
    end = time.monotonic() + trial.patience.lock
    while True:
        try:
            return run()
        except OperationFailedError as error:
            if not isinstance(error.__cause__, ConcurrentUpdateError):
                raise
            trial.on_progress("another operation of the engine holds the stack's lock: waiting")
            if time.monotonic() > end:
                trial.ring.break_lock()
                return run()
            trial.stop.sleep(trial.patience.poll)
