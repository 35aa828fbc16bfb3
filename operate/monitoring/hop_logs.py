"""Log lines of a ring's hops, from CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedHop


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

    def lines(self, hop: DeployedHop, start: float, pattern: str = "") -> Iterator[HopLogLine]:
        """Yield the lines of a hop since `start` (seconds since 1970), oldest first.

        `pattern` is a filter pattern of CloudWatch Logs, such as `{ $.event = "conflict" }`.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
        Raises `OperateError`; yields nothing for a hop that has no function or no log group yet.
        """
        if hop.function is None:
            return
        with translate_aws_errors(f"the log of the hop from {hop.source} to {hop.target}"):
            logs = self._client(hop, "logs")
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=self._group(hop),
                startTime=int(start * 1000),
                **({"filterPattern": pattern} if pattern else {}),
            )
            try:
                for page in pages:
                    for event in page["events"]:
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
            function: Any = self._client(hop, "lambda").get_function_configuration(FunctionName=arn)
            configured = function.get("LoggingConfig", {}).get("LogGroup")
            self._groups[arn] = configured or f"/aws/lambda/{function['FunctionName']}"
        return self._groups[arn]

    def _client(self, hop: DeployedHop, service: str) -> Any:
        member = self._members[hop.source]
        return self._clients.get(member.credentials, member.region, service)
