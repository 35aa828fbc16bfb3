"""Interruptions of an operation by its progress callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def interrupted(after: int) -> Callable[[str, int, int], None]:
    """What raises Ctrl-C when it was told so often of a page, behind the beginning."""
    calls = -1

    def tell(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt

    return tell
