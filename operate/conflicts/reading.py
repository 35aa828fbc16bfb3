"""Read the conflicts that the hops of a ring have logged in CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.conflicts.entries import ConflictEntry, merge_lines
from operate.conflicts.log_line import ConflictLine, parse_line
from operate.deployed import Deployed, DeployedHop, DeployedMember
from operate.errors import InvalidRequestError, OperationFailedError
from operate.monitoring.hop_logs import log_events, log_group
from operate.untrusted_json import MalformedJsonError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

FILTER = '{ $.event = "conflict" }'
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"""
_AT_ONCE = 8


@dataclass(frozen=True)
class Conflicts:
    """Conflicts of a ring, the latest first.

    `members` are the members' names by replica ID. `unread` is what could not be read, with the
    reason: a hop's log, so that conflicts may be missing, or a member's items, so that some may no
    longer be open; `malformed` is the number of lines that could not be parsed.
    """

    entries: tuple[ConflictEntry, ...]
    members: Mapping[str, str]
    unread: Mapping[str, str]
    malformed: int = 0

    def matching(self, name: str) -> list[ConflictEntry]:
        """Return the entries whose ID begins like that."""
        return [entry for entry in self.entries if name and entry.id.startswith(name)]

    def find(self, name: str) -> ConflictEntry:
        """Return the entry with an ID, or the only one whose ID begins like that.

        Raises `InvalidRequestError`.
        """
        found = self.matching(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise InvalidRequestError(
                f"{name}: {len(found)} conflicts have an ID that begins like this. Give more of it."
            )
        unread = "".join(f" {part}: {why}" for part, why in self.unread.items())
        raise InvalidRequestError(
            f"{name}: no conflict of this ID in the hours that were read. `automate.py conflicts "
            f"list` lists them; --hours reads more of the log.{unread}"
        )


def read_conflicts(
    deployed: Deployed, clients: ClientPool, since: float, until: float
) -> Conflicts:
    """Read all hops' logs between two times, in seconds since the epoch.

    Raises `PrerequisiteError` without credentials, and `OperationFailedError` if no log could be
    read.
    """
    members = {member.name: member for member in deployed.members}

    def read(hop: DeployedHop) -> _HopLog:
        return _read_hop(hop, members[hop.source], clients, (since, until))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        logs = list(pool.map(read, deployed.hops))
    unread = {log.name: log.error for log in logs if log.error}
    if logs and len(unread) == len(logs):
        raise OperationFailedError("; ".join(f"{name}: {why}" for name, why in unread.items()))
    return Conflicts(
        tuple(merge_lines(line for log in logs for line in log.lines)),
        {member.replica: member.name for member in deployed.members if member.replica},
        unread,
        sum(log.malformed for log in logs),
    )


@dataclass(frozen=True)
class _HopLog:
    """The conflicts in the log of a hop, or why it could not be read."""

    name: str
    lines: tuple[ConflictLine, ...] = ()
    malformed: int = 0
    error: str = ""


def _read_hop(
    hop: DeployedHop, source: DeployedMember, clients: ClientPool, window: tuple[float, float]
) -> _HopLog:
    name = f"the log of {hop.title}"
    if hop.function is None:
        return _HopLog(name, error="it was not deployed completely: run `up` again")
    lines, malformed = [], 0
    try:
        with translate_aws_errors():
            functions, logs = (
                clients.get(source.credentials, source.region, service, brief=True)
                for service in ("lambda", "logs")
            )
            for event in _events(logs, log_group(functions, hop.function), window):
                try:
                    line = parse_line(event["message"], event["timestamp"] / 1000)
                except MalformedJsonError:
                    malformed += 1
                else:
                    lines += [line] if line else []
    except OperationFailedError as error:
        return _HopLog(name, error=str(error))
    return _HopLog(name, tuple(lines), malformed)


def _events(
    logs: CloudWatchLogsClient, group: str, window: tuple[float, float]
) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a log group that may be conflicts, in a window of time."""
    # A server on this machine may not know the pattern, and return all lines.
    return (
        event
        for event in log_events(logs, group, *window, pattern=FILTER)
        if '"conflict"' in event["message"]
    )
