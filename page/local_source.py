"""Read a ring that `automate.py local` runs, from its endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from local import control_client
from local.live.document import PATH
from local.live.recent import Delivery
from page.reading import FaultReading, HopReading, LogLine, MemberReading, Reading
from page.status_poller import StatusPoller

if TYPE_CHECKING:
    from operate.monitoring.status import HopStatus, MemberStatus
    from operate.rings import DeployedRing

_SECONDS = 0.5
_TIMEOUT = 10.0
_STATUS_SECONDS = 3.0
_STOPPED = ": its event source mapping is Disabled"
_START_SECONDS = 60.0
"""Within these, a ring that was not there yet is one that starts."""


class LocalSource:
    """A ring on this machine: a `page.reading.Source`."""

    is_local = True
    seconds = _SECONDS

    def __init__(self, ring: DeployedRing) -> None:
        self.label = ring.label
        self._poller = StatusPoller(ring, _STATUS_SECONDS)
        self._after = 0
        self._began = time.time()
        self._was_there = False
        self._lost_at: dict[str, float] = {}
        """When each member did not answer, the last time."""

    def close(self) -> None:
        """See `page.reading.Source`."""
        self._poller.close()

    def read(self) -> Reading:
        """See `page.reading.Source`."""
        try:
            live = self._fetch()
        except (control_client.NoRingError, control_client.RefusedError) as error:
            self._after = 0
            return Reading(time.time(), note=self._no_answer(error))
        self._was_there = True
        if live["last"] < self._after:  # another ring was started there
            self._after = 0
            live = self._fetch()
        self._after = live["last"]
        for member in live["members"]:
            if member["items"] is None:
                self._lost_at[member["name"]] = time.time()
        deployed = self._poller.deployed
        return Reading(
            live["now"],
            tuple(self._member(member) for member in live["members"]),
            tuple(self._hop(hop, live["now"]) for hop in live["hops"]),
            tuple(LogLine(line["source"], live["now"], line["line"]) for line in live["lines"]),
            tuple(Delivery(**delivery) for delivery in live["deliveries"]),
            tuple(
                FaultReading(fault["id"], fault["text"], fault["remaining"])
                for fault in live["faults"]
            ),
            {
                member.replica: member.name
                for member in (deployed.members if deployed else ())
                if member.replica
            },
        )

    def _no_answer(self, error: Exception) -> str:
        if not self._was_there and time.time() < self._began + _START_SECONDS:
            return f"The ring at {self.label} does not answer yet."
        return str(error)

    def _fetch(self) -> dict[str, Any]:
        live: dict[str, Any] = control_client.request(
            self.label, "GET", f"{PATH}?after={self._after}", timeout=_TIMEOUT
        )
        return live

    def _member(self, live: dict[str, Any]) -> MemberReading:
        status = self._poller.members.get(live["name"])
        return MemberReading(
            live["name"],
            live["region"],
            live["table"],
            live["items"],
            live["heartbeat"],
            tuple((key["name"], key["type"]) for key in live["keys"]),
            (f"{live['name']} does not answer.",)
            if live["items"] is None
            else self._trouble(live["name"], status),
        )

    def _trouble(self, member: str, status: MemberStatus | HopStatus | None) -> tuple[str, ...]:
        """Return what the status says of a member or of the hop from it.

        Of a region that was lost meanwhile, it has only that each of its requests failed.
        """
        is_known = status is not None and self._poller.began > self._lost_at.get(member, 0.0)
        return (*status.notes, *status.problems) if status and is_known else ()

    def _hop(self, live: dict[str, Any], now: float) -> HopReading:
        status = self._poller.hops.get(live["source"])
        name = f"the hop from {live['source']} to {live['target']}"
        stopped, trouble = live["stopped_by"], live["trouble"]
        # Its state says so, without the advice for AWS; and the status may be from before a resume.
        known = (text for text in self._trouble(live["source"], status) if _STOPPED not in text)
        return HopReading(
            live["source"],
            live["target"],
            {"": "running", "disabled": "paused"}.get(stopped, stopped),
            live["waiting"],
            None if live["oldest"] is None else max(0.0, now - live["oldest"]),
            status.quarantined if status else None,
            (status.alarms or ()) if status else (),
            (*((f"{name}: {trouble}",) if trouble else ()), *known),
        )
