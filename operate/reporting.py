"""Callbacks for progress."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int], None]


def silently(what: str, done: int, of: int) -> None:
    """Tell nobody."""
