"""How far behind its stream a hop is, as far as AWS tells.

Lambda tells nobody which record it has come to. What it tells is how old the last record of a batch
was (IteratorAge), for every batch. So of a hop that keeps up the ages are small. They are large
where there is much to catch up with, and also where the newest record that there is is old: then
nothing follows, and nothing is told any more, though Lambda looks four times a second. A batch that
fails tells a small age as well, if it is the newest; so nothing may have failed.
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
from operate.deployed import Deployed, DeployedHop, hop_name
from operate.errors import OperationFailedError

STABLE_FOR = timedelta(minutes=10)
"""For how long a hop must have kept up. A mapping may take minutes to begin, and a metric to show:
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html"""
POLL_SECONDS = 15.0
"""Seconds."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class HopProgress:
    """What is left for a hop to tell: whether it has caught up, and in words.

    `age` is how old its last record was when it told it, in seconds; None if it told nothing of
    late.
    """

    source: str
    target: str
    is_done: bool
    age: float | None
    words: str


def hops_to_wait_for(deployed: Deployed, member: str) -> list[DeployedHop]:
    """The hops that must have caught up before the ring opens for a member.

    They are those of the streams that it is fed from, and its own. Another one that is held still
    may have led to it: what that one has to tell, it tells when it is back itself.
    """
    feeding = {hop.source for hop in deployed.asked_hops if hop.target == member}
    return [hop for hop in deployed.hops if hop.source in feeding | {member}]


def hop_progress(
    deployed: Deployed, hop: DeployedHop, clients: ClientPool, now: datetime
) -> HopProgress:
    """What is left for a hop to tell. Where AWS does not answer, it has not caught up.

    PrerequisiteError without credentials.
    """
    try:
        with translate_aws_errors():
            is_done, age, words = _left(_Asked(deployed, hop, clients, now), now)
    except OperationFailedError as error:
        is_done, age, words = False, None, f"cannot be seen: {error}"
    return HopProgress(hop.source, hop.target, is_done, age, words)


def _left(asked: _Asked, now: datetime) -> tuple[bool, float | None, str]:
    mapping = asked.mapping()
    if mapping["State"] != "Enabled":
        return False, None, f"its mapping is {mapping['State']}"
    running = now - mapping["LastModified"]
    window = timedelta(seconds=mapping.get("MaximumBatchingWindowInSeconds") or 0)
    ages = asked.of_lambda("IteratorAge", "Maximum")
    age = ages[-1] / 1000 if ages else None
    failed = sum(asked.of_lambda("Errors", "Sum")) + sum(asked.of_handler("failures", "Sum"))
    if failed:
        return False, age, "something failed of late, and is tried again"
    if ages and max(ages) / 1000 > (window + _MINUTE).total_seconds():
        return False, age, "catches up"
    if running < STABLE_FOR:
        return False, age, "has begun, and is watched for a while"
    return True, age, "keeps up" if ages else "has nothing to tell"


class _Asked:
    """What AWS says of a hop for the time in which it must have kept up."""

    def __init__(
        self, deployed: Deployed, hop: DeployedHop, clients: ClientPool, now: datetime
    ) -> None:
        members = {member.name: member for member in deployed.members}
        self._hop, self._now = hop, now
        self._name = hop_name(members[hop.source], members[hop.target])
        source = members[hop.source]
        self._clients, self._source = clients, source

    def mapping(self) -> dict[str, Any]:
        if self._hop.mapping is None:
            return {"State": "not deployed"}
        told: dict[str, Any] = self._client("lambda").get_event_source_mapping(
            UUID=self._hop.mapping
        )
        return told

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
            StartTime=self._now - STABLE_FOR,
            EndTime=self._now,
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        ordered = sorted(points, key=lambda point: point["Timestamp"])
        return [point[statistic] for point in ordered]


class Progress:
    """How long it will take, by how the oldest age has gone down since one began to look."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._first: tuple[float, float] | None = None

    def remaining(self, hops: Iterable[HopProgress]) -> timedelta | None:
        """The time until the last of the hops has caught up; None if it cannot be told."""
        age = max((hop.age for hop in hops if hop.age and not hop.is_done), default=None)
        if age is None:
            return None
        self._first = self._first or (self._now(), age)
        then, at_first = self._first
        gone, gained = self._now() - then, at_first - age
        return timedelta(seconds=age * gone / gained) if gone > 0 and gained > 0 else None


def wait_until_caught_up(
    deployed: Deployed,
    member: str,
    clients: ClientPool,
    tell: Callable[[Sequence[HopProgress]], None],
) -> None:
    """Wait until all hops that concern a member have caught up at once. `tell` is told each look.

    It waits for ever: what a hop cannot do now it may do later, and Ctrl-C ends it without harm.
    """
    hops = hops_to_wait_for(deployed, member)
    while True:
        now = datetime.now(UTC)
        seen = [hop_progress(deployed, hop, clients, now) for hop in hops]
        tell(seen)
        if all(hop.is_done for hop in seen):
            return
        time.sleep(POLL_SECONDS)
