"""How long writes take to the next member and around the ring, by what the hops have measured."""

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
_METRICS = ("lag", "lap", "beat_lag", "beat_lap")
_STATISTICS = {"count": "SampleCount", "p50": "p50", "p99": "p99", "greatest": "Maximum"}


@dataclass(frozen=True)
class Percentiles:
    """How the values of a metric lie: how many, half of them below, 99 of 100 below; in seconds."""

    count: int
    p50: float
    p99: float
    greatest: float


@dataclass(frozen=True)
class HopLag:
    """What a hop has measured; None where there was nothing to measure.

    `lag` is from a write at its origin, wherever that is, until this hop brought it to `target`;
    `lap` from a write at `target` until it has been everywhere, which this hop sees last.
    `beat_lag` and `beat_lap` are the same of heartbeats, and `heartbeat` is whether the one at
    `source` is on. `iterator_age` is how old a record was at most when the function was given it,
    in seconds.
    """

    source: str
    target: str
    lag: Percentiles | None
    lap: Percentiles | None
    beat_lag: Percentiles | None
    beat_lap: Percentiles | None
    iterator_age: float | None
    heartbeat: bool

    @property
    def whole_lap(self) -> Percentiles | None:
        """Around the ring, from `target` to `target`: by its heartbeat where there is one."""
        return self.beat_lap or self.lap


def lag(
    deployed: Deployed,
    clients: ClientPool,
    minutes: int,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[HopLag, ...]:
    """Ask CloudWatch about the hops of a ring, over the last minutes; in ring order.

    Raises `OperateError`.
    """
    clients.be_brief_in(one.region for one in deployed.members if one.name in deployed.held)
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
    name = f"the hop from {hop.source} to {hop.target}"
    if hop.function is None:
        raise OperationFailedError(f"{name} was not deployed to its end: run `up` again.")
    with translate_aws_errors(name):
        functions, metrics = (
            clients.get(source.credentials, source.region, service)
            for service in ("lambda", "cloudwatch")
        )
        try:
            settings = settings_of(functions, hop.function)
        except HopConfigError as error:
            raise OperationFailedError(f"{name}: {error}") from error
        values = _values(metrics, settings.name, hop.function, window)
    age = values["age"]
    return HopLag(
        hop.source,
        hop.target,
        **{metric: _spread(metric, values) for metric in _METRICS},
        iterator_age=max(age) / 1000 if age else None,  # the metric is in milliseconds
        heartbeat=settings.heartbeat is not None,
    )


def _values(
    client: Any, name: str, function: str, window: _Window
) -> Mapping[str, Sequence[float]]:
    """The answers of CloudWatch by the queries' ids: a value for each period that has any.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    answer = client.get_metric_data(
        MetricDataQueries=list(_queries(name, function.rpartition(":")[2], window.seconds)),
        StartTime=window.start,
        EndTime=window.end,
    )
    return {one["Id"]: one["Values"] for one in answer["MetricDataResults"]}


def _queries(name: str, function: str, period: int) -> Iterator[dict[str, Any]]:
    for metric in _METRICS:
        for word, statistic in _STATISTICS.items():
            about = {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": DIMENSION, "Value": name}],
            }
            yield _query(f"{metric}_{word}", about, statistic, period)
    about = {
        "Namespace": "AWS/Lambda",
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    yield _query("age", about, "Maximum", period)


def _query(id_: str, metric: Mapping[str, Any], statistic: str, period: int) -> dict[str, Any]:
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def _spread(metric: str, values: Mapping[str, Sequence[float]]) -> Percentiles | None:
    """One spread of all periods: CloudWatch may lay its own across the window, in two.

    Percentiles of two cannot be joined, so the worse one is told.
    """
    found = {word: values.get(f"{metric}_{word}") for word in _STATISTICS}
    if not all(found.values()):
        return None
    worst = {word: max(several or ()) for word, several in found.items() if word != "count"}
    return Percentiles(int(sum(found["count"] or ())), **worst)
