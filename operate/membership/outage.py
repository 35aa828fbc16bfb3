"""Since when a member may have been out of reach, as far as CloudWatch tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from handler.metrics import DIMENSION, NAMESPACE
from handler.protocol.hop import Action
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedMember, hop_name

_LOOKS_BACK = timedelta(days=14)
_PERIOD = 900  # seconds: 14 days of them are 1,344 points, and an answer has up to 1,440
_ARRIVED = (
    Action.REPLICATED,
    Action.DELETED,
    Action.REJECTED,
)  # each takes an answer of the target


def last_delivery(
    deployed: Deployed, ends: tuple[str, str], clients: ClientPool, now: datetime
) -> datetime | None:
    """When the hop between two members last had an answer of its target to a change.

    The moment may be up to 15 minutes too early. An outage began then or later: all that was told
    until then has arrived. It is asked of the hop's own metrics. Lambda's iterator age would not
    do: it is the age of the last record of a batch, and a batch that fails may hold all of a day.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html

    None: not within 14 days. Raises as `asking` does if CloudWatch cannot be asked.
    """
    members = {member.name: member for member in deployed.members}
    source, target = (members[name] for name in ends)
    about = (
        f"When the hop from {source.name} to {target.name} last delivered anything is not known "
        f"(--since says since when {target.name} is out)"
    )
    with translate_aws_errors(about):
        client = clients.get(source.credentials, source.region, "cloudwatch")
        starts = [start for did in _ARRIVED for start in _starts(client, did, source, target, now)]
    return max(starts, default=None)


def _starts(
    client: Any, did: Action, source: DeployedMember, target: DeployedMember, now: datetime
) -> list[datetime]:
    points = client.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=did.value,
        Dimensions=[{"Name": DIMENSION, "Value": hop_name(source, target)}],
        StartTime=now - _LOOKS_BACK,
        EndTime=now,
        Period=_PERIOD,
        Statistics=["Sum"],
    )["Datapoints"]
    return [point["Timestamp"] for point in points if point["Sum"] > 0]
