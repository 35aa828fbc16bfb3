"""Counter that reports progress after each step."""

from __future__ import annotations

import itertools
from collections.abc import Callable


class ProgressCounter:
    """Counts steps and reports each. Thread-safe. `of` is the approximate total."""

    def __init__(
        self, on_progress: Callable[[str, int, int], None], what: str, of: int, done: int = 0
    ) -> None:
        self._on_progress = on_progress
        self._what = what
        self._of = of
        self._next = itertools.count(done + 1)
        on_progress(what, done, max(of, done))

    def add(self) -> None:
        """Count one more."""
        done = next(self._next)
        self._on_progress(self._what, done, max(self._of, done))
