"""What moto would keep of metrics and log lines for ever, kept for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from moto.cloudwatch.models import (
    MetricAggregatedDatum,
    MetricDatum,
    MetricDatumBase,
    cloudwatch_backends,
)
from moto.core.utils import utcnow
from moto.logs.models import logs_backends

KEPT_VALUES = 30_000
"""Single values of a region's metrics."""
KEPT_SETS = 10_000
"""Statistic sets of a region's metrics, from which on those of one minute become one."""
KEPT_HOURS = 3
"""Statistic sets that are older go: the longest look of the ring's alarms is two hours."""
KEPT_LINES = 20_000
"""Lines of a log stream."""

_Series = tuple[Any, ...]


def drop_old_metrics() -> None:
    """Let go of all but the last values of each region's metrics, and put sets together."""
    for regions in cloudwatch_backends.values():
        for backend in regions.values():
            if len(backend.metric_data) > 2 * (KEPT_VALUES + KEPT_SETS):
                backend.metric_data = _thinned(backend.metric_data)


def _thinned(data: list[MetricDatumBase]) -> list[MetricDatumBase]:
    values = [one for one in data if isinstance(one, MetricDatum)][-KEPT_VALUES:]
    oldest = utcnow() - timedelta(hours=KEPT_HOURS)
    sets: dict[_Series, MetricAggregatedDatum] = {}
    for one in data:
        if isinstance(one, MetricAggregatedDatum) and _naive(one.timestamp) >= oldest:
            into = sets.setdefault(_series(one), one)
            if into is not one:
                _merge(into, one)
    return [*values, *sets.values()]


def _series(one: MetricDatumBase) -> _Series:
    """Name a metric and a minute of it."""
    dimensions = tuple((each.name, each.value) for each in one.dimensions)
    minute = _naive(one.timestamp).replace(second=0, microsecond=0)
    return (one.namespace, one.name, dimensions, one.unit, minute)


def _naive(when: datetime) -> datetime:
    return when.replace(tzinfo=None)


def _merge(into: MetricAggregatedDatum, one: MetricAggregatedDatum) -> None:
    into.min = min(into.min, one.min)
    into.max = max(into.max, one.max)
    into.sum += one.sum
    into.sample_count += one.sample_count


def drop_old_lines() -> None:
    """Let go of all but the last lines of each log stream."""
    for regions in logs_backends.values():
        for backend in regions.values():
            for group in backend.groups.values():
                for stream in group.streams.values():
                    if len(stream.events) > 2 * KEPT_LINES:
                        del stream.events[:-KEPT_LINES]
