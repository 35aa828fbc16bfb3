"""Which alarms on a hop ring now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operate.deployed import DeployedHop, DeployedMember

_NO_RIGHT = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True)
class ActiveAlarms:
    """The alarms on a hop that ring, by name, and what each says of itself.

    `unseen` says why they are not known, where the caller has no right to see alarms.
    """

    descriptions: Mapping[str, str]
    access_denied: str | None = None


def active_alarms(
    cloudwatch: Any, hop: DeployedHop, ends: tuple[DeployedMember, ...]
) -> ActiveAlarms:
    """Ask CloudWatch in the region of a hop's source which alarms ring that watch the hop.

    The stack's are among them, and those that somebody else has put on the same metrics. `ends` are
    the hop's members, as far as they are known. Raises ClientError for all but a missing right.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    names = _names(hop, ends)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(StateValue="ALARM")
    try:
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    except ClientError as error:
        said = error.response["Error"]
        if said["Code"] not in _NO_RIGHT:
            raise
        return ActiveAlarms({}, f"{said['Code']}: {said['Message']}")
    mine = [alarm for alarm in alarms if names & set(_watched(alarm))]
    return ActiveAlarms({alarm["AlarmName"]: _says(alarm) for alarm in mine})


def _names(hop: DeployedHop, ends: tuple[DeployedMember, ...]) -> set[str]:
    """What metrics of a hop call it: see `ring.hop_metrics`."""
    own = " -> ".join(f"{end.region}/{end.table}" for end in ends)
    function = hop.function and hop.function.rpartition(":")[2]
    return {name for name in (own, function, hop.mapping, hop.quarantine) if name}


def _watched(alarm: Mapping[str, Any]) -> Iterator[str]:
    """The values of the dimensions of an alarm's metrics."""
    queries = alarm.get("Metrics") or ()
    several = [query["MetricStat"]["Metric"] for query in queries if query.get("MetricStat")]
    for metric in (alarm, *several):
        yield from (dimension["Value"] for dimension in metric.get("Dimensions") or ())


def _says(alarm: Mapping[str, Any]) -> str:
    """Since when it rings, and what its description says."""
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    told = f" since {since:%Y-%m-%d %H:%M %Z}" if since else ""
    what = alarm.get("AlarmDescription")
    return f"{told}: {what}" if what else told
