"""A request to end in order, which all that takes long looks at between two steps."""

from __future__ import annotations

import time

from operate.errors import CancelledError

_LOOK_EVERY = 0.05  # seconds


class StoppedError(CancelledError):
    """It was stopped: what was under way is finished and noted, the rest not begun."""

    def __init__(self) -> None:
        super().__init__("Stopped. What is done is noted: the same command goes on from there.")


class Stop:
    """Asked for once, and never taken back. `outer` is another request that counts as well.

    A signal's handler may ask for it at any moment, so it takes no lock: one that the interrupted
    thread holds would never be let go.
    """

    def __init__(self, outer: Stop | None = None) -> None:
        self._outer = outer
        self._is_asked = False

    def ask(self) -> None:
        """Ask for the end."""
        self._is_asked = True

    @property
    def is_asked(self) -> bool:
        """Whether it was asked for."""
        return self._is_asked or (self._outer is not None and self._outer.is_asked)

    def check(self) -> None:
        """Raise `StoppedError` if it was asked for."""
        if self.is_asked:
            raise StoppedError

    def sleep(self, seconds: float) -> None:
        """Sleep, unless it is asked for before or meanwhile. Raises `StoppedError`."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_EVERY))
            self.check()
