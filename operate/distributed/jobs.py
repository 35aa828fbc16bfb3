"""A check, or a backfill, whose segments are worked on in functions: see `executions`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from operate.distributed.executions import Machine, Task
from operate.distributed.results import collect_backfill, collect_check
from operate.errors import WrongError
from operate.reconcile import backfill, check
from operate.reconcile.backfill import Backfilled, Route
from operate.reconcile.check import Checked, Wish
from operate.reconcile.journal import Journal
from operate.reconcile.members import Reached
from operate.reporting import Tell, silently

LONGEST_SETTLE = 180.0
"""Seconds: a call has 15 minutes, and may look at what differs five times."""

_COMPARED = "compare"


def check_task(members: Sequence[Reached], wish: Wish) -> Task:
    """What is to be done for a check. WrongError for a wish that functions cannot fulfil."""
    if wish.settle > LONGEST_SETTLE:
        raise WrongError(
            f"--settle {wish.settle:g} is too long: a function has 15 minutes, and waits so long "
            f"up to {wish.looks - 1} times. Say {LONGEST_SETTLE:g} or less."
        )
    return Task(
        "check",
        {"settle": wish.settle, "tombstones": wish.tombstones},
        members,
        list(check.parts(members, wish.segments)),
        [_tables(members), wish.segments, wish.tombstones],
    )


def check_distributed(
    machine: Machine,
    task: Task,
    journal: Journal,
    *,
    anew: bool = False,
    tell: Tell = silently,
) -> tuple[Checked, float]:
    """Compare members; the journal has what was found then, as after `reconcile.check.check`.

    Also returns the capacity units that the functions took, of which the journal knows nothing.
    Raises `OperateError`.
    """
    compared, units = journal.finished(_COMPARED), 0.0
    if compared is None:
        run = machine.finish(task, anew=anew, tell=tell)
        checked, units = collect_check(machine.take(run, task), journal)
        compared = checked.compared
        journal.finish(_COMPARED, compared)
    machine.forget_all(task)
    return Checked(compared, journal.counts()), units


def expect_writes(machine: Machine) -> None:
    """See that functions may fill. WrongError if they may only read."""
    if not machine.part.writes:
        raise WrongError(
            "The functions of this ring may only read. Set `distributed.writes: true` and run "
            "`up`, or leave --distributed out."
        )


def backfill_task(members: Sequence[Reached], route: Route, segments: int) -> Task:
    """What is to be done to fill a member along a route."""
    way = (route.source, route.target)
    parts = list(backfill.parts(members, [route], segments))
    about = [_tables(members), way, segments]
    return Task("backfill", {"route": way}, members, parts, about)


def backfill_distributed(
    machine: Machine,
    tasks: Sequence[Task],
    journal: Journal,
    *,
    anew: bool = False,
    tell: Tell = silently,
) -> Backfilled:
    """Fill members, a route after the other, as `operate.reconcile.backfill.backfill` does.

    No run is forgotten before all are done, so that an interrupted call goes on behind those that
    are. Raises `OperateError`.
    """
    runs = [machine.finish(task, anew=anew, tell=tell) for task in tasks]
    taken = (machine.take(run, task) for run, task in zip(runs, tasks, strict=True))
    done, _ = collect_backfill(chain.from_iterable(taken), journal)
    for task in tasks:
        machine.forget_all(task)
    return done


def _tables(members: Sequence[Reached]) -> list[tuple[str, str]]:
    return [(one.name, one.tables.table) for one in members]
