"""Evaluate the alarms in moto, which stores them but never evaluates them.

Alarm actions are not executed: a change of state is visible in the API only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDataQuery,
    MetricDatum,
    MetricDatumBase,
    cloudwatch_backends,
)

from local.cloudwatch.alarm_states import UnsupportedAlarmError, state
from local.cloudwatch.delivery import put_metrics
from local.cloudwatch.metrics import table_metrics
from local.moto_lock import MOTO_LOCK
from local.periodic import Periodic

SECONDS = 10.0
"""Interval between two evaluations; CloudWatch evaluates every minute."""

_DURATIONS = frozenset({"IteratorAge"})
_Name = tuple[str, str, frozenset[tuple[str, str]]]


class Alarms(Periodic):
    """Evaluate alarms in a background thread while the context lasts.

    `now` is in seconds since 1970. Alarms on metrics of the namespaces in `unmeasured`, for which
    there is no data, are not evaluated. With a `speed` above 1, a minute of an alarm's periods
    takes that much less, and durations count that much more. `before` is called before each
    evaluation in the background.
    """

    def __init__(
        self,
        unmeasured: frozenset[str] = frozenset(),
        now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
        speed: float = 1.0,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self._before = before
        self._unmeasured = unmeasured
        self._now = now
        self._speed = speed
        super().__init__("alarms", SECONDS / speed)

    def work(self) -> None:
        """Evaluate every alarm."""
        self._before()
        self.evaluate()

    def evaluate(self) -> None:
        """Publish the tables' metrics, then evaluate every alarm."""
        with MOTO_LOCK:
            _publish()
        for regions in list(cloudwatch_backends.values()):
            for backend in list(regions.values()):
                with MOTO_LOCK:
                    _evaluate(backend, self._unmeasured, self._now(), self._speed)


def _publish() -> None:
    for (account, region), metrics in list(table_metrics.items()):
        put_metrics(account, region, metrics)


def _evaluate(
    backend: CloudWatchBackend, unmeasured: frozenset[str], now: float, speed: float
) -> None:
    alarms = [(alarm, _inputs(alarm)) for alarm in backend.alarms.values() if not alarm.rule]
    watched = {name for _, inputs in alarms for name in _watched(inputs)}
    values = _Values(backend.metric_data, watched, now, speed)
    for alarm, inputs in alarms:
        try:
            _check_measured(inputs, unmeasured)
            new, reason = state(inputs, values.datapoints), "By the values of its last periods."
        except (UnsupportedAlarmError, KeyError, TypeError, ValueError, SyntaxError) as error:
            new = "INSUFFICIENT_DATA"
            reason = f"A local ring does not evaluate this alarm: {error}"
        if (new, reason) != (alarm.state_value, alarm.state_reason):
            alarm.update_state(reason, "{}", new)


def _check_measured(inputs: Mapping[str, Any], unmeasured: frozenset[str]) -> None:
    """Reject an alarm on metrics without a source. Raises `UnsupportedAlarmError`."""
    for namespace in unmeasured & {name[0] for name in _watched(inputs)}:
        raise UnsupportedAlarmError(f"there are no metrics of {namespace}")


class _Values:
    """Values of the metrics that alarms watch, by their names."""

    def __init__(
        self, data: Sequence[MetricDatumBase], watched: set[_Name], now: float, speed: float
    ) -> None:
        self._now = now
        self._speed = speed
        self._by_name: dict[_Name, list[MetricDatumBase]] = {name: [] for name in watched}
        for datum in data:
            dimensions = frozenset((str(each.name), each.value or "") for each in datum.dimensions)
            series = self._by_name.get((datum.namespace, datum.name, dimensions))
            if series is not None:
                series.append(datum)

    def datapoints(
        self, metric: Mapping[str, Any], statistic: str, periods: int
    ) -> Sequence[float | None]:
        """Return a metric's value in each of the last periods (see `alarm_states.Datapoints`)."""
        period = int(metric["period"]) / self._speed
        scale = self._speed if metric["metricName"] in _DURATIONS else 1.0
        buckets: list[list[MetricDatumBase]] = [[] for _ in range(periods)]
        for datum in self._by_name[_name(metric)]:
            back = int((self._now - datum.timestamp.replace(tzinfo=UTC).timestamp()) // period)
            if -1 <= back < periods:  # its clock may be slightly ahead
                buckets[periods - 1 - max(back, 0)].append(datum)
        return [_statistic(bucket, statistic) * scale if bucket else None for bucket in buckets]


def _statistic(data: Sequence[MetricDatumBase], statistic: str) -> float:
    parts = [_parts(datum) for datum in data]
    count = sum(part[0] for part in parts)
    total = sum(part[1] for part in parts)
    known: Mapping[str, float] = {
        "Sum": total,
        "SampleCount": count,
        "Maximum": max(part[2] for part in parts),
        "Average": total / count,
    }
    if statistic not in known:
        raise UnsupportedAlarmError(statistic)
    return known[statistic]


def _parts(datum: MetricDatumBase) -> tuple[float, float, float]:
    """Return a datum's sample count, sum and maximum."""
    if isinstance(datum, MetricAggregatedDatum):
        return datum.sample_count, datum.sum, datum.max
    assert isinstance(datum, MetricDatum)
    return 1, datum.value, datum.value


def _name(metric: Mapping[str, Any]) -> _Name:
    return metric["namespace"], metric["metricName"], frozenset(metric["dimensions"].items())


def _watched(inputs: Mapping[str, Any]) -> Iterator[_Name]:
    queries = inputs["metricQueries"]
    for metric in [query["metric"] for query in queries if "metric" in query] or [inputs]:
        yield _name(metric)


def _inputs(alarm: Alarm) -> Mapping[str, Any]:
    """Return the inputs by which a program would declare the alarm."""
    return {
        "comparisonOperator": alarm.comparison_operator,
        "evaluationPeriods": alarm.evaluation_periods,
        "datapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "threshold": float(alarm.threshold) if alarm.threshold is not None else None,
        "treatMissingData": alarm.treat_missing_data or "missing",
        "namespace": alarm.namespace,
        "metricName": alarm.metric_name,
        "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
        "period": alarm.period,
        "statistic": alarm.statistic or alarm.extended_statistic,
        "metricQueries": [_query(query) for query in alarm.metric_data_queries],
    }


def _query(query: MetricDataQuery) -> Mapping[str, Any]:
    inputs: dict[str, Any] = {
        "id": query.id,
        "returnData": str(query.return_data).lower() == "true",
    }
    if query.expression:
        inputs["expression"] = query.expression
    if query.metric_stat:
        metric = query.metric_stat.metric
        inputs["metric"] = {
            "namespace": metric.namespace,
            "metricName": metric.metric_name,
            "dimensions": {dimension.name: dimension.value for dimension in metric.dimensions},
            "period": query.metric_stat.period,
            "stat": query.metric_stat.stat,
        }
    return inputs
