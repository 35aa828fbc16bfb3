"""Buffer for metric values from log lines and invocations, until they are sent to CloudWatch.

If a log line has a list of values for a metric, such as the lag, each value is kept, for
percentiles. All other values are aggregated to a statistic set, so that a busy hop does not fill
the memory.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_MAX_DATA = 500
"""Metrics in one PutMetricData; CloudWatch takes 1,000."""


@dataclass(frozen=True)
class Metric:
    """A metric's namespace, name, dimensions and unit."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str = "Count"


def function_metric(name: str, function: str, unit: str = "Count") -> Metric:
    """Return a Lambda metric of a function.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    return Metric("AWS/Lambda", name, (("FunctionName", function),), unit)


def mapping_metric(name: str, uuid: str) -> Metric:
    """Return a Lambda metric of an event source mapping."""
    return Metric("AWS/Lambda", name, (("EventSourceMappingUUID", uuid),))


@dataclass
class _Set:
    """A statistic set and the time of its last value."""

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
    """Values of metrics until `take`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[Metric, _Set] = {}
        self._values: dict[Metric, _Values] = {}

    def add(self, metric: Metric, value: float, when: float, count: int = 1) -> None:
        """Add a value, `count` times."""
        with self._lock:
            statistics = self._sets.setdefault(metric, _Set(when))
            statistics.when = max(statistics.when, when)
            statistics.add(value, count)

    def add_values(self, metric: Metric, values: list[float], when: float) -> None:
        """Add values that are kept individually."""
        with self._lock:
            series = self._values.setdefault(metric, _Values(when))
            series.when = max(series.when, when)
            series.values.extend(values)

    def add_line(self, line: str) -> None:
        """Add the metrics of a log line in the embedded metric format.

        Raises `ValueError`, `LookupError` or `TypeError` for a line in another format.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
        """
        fields = json.loads(line)
        metadata = fields["_aws"]
        when = metadata["Timestamp"] / 1000
        for directive in metadata["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple((name, str(fields[name])) for name in names)
                for definition in directive["Metrics"]:
                    name, unit = definition["Name"], definition.get("Unit", "None")
                    metric = Metric(directive["Namespace"], name, dimensions, unit)
                    value = fields[name]
                    if isinstance(value, list):
                        self.add_values(metric, [float(element) for element in value], when)
                    else:
                        self.add(metric, float(value), when)

    def take(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Empty the buffer; yield namespace and data of each PutMetricData request."""
        with self._lock:
            sets, self._sets = self._sets, {}
            values, self._values = self._values, {}
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for metric, series in values.items():
            if series.values:
                datum = {**_datum(metric, series.when), "Values": series.values}
                by_namespace.setdefault(metric.namespace, []).append(datum)
        for metric, aggregate in sets.items():
            statistics = {
                "SampleCount": float(aggregate.count),
                "Sum": aggregate.total,
                "Minimum": aggregate.least,
                "Maximum": aggregate.most,
            }
            datum = {**_datum(metric, aggregate.when), "StatisticValues": statistics}
            by_namespace.setdefault(metric.namespace, []).append(datum)
        for namespace, data in by_namespace.items():
            for start in range(0, len(data), _MAX_DATA):
                yield namespace, data[start : start + _MAX_DATA]


def _datum(metric: Metric, when: float) -> Mapping[str, Any]:
    return {
        "MetricName": metric.name,
        "Unit": metric.unit,
        "Timestamp": datetime.fromtimestamp(when, UTC),
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


table_metrics: dict[tuple[str, str], MetricBuffer] = {}
"""DynamoDB's metrics of the tables in moto, by account and region, until they are published."""
