"""The operator of a soak, who redrives the quarantine while the ring is under load."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from local.periodic import Periodic
from ring.project import PROJECT_ROOT

_log = logging.getLogger(__name__)
_AUTOMATE = PROJECT_ROOT / "automate.py"


class RedriveError(Exception):
    """The quarantine could not be redriven. Says why."""


class Operator(Periodic):
    """Redrives the quarantine every so many seconds, while the context lasts.

    What is quarantined stays in its bucket until then, and moto keeps buckets in memory: a soak
    without an operator would measure how much was poisoned. Redriven by the command, in a process
    of its own: the clients of one redrive take 30 MB, which are not the ring's. `redriven` counts
    what was replayed.
    """

    def __init__(self, endpoint: str, seconds: float) -> None:
        super().__init__("operator", seconds)
        self.redriven = 0
        self._endpoint = endpoint

    def work(self) -> None:
        """Redrive all that can be redriven while faults are active."""
        try:
            self.redrive()
        except RedriveError as error:
            _log.info("The quarantine is redriven later: a fault is active: %s", error)

    def redrive(self) -> int:
        """Redrive all; return how many there were. Raises `RedriveError` if a fault hinders it."""
        command = [sys.executable, str(_AUTOMATE), "redrive", "--local", self._endpoint]
        run = subprocess.run(
            [*command, "--all", "--yes", "--json"], capture_output=True, text=True, check=False
        )
        if not run.stdout:
            raise RedriveError(run.stderr)
        (ring,) = json.loads(run.stdout)["rings"]
        if "error" in ring:
            raise RedriveError(str(ring["error"]))
        self.redriven += sum(entry.get("became") == "done" for entry in ring["entries"])
        return len(ring["entries"])
