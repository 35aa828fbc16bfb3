"""Limit the metrics and log lines in moto, which keeps them for ever."""

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
"""Maximum number of single metric values in a region."""
KEPT_SETS = 10_000
"""Number of statistic sets in a region from which those of the same minute are merged."""
KEPT_HOURS = 3
"""Maximum age of statistic sets: the ring's alarms evaluate at most two hours."""
KEPT_LINES = 20_000
"""Maximum number of lines in a log stream."""

_Series = tuple[Any, ...]


def drop_old_metrics() -> None:
    """Delete old values in each region, and merge statistic sets."""
    for regions in cloudwatch_backends.values():
        for backend in regions.values():
            if len(backend.metric_data) > 2 * (KEPT_VALUES + KEPT_SETS):
                backend.metric_data = _thinned(backend.metric_data)


def _thinned(data: list[MetricDatumBase]) -> list[MetricDatumBase]:
    values = [datum for datum in data if isinstance(datum, MetricDatum)][-KEPT_VALUES:]
    oldest = utcnow() - timedelta(hours=KEPT_HOURS)
    sets: dict[_Series, MetricAggregatedDatum] = {}
    for datum in data:
        if isinstance(datum, MetricAggregatedDatum) and _naive(datum.timestamp) >= oldest:
            first = sets.setdefault(_series(datum), datum)
            if first is not datum:
                _merge(first, datum)
    return [*values, *sets.values()]


def _series(datum: MetricDatumBase) -> _Series:
    """Return the identity of a metric and the minute of the datum."""
    dimensions = tuple((dimension.name, dimension.value) for dimension in datum.dimensions)
    minute = _naive(datum.timestamp).replace(second=0, microsecond=0)
    return (datum.namespace, datum.name, dimensions, datum.unit, minute)


def _naive(when: datetime) -> datetime:
    return when.replace(tzinfo=None)


def _merge(target: MetricAggregatedDatum, source: MetricAggregatedDatum) -> None:
    target.min = min(target.min, source.min)
    target.max = max(target.max, source.max)
    target.sum += source.sum
    target.sample_count += source.sample_count


def drop_old_lines() -> None:
    """Delete all but the last lines of each log stream."""
    for regions in logs_backends.values():
        for backend in regions.values():
            for group in backend.groups.values():
                for stream in group.streams.values():
                    if len(stream.events) > 2 * KEPT_LINES:
                        del stream.events[:-KEPT_LINES]
