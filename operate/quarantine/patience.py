"""Patience of a redrive with failing calls, for progress instead of for a whole entry."""

from __future__ import annotations

import time
from collections.abc import Callable

from handler.errors import is_transient
from handler.model.records import Change
from handler.protocol.hop import Hop, Outcome
from handler.protocol.replay import replay
from handler.retry import DeadlineExceededError

PATIENCE_SECONDS = 60.0
"""How long calls of an entry may fail before another record of it is done."""


class NoProgressError(TimeoutError):
    """Calls failed for `PATIENCE_SECONDS`, and no record was done meanwhile. Transient."""

    def __init__(self) -> None:
        super().__init__(
            f"Calls failed for {PATIENCE_SECONDS:.0f} seconds, and no record was replayed "
            "meanwhile, so no more calls were made. The entry stays in the quarantine: redrive it "
            "again when the tables at both ends of the hop answer without errors and throttling."
        )


class Patience:
    """Time for the calls of one entry: unlimited while they succeed, however many records it has.

    It runs from the first transient error until a record is done. All keys share it, so that an
    entry of many keys ends in time when a table does not answer at all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the patience of an entry. `clock` returns seconds that never go back."""
        self._clock = clock
        self._failing_since: float | None = None

    def remaining(self) -> float:
        """Return the seconds in which calls may still be made."""
        if self._failing_since is None:
            return PATIENCE_SECONDS
        return PATIENCE_SECONDS - (self._clock() - self._failing_since)

    def note_error(self, error: Exception) -> bool:
        """Note the error of a call, and return whether it is transient."""
        if not is_transient(error):
            return False
        if self._failing_since is None:
            self._failing_since = self._clock()
        return True

    async def replay(self, change: Change, hop: Hop) -> Outcome:
        """Replay a change. It is done if it is replicated, or fails for good.

        Raises:
            NoProgressError: no time was left for its calls.
            Exception: what `handler.protocol.replay.replay` raises.
        """
        try:
            outcome = await replay(change, hop)
        except DeadlineExceededError as error:
            raise NoProgressError from error
        except Exception as error:
            if not is_transient(error):
                self._failing_since = None
            raise
        self._failing_since = None
        return outcome
