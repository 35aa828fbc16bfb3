"""Replication lag per hop and around the ring, from the metrics of the hops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.config import HopConfigError
from handler.metrics import DIMENSION, NAMESPACE
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.errors import OperationFailedError
from operate.hop_settings import settings_of

MOST_MINUTES = 24 * 60

_AT_ONCE = 8
_METRICS = {
    "lag": "lag",
    "round_trip": "lap",
    "heartbeat_lag": "beat_lag",
    "heartbeat_round_trip": "beat_lap",
}
"""Fields of `HopLag` -> metrics of the handler."""
_STATISTICS = {"count": "SampleCount", "p50": "p50", "p99": "p99", "max": "Maximum"}


@dataclass(frozen=True)
class Percentiles:
    """Distribution of a metric's values: their count, and p50, p99 and maximum in seconds."""

    count: int
    p50: float
    p99: float
    max: float


@dataclass(frozen=True)
class HopLag:
    """Measurements of a hop; None where there was nothing to measure.

    `lag` is the time from a write at its origin, at any member, until this hop applied it at
    `target`; `round_trip` the time from `target` to `target`, which this hop completes.
    `heartbeat_lag` and `heartbeat_round_trip` are the same of heartbeats; `heartbeat` says whether
    they are on at `source`. `iterator_age` is Lambda's largest iterator age, in seconds.
    """

    source: str
    target: str
    lag: Percentiles | None
    round_trip: Percentiles | None
    heartbeat_lag: Percentiles | None
    heartbeat_round_trip: Percentiles | None
    iterator_age: float | None
    heartbeat: bool


def lag(
    deployed: Deployed,
    clients: ClientPool,
    minutes: int,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[HopLag, ...]:
    """Return the measurements of a ring's hops in the last `minutes`, in ring order.

    Raises `OperateError`, after seconds if a region does not answer.
    """
    members = {member.name: member for member in deployed.members}
    until = now()
    window = _Window(until - timedelta(minutes=minutes), until, minutes * 60)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(
            pool.map(lambda hop: _of_hop(hop, members[hop.source], clients, window), deployed.hops)
        )


@dataclass(frozen=True)
class _Window:
    start: datetime
    end: datetime
    seconds: int


def _of_hop(
    hop: DeployedHop, source: DeployedMember, clients: ClientPool, window: _Window
) -> HopLag:
    name = hop.title
    if hop.function is None:
        raise OperationFailedError(f"{name} was not deployed completely: run `up` again.")
    with translate_aws_errors(name):
        functions, metrics = (
            clients.get(source.credentials, source.region, service, brief=True)
            for service in ("lambda", "cloudwatch")
        )
        try:
            config = settings_of(functions, hop.function)
        except HopConfigError as error:
            raise OperationFailedError(f"{name}: {error}") from error
        values = _values(metrics, config.name, hop.function, window)
    age = values["age"]
    return HopLag(
        hop.source,
        hop.target,
        **{field: _percentiles(metric, values) for field, metric in _METRICS.items()},
        iterator_age=max(age) / 1000 if age else None,  # the metric is in milliseconds
        heartbeat=config.heartbeat is not None,
    )


def _values(
    client: Any, name: str, function: str, window: _Window
) -> Mapping[str, Sequence[float]]:
    """Return CloudWatch's values by the queries' ids, one for each period that has any.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    response = client.get_metric_data(
        MetricDataQueries=list(_queries(name, function.rpartition(":")[2], window.seconds)),
        StartTime=window.start,
        EndTime=window.end,
    )
    return {result["Id"]: result["Values"] for result in response["MetricDataResults"]}


def _queries(name: str, function: str, period: int) -> Iterator[dict[str, Any]]:
    for metric in _METRICS.values():
        for field, statistic in _STATISTICS.items():
            source = {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": DIMENSION, "Value": name}],
            }
            yield _query(f"{metric}_{field}", source, statistic, period)
    source = {
        "Namespace": "AWS/Lambda",
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    yield _query("age", source, "Maximum", period)


def _query(id_: str, metric: Mapping[str, Any], statistic: str, period: int) -> dict[str, Any]:
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def _percentiles(metric: str, values: Mapping[str, Sequence[float]]) -> Percentiles | None:
    """Merge the periods of a metric: CloudWatch may align its own, so that the window has two.

    Percentiles of two periods cannot be merged, so this returns the larger one.
    """
    found = {field: values.get(f"{metric}_{field}") for field in _STATISTICS}
    if not all(found.values()):
        return None
    worst = {field: max(periods or ()) for field, periods in found.items() if field != "count"}
    return Percentiles(int(sum(found["count"] or ())), **worst)
