"""The status of a deployed ring, read again and again in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from operate.errors import OperateError
from operate.monitoring import status
from operate.monitoring.heartbeats import Heartbeats
from operate.monitoring.hop_logs import HopLogs
from operate.rings import command_for

if TYPE_CHECKING:
    from operate.deployed import Deployed
    from operate.monitoring.status import HopStatus, MemberStatus
    from operate.rings import DeployedRing

_OLD = 3
_SLOW = 10.0
"""After so many intervals, and these seconds more, without a reading the status is old."""
_log = logging.getLogger(__name__)


class StatusPoller:
    """Reads what a ring has deployed, and its status every `seconds`, until it is closed.

    `deployed` and `logs` are None until the ring is there; `error` says why it cannot be read. Each
    reading has clients of its own, so that renewed credentials are used.
    """

    def __init__(
        self,
        ring: DeployedRing,
        seconds: float,
        *,
        reads_heartbeats: bool = False,
    ) -> None:
        self.deployed: Deployed | None = None
        self.logs: HopLogs | None = None
        self.members: dict[str, MemberStatus] = {}
        self.hops: dict[str, HopStatus] = {}
        self.heartbeats: dict[str, float] = {}
        """Times of the members' last heartbeats, if they are read."""
        self.began = 0.0
        """When the reading began that these are of, in seconds since 1970."""
        self._reads_heartbeats = reads_heartbeats
        self.error = "The ring is being read."
        self._ring = ring
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more. The process need not wait for a running request."""
        self._ended.set()

    @property
    def note(self) -> str:
        """Why the status is missing or old, or what it has not; empty if it is all there."""
        if self.error or self.deployed is None:
            return self.error
        age = time.time() - self.began
        if age > _OLD * self._seconds + _SLOW:
            return f"The status is {age:.0f} s old: requests are not answered."
        return " ".join(note for hop in self.hops.values() for note in hop.notes)

    def read(self) -> None:
        """Read the status once."""
        began = time.time()
        try:
            deployed, clients = self._ring.deployed(), self._ring.clients()
            if not deployed.members:
                self.error = f"{self._ring.label}: nothing is deployed."
                return
            read = status.status(
                deployed, clients, is_local=self._ring.is_local, command=command_for(self._ring)
            )
            heartbeats = Heartbeats(deployed, clients).read() if self._reads_heartbeats else {}
        except OperateError as error:
            self.error = str(error)
            return
        self.logs = HopLogs(deployed, clients)
        self.members = {member.name: member for member in read.members}
        self.heartbeats = heartbeats
        self.hops = {hop.source: hop for hop in self._with_alarms(read.hops)}
        # The time first: another thread may ask how old this is as soon as it is there.
        self.began, self.error, self.deployed = began, "", deployed

    def _with_alarms(self, hops: Iterable[HopStatus]) -> Iterable[HopStatus]:
        """Keep the alarms that were known where they cannot be read: they have not ended."""
        for hop in hops:
            before = self.hops.get(hop.source)
            unknown = hop.alarms is None and before is not None
            yield replace(hop, alarms=before.alarms) if unknown and before else hop

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.read()
            except Exception as error:
                if self._ended.is_set():
                    return  # the ring may have ended meanwhile
                _log.exception("The status could not be read.")
                self.error = f"The status could not be read: {error}"
            self._ended.wait(self._seconds)
