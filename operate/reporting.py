"""Progress callbacks."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[str, int, int], None]
"""Receives the current activity, how much of it is done, and the (approximate) total."""


def no_progress(what: str, done: int, of: int) -> None:
    """Ignore progress."""
