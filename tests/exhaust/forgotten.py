"""New names for what a coroutine has forgotten, so that it can be run again from its beginning."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.exhaust.pool import MEMBER


def with_forgotten(known: dict[int, int], every: Iterable[int]) -> dict[Any, Any]:
    """Add to new names those of what is forgotten; records keep their place."""
    new: dict[Any, Any] = dict(known)
    every = set(every) | known.keys()
    free = iter(set(range(1, MEMBER)) - {*known.values()})
    new |= {name: next(free) for name in sorted(every - known.keys()) if name < MEMBER}
    low: Any = 0
    waiting: list[Any] = []
    for name in (*sorted(name for name in every if name >= MEMBER), None):
        if name is not None and name not in known:
            if waiting and waiting[-1] // MEMBER != name // MEMBER:
                _place(new, waiting, low, None)
            waiting.append(name)
            continue
        high = None if name is None else known[name]
        _place(new, waiting, low, high)
        low = high
    return new


def _place(new: dict[Any, Any], waiting: list[Any], low: Any, high: Any) -> None:
    """Give names between two others, of which each may be another member's."""
    if not waiting:
        return
    base = waiting[0] // MEMBER * MEMBER
    low = base if low is None or low < base else low
    high = low + 1 if high is None or high // MEMBER * MEMBER != base else high
    for place, name in enumerate(waiting):
        between = low + Fraction(place + 1, len(waiting) + 1) * (high - low)
        new[name] = int(between) if between.denominator == 1 else between
    waiting.clear()
