"""Read a ring on AWS from its status, and from the log lines and metrics of its hops."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from operate.errors import OperateError
from page.reading import HopReading, LogLine, MemberReading, Reading
from page.status_poller import StatusPoller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operate.deployed import Deployed, DeployedHop
    from operate.monitoring.hop_logs import HopLogs
    from operate.monitoring.status import HopStatus, MemberStatus
    from operate.rings import DeployedRing

_STATUS_SECONDS = 30.0
_LOG_SECONDS = 5.0
_HISTORY = 60.0
"""Seconds of log lines that are read at the start."""
_AT_ONCE = 8
_LATE = 15.0
"""Seconds that CloudWatch Logs may take to return a line: so far each request goes back."""


class DeployedSource:
    """A ring on AWS: a `page.reading.Source`.

    Requests of the logs are free of charge; every 30 seconds, the status asks CloudWatch for one
    metric of each hop, and each heartbeat is read. Single writes are not visible in them.
    """

    is_local = False
    seconds = _LOG_SECONDS

    def __init__(self, ring: DeployedRing) -> None:
        self.label = ring.label
        self._poller = StatusPoller(ring, _STATUS_SECONDS, reads_heartbeats=True)
        self._read_until: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def close(self) -> None:
        """See `page.reading.Source`."""
        self._poller.close()

    def read(self) -> Reading:
        """See `page.reading.Source`."""
        now = time.time()
        deployed, logs, note = self._poller.deployed, self._poller.logs, self._poller.note
        if deployed is None or logs is None:
            return Reading(now, note=note)
        lines: list[LogLine] = []

        def read_lines(hop: DeployedHop) -> str:
            try:
                lines.extend(self._lines(hop, logs, now))
            except OperateError as error:
                return str(error)
            return ""

        # Side by side: a region that does not answer must not keep the others' lines.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            errors = [error for error in pool.map(read_lines, deployed.reachable_hops) if error]
        note = note or " ".join(errors)
        self._forget(now)
        return Reading(
            now,
            tuple(self._members(deployed)),
            tuple(_hop(hop, self._poller.hops[hop.source]) for hop in deployed.hops
                  if hop.source in self._poller.hops),
            tuple(sorted(lines, key=lambda line: line.when)),
            replicas={
                member.replica: member.name for member in deployed.members if member.replica
            },
            note=note,
        )  # fmt: skip

    def _lines(self, hop: DeployedHop, logs: HopLogs, now: float) -> Iterator[LogLine]:
        """Yield the lines that were not seen before."""
        start = self._read_until.get(hop.source, now - _HISTORY)
        for line in logs.lines(hop, start - _LATE):
            if line.id not in self._seen:
                self._seen[line.id] = line.when
                yield LogLine(line.source, line.when, line.text)
        self._read_until[hop.source] = now

    def _forget(self, now: float) -> None:
        """Forget the lines that no further request returns."""
        oldest = min(self._read_until.values(), default=now) - 2 * _LATE - _HISTORY
        self._seen = {id_: when for id_, when in self._seen.items() if when > oldest}

    def _members(self, deployed: Deployed) -> Iterator[MemberReading]:
        for member in deployed.members:
            status: MemberStatus | None = self._poller.members.get(member.name)
            trouble = (status.notes or status.problems) if status else ()
            yield MemberReading(
                member.name,
                member.region,
                member.table,
                status.items if status else None,
                self._poller.heartbeats.get(member.name),
                trouble=trouble,
            )


def _hop(deployed: DeployedHop, status: HopStatus) -> HopReading:
    return HopReading(
        status.source,
        status.target,
        _state(deployed, status),
        age=status.iterator_age,
        quarantined=status.quarantined,
        alarms=status.alarms or (),
        trouble=status.problems,
    )


def _state(deployed: DeployedHop, status: HopStatus) -> str:
    """Return the state of a hop by that of its event source mapping."""
    if status.mapping is None:
        return "not known" if deployed.mapping else "not deployed"
    known = {"Enabled": "running", "Disabled": "paused"}
    return known.get(status.mapping, status.mapping.lower())
