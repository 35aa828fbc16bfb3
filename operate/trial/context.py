"""What the steps of a trial work with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from operate.aws.clients import ClientPool
from operate.deployed import Deployed, DeployedMember
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.stop import Stop
from operate.trial.journal import TrialJournal
from operate.trial.plan import Load, TrialPlan


@dataclass(frozen=True)
class Patience:
    """How long a trial waits, in seconds, before an expectation has failed."""

    arrival: float = 600.0
    """For writes to be at all members."""
    metrics: float = 900.0
    """For metrics, log lines and alarms: CloudWatch has them minutes later."""
    index: float = 1_800.0
    """For an index to be created, or deleted."""
    deletion: float = 300.0
    """For deleted resources to be gone from AWS's lists."""
    lock: float = 120.0
    """For the engine of a process that was killed to end."""
    quiet: float = 10.0
    """How long members have to agree, and a paused hop has to hold a write."""
    poll: float = 2.0
    """Between two looks."""
    whole_minutes: bool = True
    """Whether a measured step ends with its minute: CloudWatch's metrics are by the minute."""


def patience_for(plan: TrialPlan, patience: Patience) -> Patience:
    """Return the patience for a plan's ring: a write may wait for the batching window at each hop.

    Without it, a sound ring would fail, and a paused hop seem to hold what only waits.
    """
    settings = plan.parsed()
    lap = settings.mapping.batching_window * len(settings.members)
    return replace(patience, arrival=patience.arrival + lap, quiet=patience.quiet + lap)


Deploy = Callable[[RingStack], Result]


@dataclass
class Trial:
    """A trial's ring while a step runs. `attempt` is how often the step has begun."""

    journal: TrialJournal
    plan: TrialPlan
    ring: RingStack
    deploy: Deploy
    patience: Patience = field(default_factory=Patience)
    stop: Stop = field(default_factory=Stop)
    on_progress: Callable[[str], object] = lambda _: None
    attempt: int = 1
    _clients: ClientPool | None = None
    _deployed: Deployed | None = None

    @property
    def load(self) -> Load:
        """How much is written."""
        return self.plan.load

    @property
    def clients(self) -> ClientPool:
        """Clients for the members."""
        if self._clients is None:
            self._clients = self.ring.clients()
        return self._clients

    @property
    def deployed(self) -> Deployed:
        """What is deployed, as it was when it was first asked for."""
        if self._deployed is None:
            self._deployed = self.ring.deployed()
        return self._deployed

    @property
    def members(self) -> list[DeployedMember]:
        """The members, in ring order."""
        return list(self.deployed.members)

    def client(self, member: DeployedMember, service: str = "dynamodb") -> Any:
        """Return a client for a member's region and account."""
        return self.clients.get(member.credentials, member.region, service)

    def group(self, name: str) -> str:
        """Return the partition key of a step's items: another one for each attempt."""
        return f"{name}-{self.attempt}"

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds; return whether it did in time."""
        end = time.monotonic() + seconds
        pause = self.patience.poll / 4
        while not until():
            if time.monotonic() > end:
                return False
            self.stop.sleep(pause)
            pause = min(pause * 1.5, self.patience.poll)
        return True
