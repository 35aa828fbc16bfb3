"""Read a ring that `automate.py local` runs, from its endpoint."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from local.live.document import PATH
from local.live.recent import Delivery
from page.reading import FaultReading, HopReading, LogLine, MemberReading, Reading
from page.status_poller import StatusPoller

if TYPE_CHECKING:
    from operate.rings import DeployedRing

_SECONDS = 0.5
_STATUS_SECONDS = 3.0


class LocalSource:
    """A ring on this machine: a `page.reading.Source`."""

    is_local = True
    seconds = _SECONDS

    def __init__(self, ring: DeployedRing) -> None:
        self.label = ring.label
        self._poller = StatusPoller(ring, _STATUS_SECONDS)
        self._after = 0

    def close(self) -> None:
        """See `page.reading.Source`."""
        self._poller.close()

    def read(self) -> Reading:
        """See `page.reading.Source`."""
        try:
            live = self._fetch()
        except (OSError, ValueError) as error:
            self._after = 0
            return Reading(time.time(), note=f"No local ring answers at {self.label}: {error}")
        if live["last"] < self._after:  # another ring was started there
            self._after = 0
            live = self._fetch()
        self._after = live["last"]
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

    def _fetch(self) -> dict[str, Any]:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"{self.label.rstrip('/')}{PATH}?after={self._after}"
        with direct.open(url, timeout=10) as response:
            live: dict[str, Any] = json.loads(response.read())
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
            status.trouble if status else (),
        )

    def _hop(self, live: dict[str, Any], now: float) -> HopReading:
        status = self._poller.hops.get(live["source"])
        stopped, trouble = live["stopped_by"], live["trouble"]
        return HopReading(
            live["source"],
            live["target"],
            {"": "running", "disabled": "paused"}.get(stopped, stopped),
            live["waiting"],
            None if live["oldest"] is None else max(0.0, now - live["oldest"]),
            status.quarantined if status else None,
            (status.alarms or ()) if status else (),
            ((trouble,) if trouble else ()) + (status.trouble if status else ()),
        )
