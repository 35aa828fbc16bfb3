"""The alarms of moto's CloudWatch, judged: moto keeps them and looks at no value.

Their actions are not taken: a change of state is to be seen, and is told to nobody.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Self

from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    MetricDataQuery,
    MetricDatum,
    MetricDatumBase,
    cloudwatch_backends,
)

from local.cloudwatch.alarm_states import NotKnownHereError, state
from local.cloudwatch.metrics import table_metrics

SECONDS = 10.0
"""Between two looks at all alarms; CloudWatch looks every minute."""
_log = logging.getLogger(__name__)

_Name = tuple[str, str, frozenset[tuple[str, str]]]


class Alarms:
    """Judges alarms, from a thread of its own, for as long as the context lasts.

    `alone` keeps requests out meanwhile; `now` is in seconds since 1970. Alarms on metrics of the
    namespaces `unmeasured`, which nobody measures here, are not judged.
    """

    def __init__(
        self,
        alone: AbstractContextManager[object],
        unmeasured: frozenset[str] = frozenset(),
        now: Callable[[], float] = lambda: datetime.now(UTC).timestamp(),
    ) -> None:
        self._alone = alone
        self._unmeasured = unmeasured
        self._now = now
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            try:
                self.look()
            except Exception:
                _log.exception("Alarms were not judged.")

    def look(self) -> None:
        """Publish what tables measured, and judge every alarm by what is in CloudWatch then."""
        with self._alone:
            _publish()
        for regions in list(cloudwatch_backends.values()):
            for backend in list(regions.values()):
                with self._alone:
                    _judge(backend, self._unmeasured, self._now())


def _publish() -> None:
    for (account, region), gathered in list(table_metrics.items()):
        for namespace, data in gathered.take():
            # A time that comes by HTTP has no zone in moto, and others do not compare with it.
            plain = [{**one, "Timestamp": one["Timestamp"].replace(tzinfo=None)} for one in data]
            cloudwatch_backends[account][region].put_metric_data(namespace, plain)


def _judge(backend: CloudWatchBackend, unmeasured: frozenset[str], now: float) -> None:
    alarms = [alarm for alarm in backend.alarms.values() if not alarm.rule]
    told = [_inputs(alarm) for alarm in alarms]
    values = _Values(backend.metric_data, {name for one in told for name in _watched(one)}, now)
    for alarm, inputs in zip(alarms, told, strict=True):
        try:
            _check_measured(inputs, unmeasured)
            new, reason = state(inputs, values.datapoints), "By the values of its last periods."
        except (NotKnownHereError, KeyError, TypeError, ValueError, SyntaxError) as error:
            new = "INSUFFICIENT_DATA"
            reason = f"A local ring does not judge alarms of this kind: {error}"
        if (new, reason) != (alarm.state_value, alarm.state_reason):
            alarm.update_state(reason, "{}", new)


def _check_measured(inputs: Mapping[str, Any], unmeasured: frozenset[str]) -> None:
    """Refuse an alarm on what nobody measures. Raises `NotKnownHereError`."""
    for namespace in unmeasured & {name[0] for name in _watched(inputs)}:
        raise NotKnownHereError(f"nothing measures {namespace} here")


class _Values:
    """The values of the metrics that are watched, by their names."""

    def __init__(self, data: Sequence[MetricDatumBase], watched: set[_Name], now: float) -> None:
        self._now = now
        self._by_name: dict[_Name, list[MetricDatumBase]] = {name: [] for name in watched}
        for one in data:
            dimensions = frozenset((str(each.name), each.value or "") for each in one.dimensions)
            found = self._by_name.get((one.namespace, one.name, dimensions))
            if found is not None:
                found.append(one)

    def datapoints(
        self, metric: Mapping[str, Any], statistic: str, periods: int
    ) -> Sequence[float | None]:
        """The values of a metric in its last periods, as `cloudwatch.alarm_states` wants them."""
        period = int(metric["period"])
        buckets: list[list[MetricDatumBase]] = [[] for _ in range(periods)]
        for one in self._by_name[_name(metric)]:
            back = int((self._now - one.timestamp.replace(tzinfo=UTC).timestamp()) // period)
            if -1 <= back < periods:  # its clock may be a little ahead
                buckets[periods - 1 - max(back, 0)].append(one)
        return [_statistic(one, statistic) if one else None for one in buckets]


def _statistic(data: Sequence[MetricDatumBase], statistic: str) -> float:
    parts = [_parts(one) for one in data]
    count = sum(part[0] for part in parts)
    total = sum(part[1] for part in parts)
    known: Mapping[str, float] = {
        "Sum": total,
        "SampleCount": count,
        "Maximum": max(part[2] for part in parts),
        "Average": total / count,
    }
    if statistic not in known:
        raise NotKnownHereError(statistic)
    return known[statistic]


def _parts(one: MetricDatumBase) -> tuple[float, float, float]:
    """How many values a datum stands for, their sum, and the greatest."""
    if isinstance(one, MetricAggregatedDatum):
        return one.sample_count, one.sum, one.max
    assert isinstance(one, MetricDatum)
    return 1, one.value, one.value


def _name(metric: Mapping[str, Any]) -> _Name:
    return metric["namespace"], metric["metricName"], frozenset(metric["dimensions"].items())


def _watched(inputs: Mapping[str, Any]) -> Iterator[_Name]:
    queries = inputs["metricQueries"]
    for metric in [query["metric"] for query in queries if "metric" in query] or [inputs]:
        yield _name(metric)


def _inputs(alarm: Alarm) -> Mapping[str, Any]:
    """What a program would declare of an alarm."""
    return {
        "comparisonOperator": alarm.comparison_operator,
        "evaluationPeriods": alarm.evaluation_periods,
        "datapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "threshold": float(alarm.threshold) if alarm.threshold is not None else None,
        "treatMissingData": alarm.treat_missing_data or "missing",
        "namespace": alarm.namespace,
        "metricName": alarm.metric_name,
        "dimensions": {one.name: one.value for one in alarm.dimensions},
        "period": alarm.period,
        "statistic": alarm.statistic or alarm.extended_statistic,
        "metricQueries": [_query(query) for query in alarm.metric_data_queries],
    }


def _query(query: MetricDataQuery) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "id": query.id,
        "returnData": str(query.return_data).lower() == "true",
    }
    if query.expression:
        told["expression"] = query.expression
    if query.metric_stat:
        metric = query.metric_stat.metric
        told["metric"] = {
            "namespace": metric.namespace,
            "metricName": metric.metric_name,
            "dimensions": {one.name: one.value for one in metric.dimensions},
            "period": query.metric_stat.period,
            "stat": query.metric_stat.stat,
        }
    return told
