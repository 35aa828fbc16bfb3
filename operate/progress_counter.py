"""How much of something is done, told after each."""

from __future__ import annotations

import itertools
from collections.abc import Callable


class ProgressCounter:
    """Counts what is done and tells it; threads may share it. `of` is about how much there is."""

    def __init__(
        self, tell: Callable[[str, int, int], None], what: str, of: int, done: int = 0
    ) -> None:
        self._tell = tell
        self._what = what
        self._of = of
        self._next = itertools.count(done + 1)
        tell(what, done, max(of, done))

    def add(self) -> None:
        """Count one more."""
        done = next(self._next)
        self._tell(self._what, done, max(self._of, done))
