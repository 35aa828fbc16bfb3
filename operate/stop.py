"""Request for an orderly stop, which long operations check between two steps."""

from __future__ import annotations

import time

from operate.errors import CancelledError

_POLL_INTERVAL = 0.05  # seconds


class StoppedError(CancelledError):
    """A stop was requested: work in progress was finished and recorded, the rest not started."""

    def __init__(self) -> None:
        super().__init__("Stopped. Progress is saved: run the same command again to resume.")


class Stop:
    """Request to stop, made once and never withdrawn. A request of `outer` counts as well.

    A signal handler may make it at any moment, so it takes no lock: a lock held by the interrupted
    thread would never be released.
    """

    def __init__(self, outer: Stop | None = None) -> None:
        self._outer = outer
        self._is_asked = False

    def ask(self) -> None:
        """Request the stop."""
        self._is_asked = True

    @property
    def is_asked(self) -> bool:
        """Whether the stop, or the outer one, was requested."""
        return self._is_asked or (self._outer is not None and self._outer.is_asked)

    def check(self) -> None:
        """Raise `StoppedError` if the stop was requested."""
        if self.is_asked:
            raise StoppedError

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises `StoppedError` if the stop was, or is meanwhile, requested."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_INTERVAL))
            self.check()
