"""Find the beginning of a member's outage in CloudWatch metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from handler.metrics import DIMENSION, NAMESPACE
from handler.protocol.hop import Action
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedMember, hop_name

_LOOKS_BACK = timedelta(days=14)
_PERIOD = 900  # seconds: 14 days have 1,344 of them, and a response has up to 1,440 points
_ANSWERED = (Action.REPLICATED, Action.DELETED, Action.REFUSED)
"""Metrics that a hop only counts after a response of its target."""


def last_delivery(
    deployed: Deployed, ends: tuple[str, str], clients: ClientPool, now: datetime
) -> datetime | None:
    """Return when the hop between two members last had a response of its target to a change.

    It may be up to 15 minutes too early. The outage began then or later, as everything sent before
    has arrived. From the hop's own metrics: Lambda's iterator age is the age of the last record of
    a batch, and a failing batch may hold a whole day.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    None: not within 14 days. Raises as `translate_aws_errors` if CloudWatch does not answer.
    """
    members = {member.name: member for member in deployed.members}
    source, target = (members[name] for name in ends)
    about = (
        f"The time of the last delivery from {source.name} to {target.name} is unknown (pass the "
        f"beginning of {target.name}'s outage with --since)"
    )
    with translate_aws_errors(about):
        client = clients.get(source.credentials, source.region, "cloudwatch")
        times = [
            time for action in _ANSWERED for time in _periods(client, action, source, target, now)
        ]
    return max(times, default=None)


def _periods(
    client: Any, action: Action, source: DeployedMember, target: DeployedMember, now: datetime
) -> list[datetime]:
    """Return the beginnings of the periods in which a metric counted anything."""
    points = client.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=action.value,
        Dimensions=[{"Name": DIMENSION, "Value": hop_name(source, target)}],
        StartTime=now - _LOOKS_BACK,
        EndTime=now,
        Period=_PERIOD,
        Statistics=["Sum"],
    )["Datapoints"]
    return [point["Timestamp"] for point in points if point["Sum"] > 0]
