"""Alarms on a hop that are in state ALARM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operate.deployed import DeployedHop, DeployedMember, hop_name

_DENIED = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True)
class ActiveAlarms:
    """Alarms on a hop in state ALARM: their descriptions by name.

    `access_denied` is AWS's message if the caller may not read alarms.
    """

    descriptions: Mapping[str, str]
    access_denied: str | None = None


def active_alarms(
    cloudwatch: Any, hop: DeployedHop, ends: tuple[DeployedMember, DeployedMember]
) -> ActiveAlarms:
    """Return the alarms in state ALARM on a hop's metrics, in the region of its source.

    The stack's own, and any other alarm on the same metrics. `ends` are the hop's members, as far
    as they are known. Raises `ClientError`, except for missing permissions.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    names = _names(hop, ends)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(StateValue="ALARM")
    try:
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    except ClientError as error:
        details = error.response["Error"]
        if details["Code"] not in _DENIED:
            raise
        return ActiveAlarms({}, f"{details['Code']}: {details['Message']}")
    own = [alarm for alarm in alarms if names & set(_dimension_values(alarm))]
    return ActiveAlarms({alarm["AlarmName"]: _describe(alarm) for alarm in own})


def _names(hop: DeployedHop, ends: tuple[DeployedMember, DeployedMember]) -> set[str]:
    """Return a hop's names in dimensions of metrics: see `ring.monitoring.hop_metrics`."""
    own = hop_name(*ends)
    function = hop.function and hop.function.rpartition(":")[2]
    return {name for name in (own, function, hop.mapping, hop.quarantine) if name}


def _dimension_values(alarm: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of the dimensions of an alarm's metrics."""
    queries = alarm.get("Metrics") or ()
    metrics = [query["MetricStat"]["Metric"] for query in queries if query.get("MetricStat")]
    for metric in (alarm, *metrics):
        yield from (dimension["Value"] for dimension in metric.get("Dimensions") or ())


def _describe(alarm: Mapping[str, Any]) -> str:
    """Format the time of the transition to ALARM, and the alarm's description."""
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    time = f" since {since:%Y-%m-%d %H:%M %Z}" if since else ""
    description = alarm.get("AlarmDescription")
    return f"{time}: {description}" if description else time
