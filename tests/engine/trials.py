"""Trials over the engine: what is deployed runs in a local ring, and alarms are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.cloudwatch.alarm_evaluation import Alarms
from local.running_ring import RunningRing
from operate.deployment.result import Result
from operate.deployment.stack import RingStack
from operate.trial import run
from operate.trial.context import Patience, Trial
from operate.trial.journal import TrialJournal
from operate.trial.plan import Load, plan_trial
from operate.trial.run import TrialCallbacks, TrialOptions
from tests.engine.replication import PATIENCE
from tests.engine.stacks import Engine

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
QUICK = Patience(
    arrival=PATIENCE,
    metrics=60.0,
    index=60.0,
    deletion=5.0,
    lock=30.0,
    quiet=1.5,
    poll=0.4,
    whole_minutes=False,
)
SMALL = Load(inserts=60, updates=20, deletes=20, types=6, sizes=(1, 390), hot=20, contested=6)


class TrialCloud:
    """The hops of a trial's ring: they run what was deployed last, until it is destroyed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ring: RunningRing | None = None
        self.alarms = Alarms(before=self.flush, speed=10.0)

    def run(self, stack: RingStack) -> None:
        """Run what is deployed."""
        if self.ring is None:
            self.ring = RunningRing(stack.settings(), idle=0.05)
        self._engine.run_ring(stack, self.ring)

    def flush(self) -> None:
        """Send the log lines and metrics."""
        if self.ring:
            self.ring.flush()

    def close(self) -> None:
        """End the hops."""
        ring, self.ring = self.ring, None
        if ring:
            ring.close()

    def up(self, stack: RingStack, **more: Any) -> Result:
        """Deploy and run."""
        result = stack.up(**more)
        self.run(stack)
        return result

    def destroy(self, stack: RingStack, **more: Any) -> Result:
        """End the hops, as deleting their mappings does, and destroy."""
        self.close()
        return stack.destroy(remove=True, **more)

    def callbacks(
        self, on_step: Callable[[str], object] = lambda _: None, **more: Any
    ) -> TrialCallbacks:
        """Return a trial's callbacks. Before each step the tables' metrics are published.

        They have the time of the last write since they were published before.
        """

        def begin(step: str) -> None:
            self.alarms.evaluate()
            on_step(step)

        return TrialCallbacks(deploy=self.up, destroy=self.destroy, on_step=begin, **more)

    def settle(self) -> None:
        """Wait until the hops are idle, send their log lines and metrics, and evaluate alarms."""
        assert self.ring
        self.ring.wait_until_quiet()
        self.flush()
        self.alarms.evaluate()


@dataclass
class SettledTrial(Trial):
    """A trial that does not wait for what can no longer happen: whatever was written has settled.

    So its patience needs no guess how long a busy machine takes.
    """

    cloud: TrialCloud | None = None

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until the hops are idle; return whether something holds then."""
        assert self.cloud
        self.cloud.settle()
        return until()


@contextmanager
def trial_cloud(engine: Engine) -> Iterator[TrialCloud]:
    cloud = TrialCloud(engine)
    with cloud.alarms:
        try:
            yield cloud
        finally:
            cloud.close()


def begin(folder: Path, load: Load = SMALL, regions: tuple[str, ...] = REGIONS[:2]) -> TrialJournal:
    """Write the journal of a trial."""
    return TrialJournal.create(folder, plan_trial(regions, load=load))


def only_steps(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Leave trials no steps but these."""
    steps = {name: step for name, step in run.STEPS.items() if name in names}
    monkeypatch.setattr(run, "STEPS", steps)


def options(
    change: Callable[[Patience], Patience] = lambda same: same, **more: Any
) -> TrialOptions:
    return TrialOptions(patience=change(QUICK), **more)
