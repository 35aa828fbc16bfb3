"""Wait until hops have caught up with their streams, by the metrics of Lambda.

Lambda does not publish its position in a stream, only the age of the last record of each batch
(IteratorAge). For a hop that keeps up the ages are small. They are large while it catches up, and
also if the newest record is old: then no further batch and no further age follow, although Lambda
polls four times a second. A failing batch has a small age too if it is the newest, so nothing may
have failed. Where Lambda cannot read the stream, or the function is throttled, there is no batch at
all, neither age nor error: only the mapping's last result says so.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from handler.metrics import DIMENSION, NAMESPACE
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.aws.mapping_results import problem_of
from operate.deployed import Deployed, DeployedHop, hop_name
from operate.durations import format_duration
from operate.errors import OperationFailedError
from operate.membership.ring import ChangeableRing
from operate.rings import ON_AWS

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class HopProgress:
    """Progress of a hop: whether it has caught up, and in words.

    `age` is the iterator age of its last batch in seconds; None if there was no batch lately.
    """

    source: str
    target: str
    is_done: bool
    age: float | None
    words: str


def hops_to_wait_for(deployed: Deployed, member: str) -> list[DeployedHop]:
    """Return the hops that must have caught up before a member is back in the ring.

    Its own, and all that read the streams from which it receives writes. Not those of another held
    member that led to it: they replicate when that member rejoins.
    """
    predecessors = {hop.source for hop in deployed.reachable_hops if hop.target == member}
    return [hop for hop in deployed.hops if hop.source in predecessors | {member}]


def hop_progress(
    deployed: Deployed,
    hop: DeployedHop,
    clients: ClientPool,
    now: datetime,
    stable_for: timedelta = ON_AWS.stable_for,
) -> HopProgress:
    """Return a hop's progress. If AWS does not answer, it has not caught up.

    Raises `PrerequisiteError` without credentials.
    """
    try:
        with translate_aws_errors():
            is_done, age, words = _judge(_HopMetrics(deployed, hop, clients, now, stable_for), now)
    except OperationFailedError as error:
        is_done, age, words = False, None, f"is unknown: {error}"
    return HopProgress(hop.source, hop.target, is_done, age, words)


def _judge(metrics: _HopMetrics, now: datetime) -> tuple[bool, float | None, str]:
    mapping = metrics.mapping()
    if mapping["State"] != "Enabled":
        return False, None, f"its mapping is {mapping['State']}"
    if problem := problem_of(mapping):
        return False, None, f"fails; its last batch ended with: {problem}"
    running = now - mapping["LastModified"]
    window = timedelta(seconds=mapping.get("MaximumBatchingWindowInSeconds") or 0)
    ages = metrics.of_lambda("IteratorAge", "Maximum")
    age = ages[-1] / 1000 if ages else None
    failed = sum(metrics.of_lambda("Errors", "Sum")) + sum(metrics.of_handler("failures", "Sum"))
    if failed:
        return False, age, "has failed lately, and retries"
    if ages and max(ages) / 1000 > (window + _MINUTE).total_seconds():
        return False, age, "catches up"
    if running < metrics.stable_for:
        watched = format_duration(metrics.stable_for)
        return False, age, f"has started, and is watched for {watched}"
    return True, age, "keeps up" if ages else "has no new records"


class _HopMetrics:
    """A hop's mapping, and its metrics of the time in which it must have kept up."""

    def __init__(
        self,
        deployed: Deployed,
        hop: DeployedHop,
        clients: ClientPool,
        now: datetime,
        stable_for: timedelta,
    ) -> None:
        self.stable_for = stable_for
        members = {member.name: member for member in deployed.members}
        self._hop, self._now = hop, now
        self._name = hop_name(members[hop.source], members[hop.target])
        source = members[hop.source]
        self._clients, self._source = clients, source

    def mapping(self) -> dict[str, Any]:
        if self._hop.mapping is None:
            return {"State": "not deployed"}
        client = self._client("lambda")
        mapping: dict[str, Any] = client.get_event_source_mapping(UUID=self._hop.mapping)
        return mapping

    def of_lambda(self, metric: str, statistic: str) -> list[float]:
        function = str(self._hop.function).rpartition(":")[2]
        return self._points("AWS/Lambda", metric, ("FunctionName", function), statistic)

    def of_handler(self, metric: str, statistic: str) -> list[float]:
        return self._points(NAMESPACE, metric, (DIMENSION, self._name), statistic)

    def _client(self, service: str) -> Any:
        return self._clients.get(self._source.credentials, self._source.region, service)

    def _points(
        self, space: str, metric: str, dimension: tuple[str, str], statistic: str
    ) -> list[float]:
        points = self._client("cloudwatch").get_metric_statistics(
            Namespace=space,
            MetricName=metric,
            Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
            StartTime=self._now - self.stable_for,
            EndTime=self._now,
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        ordered = sorted(points, key=lambda point: point["Timestamp"])
        return [point[statistic] for point in ordered]


class Progress:
    """Estimates the remaining time from how fast the iterator age falls."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._first: tuple[float, float] | None = None

    def remaining(self, hops: Iterable[HopProgress]) -> timedelta | None:
        """Return the time until the last hop has caught up; None: unknown."""
        age = max((hop.age for hop in hops if hop.age and not hop.is_done), default=None)
        if age is None:
            return None
        self._first = self._first or (self._now(), age)
        started, first_age = self._first
        elapsed, gained = self._now() - started, first_age - age
        return timedelta(seconds=age * elapsed / gained) if elapsed > 0 and gained > 0 else None


def wait_until_caught_up(
    ring: ChangeableRing,
    deployed: Deployed,
    member: str,
    on_progress: Callable[[Sequence[HopProgress]], object],
) -> None:
    """Wait until all hops to and from a member have caught up at the same time.

    `on_progress` is called as often as `ring.catch_up` says. There is no timeout: a failing hop may
    recover, and Ctrl-C is harmless.
    """
    hops, clients, rule = hops_to_wait_for(deployed, member), ring.clients(), ring.catch_up
    while True:
        now = datetime.now(UTC)
        progress = [hop_progress(deployed, hop, clients, now, rule.stable_for) for hop in hops]
        on_progress(progress)
        if all(hop.is_done for hop in progress):
            return
        time.sleep(rule.poll_seconds)
