"""Callbacks for progress."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[str, int, int], None]


def no_progress(what: str, done: int, of: int) -> None:
    """Tell nobody."""
