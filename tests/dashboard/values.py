"""What CloudWatch would have in store, and what it makes of it for a graph."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Name = tuple[str, ...]
"""A metric: its namespace, its name, then its dimensions' names and values by turns."""
Points = dict[float, float]
"""Values by the time, in seconds, at which their period begins."""


@dataclass
class Values:
    """The values of metrics, each with its time in seconds."""

    _values: dict[Name, list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def hear(self, lines: Iterable[str]) -> None:
        """Take in log lines, as CloudWatch does those in its embedded metric format."""
        for line in lines:
            told = json.loads(line)
            for directive in told.get("_aws", {}).get("CloudWatchMetrics", ()):
                self._take(told, directive)

    def _take(self, told: dict[str, Any], directive: dict[str, Any]) -> None:
        seconds = told["_aws"]["Timestamp"] / 1000
        (dimensions,) = directive["Dimensions"]
        where = [part for name in dimensions for part in (name, told[name])]
        for metric in directive["Metrics"]:
            values = told[metric["Name"]]
            for value in values if isinstance(values, list) else [values]:
                self.put((directive["Namespace"], metric["Name"], *where), seconds, value)

    def put(self, name: Name, seconds: float, value: float) -> None:
        self._values[name].append((seconds, value))

    @property
    def times(self) -> tuple[float, float]:
        """From when to when there are values, in seconds."""
        known = [seconds for values in self._values.values() for seconds, _ in values]
        return min(known), max(known)

    def points(self, name: Name, statistic: str, period: float) -> Points:
        """The values of a graph's line, one for each period in which there were any."""
        periods: dict[float, list[float]] = defaultdict(list)
        for seconds, value in self._values.get(name, ()):
            periods[seconds // period * period].append(value)
        return {start: _made_one(values, statistic) for start, values in sorted(periods.items())}


def _made_one(values: Sequence[float], statistic: str) -> float:
    match statistic:
        case "Sum":
            return sum(values)
        case "Maximum":
            return max(values)
        case "Average":
            return sum(values) / len(values)
    ordered = sorted(values)
    return ordered[math.ceil(float(statistic.removeprefix("p")) / 100 * len(ordered)) - 1]


def lines_of(properties: dict[str, Any], values: Values, period: float) -> dict[str, Points]:
    """The lines of a graph by their labels, those of expressions worked out."""
    shown: dict[str, Points] = {}
    by_id: dict[str, Points] = {}
    expressions = [one[0] for one in properties["metrics"] if "expression" in one[0]]
    for *name, options in (one for one in properties["metrics"] if one[0] not in expressions):
        points = values.points(tuple(name), options["stat"], period)
        by_id[options.get("id", options["label"])] = points
        if options.get("visible", True):
            shown[options["label"]] = points
    for one in expressions:
        shown[one["label"]] = _worked_out(one["expression"], by_id)
    return shown


def _worked_out(expression: str, by_id: dict[str, Points]) -> Points:
    """The values of an expression wherever all that it names has one."""
    named = {name: points for name, points in by_id.items() if name in expression.split()}
    times = set.intersection(*(set(points) for points in named.values()))
    return {
        time: float(eval(expression, {}, {name: points[time] for name, points in named.items()}))
        for time in sorted(times)
    }
