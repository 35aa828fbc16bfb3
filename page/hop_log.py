"""Rates and percentiles of a hop over the last minute, from its log lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operate.untrusted_json import MalformedJsonError, read_json

WINDOW = 60.0
"""Seconds over which rates and percentiles are taken."""


@dataclass(frozen=True)
class Spread:
    """Median and 99th percentile of a time, in seconds."""

    p50: float
    p99: float


def spread(values: Iterable[float]) -> Spread | None:
    """Return the percentiles of values (nearest rank); None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    last = len(ordered) - 1
    return Spread(ordered[round(last * 0.5)], ordered[round(last * 0.99)])


class Window:
    """Values of the last minute."""

    def __init__(self) -> None:
        self._values: deque[tuple[float, float]] = deque()

    def add(self, when: float, value: float) -> None:
        """Add a value at a time in seconds since 1970."""
        self._values.append((when, value))

    def at(self, now: float) -> list[float]:
        """Return the values of the minute before `now`; older ones are dropped."""
        while self._values and self._values[0][0] < now - WINDOW:
            self._values.popleft()
        return [value for _, value in self._values]


class HopLog:
    """What a hop's log says: counters since the page was opened, and values of the last minute."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.lags = Window()
        self.laps = Window()
        self._records = Window()
        self._since: float | None = None

    def add(self, when: float, line: Mapping[str, Any]) -> None:
        """Add a line of the event `batch`. See ``handler.metrics``.

        Whoever may write to the log may write such a line: values of another type are left out.
        """
        self._since = when if self._since is None else self._since
        for name, value in line.items():
            if type(value) is int:
                self.counts[name] = self.counts.get(name, 0) + value
        for name, window in (("lag", self.lags), ("lap", self.laps), ("records", self._records)):
            for value in _numbers(line.get(name)):
                window.add(when, value)

    def rate(self, now: float) -> float:
        """Return the records a second, over the last minute or since the first line."""
        seconds = min(WINDOW, max(1.0, now - (self._since or now)))
        return sum(self._records.at(now)) / seconds


def _numbers(value: Any) -> list[float]:
    """Return the numbers in a value that is a number or a list."""
    values = value if isinstance(value, list) else [value]
    return [float(one) for one in values if type(one) in (int, float)]


def batch_fields(text: str) -> Mapping[str, Any] | None:
    """Return the fields of a log line of the event `batch`; None for another line."""
    try:
        fields = read_json(text)
    except MalformedJsonError:
        return None
    is_batch = isinstance(fields, dict) and fields.get("event") == "batch"
    return fields if is_batch else None
