"""Interruptions of an operation by its progress callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def interrupted(after: int) -> Callable[[str, int, int], None]:
    """Return a callback that raises Ctrl-C at that page, counted from the beginning."""
    calls = -1

    def report(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt

    return report
