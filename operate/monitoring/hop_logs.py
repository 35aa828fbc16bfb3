"""Log lines of a ring's hops, from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedHop

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient


@dataclass(frozen=True)
class HopLogLine:
    """A line of a hop's log. `when` is in seconds since 1970; `id` is unique in the log group."""

    source: str
    when: float
    text: str
    id: str


class HopLogs:
    """The logs of a ring's hops, with the credentials of each source."""

    def __init__(self, deployed: Deployed, clients: ClientPool) -> None:
        self._members = {member.name: member for member in deployed.members}
        self._clients = clients
        self._groups: dict[str, str] = {}

    def lines(self, hop: DeployedHop, start: float) -> Iterator[HopLogLine]:
        """Yield the lines of a hop since `start` (seconds since 1970), oldest first.

        Raises `OperateError`; yields nothing for a hop that has no function or no log group yet.
        """
        if hop.function is None:
            return
        with translate_aws_errors(f"the log of {hop.title}"):
            logs = self._client(hop, "logs")
            try:
                for event in log_events(logs, self._group(hop), start):
                    yield HopLogLine(
                        hop.source,
                        event["timestamp"] / 1000,
                        event["message"].rstrip("\n"),
                        event["eventId"],
                    )
            except logs.exceptions.ResourceNotFoundException:
                return

    def _group(self, hop: DeployedHop) -> str:
        """Return the log group of a hop's function."""
        arn = hop.function or ""
        if arn not in self._groups:
            self._groups[arn] = log_group(self._client(hop, "lambda"), arn)
        return self._groups[arn]

    def _client(self, hop: DeployedHop, service: str) -> Any:
        member = self._members[hop.source]
        return self._clients.get(member.credentials, member.region, service, brief=True)


def log_group(functions: LambdaClient, function: str) -> str:
    """Return the log group of a function.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    configuration = functions.get_function_configuration(FunctionName=function)
    group = configuration.get("LoggingConfig", {}).get("LogGroup")
    return group or f"/aws/lambda/{configuration['FunctionName']}"


def log_events(
    logs: CloudWatchLogsClient,
    group: str,
    since: float,
    until: float | None = None,
    *,
    pattern: str | None = None,
) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a log group between two times (seconds since 1970), oldest first.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    window: Any = {"startTime": int(since * 1000)}
    if until is not None:
        window["endTime"] = int(until * 1000)
    if pattern is not None:
        window["filterPattern"] = pattern
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **window)
    for page in pages:
        yield from page["events"]
