"""Metrics on their way to CloudWatch: values of log lines and invocations, gathered for a while.

Of a metric with many values a line, such as a lag, each value is kept, for percentiles. All other
values become a statistic set, so that a busy hop does not fill the memory.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_AT_ONCE = 500
"""Metrics in one PutMetricData; CloudWatch takes 1,000."""


@dataclass(frozen=True)
class Metric:
    """A metric by its names, and its unit."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str = "Count"


def function_metric(name: str, function: str, unit: str = "Count") -> Metric:
    """Return a metric of Lambda's about a function.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    return Metric("AWS/Lambda", name, (("FunctionName", function),), unit)


def mapping_metric(name: str, uuid: str) -> Metric:
    """Return a metric of Lambda's about an event source mapping."""
    return Metric("AWS/Lambda", name, (("EventSourceMappingUUID", uuid),))


@dataclass
class _Set:
    """A statistic set, and when its last value was measured."""

    when: float
    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, value: float, count: int) -> None:
        self.count += count
        self.total += value * count
        self.least = min(self.least, value)
        self.most = max(self.most, value)


@dataclass
class _Values:
    when: float
    values: list[float] = field(default_factory=list)


class MetricBuffer:
    """Values of metrics, until they are taken away. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[Metric, _Set] = {}
        self._values: dict[Metric, _Values] = {}

    def add(self, metric: Metric, value: float, when: float, count: int = 1) -> None:
        """Add a value, `count` times."""
        with self._lock:
            found = self._sets.setdefault(metric, _Set(when))
            found.when = max(found.when, when)
            found.add(value, count)

    def add_values(self, metric: Metric, values: list[float], when: float) -> None:
        """Add values that are told apart later."""
        with self._lock:
            found = self._values.setdefault(metric, _Values(when))
            found.when = max(found.when, when)
            found.values.extend(values)

    def add_line(self, line: str) -> None:
        """Add what a log line in the embedded metric format measures.

        Raises `ValueError`, `LookupError` or `TypeError` for a line that is in no such format.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        fields = json.loads(line)
        told = fields["_aws"]
        when = told["Timestamp"] / 1000
        for directive in told["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple((name, str(fields[name])) for name in names)
                for one in directive["Metrics"]:
                    unit = one.get("Unit", "None")
                    metric = Metric(directive["Namespace"], one["Name"], dimensions, unit)
                    value = fields[one["Name"]]
                    if isinstance(value, list):
                        self.add_values(metric, [float(each) for each in value], when)
                    else:
                        self.add(metric, float(value), when)

    def take(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Take all away: requests for PutMetricData, each a namespace and its data."""
        with self._lock:
            sets, self._sets = self._sets, {}
            values, self._values = self._values, {}
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for metric, several in values.items():
            if several.values:
                datum = {**_told(metric, several.when), "Values": several.values}
                by_namespace.setdefault(metric.namespace, []).append(datum)
        for metric, one in sets.items():
            statistics = {
                "SampleCount": float(one.count),
                "Sum": one.total,
                "Minimum": one.least,
                "Maximum": one.most,
            }
            datum = {**_told(metric, one.when), "StatisticValues": statistics}
            by_namespace.setdefault(metric.namespace, []).append(datum)
        for namespace, data in by_namespace.items():
            for at in range(0, len(data), _AT_ONCE):
                yield namespace, data[at : at + _AT_ONCE]


def _told(metric: Metric, when: float) -> Mapping[str, Any]:
    return {
        "MetricName": metric.name,
        "Unit": metric.unit,
        "Timestamp": datetime.fromtimestamp(when, UTC),
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


table_metrics: dict[tuple[str, str], MetricBuffer] = {}
