"""Run a ring under load and faults, end them, and judge the state of its members."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks.soak.disturbances import Disturbances
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.operator import Operator
from benchmarks.soak.processes import Growth, Monitor
from benchmarks.soak.writers import Writers, values_at
from commands.local_ring import RunningLocalRing
from local.memory import manage_memory
from local.moto_patches import install, retention
from local.ring import LocalRing
from local.stack_config import StackConfig
from operate.stop import Stop
from operate.table_operations import check, quarantined
from operate.table_options import TableOptions

if TYPE_CHECKING:
    from operate.check_run import CheckReport

MEMORY_MB = 30.0
"""How much the memory of a process may grow after the warm-up: a function's that has just been
started again grows by nearly as much."""
DESCRIPTORS = 64
"""How many more descriptors or threads it may have: as many connections as clients open on
demand."""
WARM_UP = 0.5
"""Part of the time after which memory has to be flat."""
_LONGEST_RETENTION, _SHORTEST_RETENTION = 96.0, 20.0
_FAULTS = 12
_KEPT = 500
"""Metric values, log lines and shard iterators that moto keeps, so that these are full when memory
has to be flat: a local ring keeps tens of thousands."""
_REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
_TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
_QUIET_SECONDS = 300.0
_REDRIVE_SECONDS = 20.0
_ROUNDS = 5
_SHOWN = 20


@dataclass(frozen=True)
class Plan:
    """How long to write, how many times a second, and the seed of everything that is drawn."""

    seconds: float
    seed: int
    rate: float

    @property
    def retention(self) -> float:
        """Seconds that streams keep a record: DynamoDB's day in proportion.

        By the middle of the time as much is trimmed as is written.
        """
        return min(max(self.seconds / 3, _SHORTEST_RETENTION), _LONGEST_RETENTION)

    @property
    def longest_fault(self) -> float:
        """Seconds: a hop that several faults hold up, one after the other, must lose no record."""
        return self.retention / _FAULTS


@dataclass
class Outcome:
    """What became of a soak. `problems` is empty if all is well."""

    seconds: float = 0.0
    writes: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    redriven: int = 0
    growth: list[Growth] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Progress:
    """The state of a running soak."""

    left: float
    writes: int
    faults: int
    waiting: int


def soak(plan: Plan, stop: Stop, on_progress: Callable[[Progress], None]) -> Outcome:
    """Run a soak; `stop` ends the load early, and what is there is judged all the same."""
    manage_memory()
    ledger, outcome = Ledger(), Outcome()
    stack = StackConfig.of(
        {"table": _TABLE, "members": [{"region": region} for region in _REGIONS]}
    )
    with (
        _small_stores(),
        LocalRing(stack, stream_retention=plan.retention) as ring,
        Monitor() as monitor,
    ):
        began = time.monotonic()
        members = list(ring.members.values())
        names = [member.name for member in members]
        operator = Operator(ring.endpoint, _REDRIVE_SECONDS)
        with (
            operator,
            Disturbances(ring.active_faults, names, plan.seed, plan.longest_fault) as disturbances,
            Writers(members, ring.endpoint, ledger, plan.seed, plan.rate),
        ):
            while (left := began + plan.seconds - time.monotonic()) > 0 and not stop.is_asked:
                waiting = sum(hop.mapping.stats().waiting for hop in ring.hops.values())
                faults = disturbances.counts.total()
                on_progress(Progress(left, ledger.acknowledged, faults, waiting))
                time.sleep(min(1.0, left))
        ended = time.monotonic()
        outcome.growth = monitor.growth(began + WARM_UP * plan.seconds)
        outcome.seconds = ended - began
        outcome.writes, outcome.faults = dict(ledger.counts), dict(disturbances.counts)
        _settle(ring, operator, outcome)
        _judge(ring, ledger, outcome)
    if not stop.is_asked:
        outcome.problems += [text for one in outcome.growth for text in grown(one)]
    return outcome


@contextmanager
def _small_stores() -> Iterator[None]:
    with ExitStack() as changes:
        for module, name in (
            (retention, "KEPT_VALUES"),
            (retention, "KEPT_SETS"),
            (retention, "KEPT_LINES"),
            (install, "KEPT_ITERATORS"),
        ):
            changes.enter_context(patch.object(module, name, _KEPT))
        yield


def _settle(ring: LocalRing, operator: Operator, outcome: Outcome) -> None:
    """Wait until all is delivered, and redrive what is still quarantined."""
    for _ in range(_ROUNDS):
        try:
            ring.wait_until_quiet(_QUIET_SECONDS)
        except TimeoutError as error:
            outcome.problems.append(f"the ring does not come to rest: {error}")
            return
        found = operator.redrive()
        outcome.redriven = operator.redriven
        if not found:
            return
    left = [str(entry) for entry in quarantined(RunningLocalRing(ring.endpoint))][:_SHOWN]
    outcome.problems += [f"still in the quarantine: {entry}" for entry in left]


def _judge(ring: LocalRing, ledger: Ledger, outcome: Outcome) -> None:
    given_up = {hop.label: hop.mapping.stats().given_up for hop in ring.hops.values()}
    outcome.problems += [
        f"{hop} gave up {count} records" for hop, count in given_up.items() if count
    ]
    report = _check(ring)
    outcome.problems += [f"the members differ: {one}" for one in report.differences[:_SHOWN]]
    found = {member.name: values_at(member) for member in ring.members.values()}
    outcome.problems += ledger.problems(found)[:_SHOWN]


def _check(ring: LocalRing) -> CheckReport:
    with TemporaryDirectory() as folder:
        options = TableOptions(journal=Path(folder) / "check.sqlite")
        return check(RunningLocalRing(ring.endpoint), table_options=options)


def grown(growth: Growth) -> list[str]:
    """Return what a process has too much of in the end."""
    found: list[str] = []
    limits: list[tuple[str, Any, float]] = [
        ("MB of memory", growth.memory, MEMORY_MB),
        ("open descriptors", growth.descriptors, DESCRIPTORS),
        ("threads", growth.threads, DESCRIPTORS),
    ]
    for what, (before, after), limit in limits:
        if after - before > limit:
            found.append(
                f"{growth.process} had {before:.0f} {what} when it was warm and {after:.0f} in "
                f"the end: more than {limit:.0f} more"
            )
    return found
