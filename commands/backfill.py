"""The command that fills members from others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import combined_exit_code, command, examples, on_each_ring
from commands.options.distributed import (
    announce_execution,
    distributed_option,
    segment_count,
    segment_runner,
    segments_option,
)
from commands.options.rings import running_rings_option
from commands.options.whole_table import TableOptions, expect_answer, json_line, table_options
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.distributed.jobs import backfill_distributed, backfill_task, expect_writes
from operate.errors import CancelledError, InvalidRequestError
from operate.reconcile.backfill import BackfillResult, Route, backfill, plan_route
from operate.reconcile.backfill_key import BackfillOutcome
from operate.reconcile.members import MemberConnection
from operate.rings import DeployedRing
from ring.text import counted


@dataclass(frozen=True)
class _Wish:
    """Which members to fill, from whom, and how."""

    into: tuple[str, ...]
    source: str | None
    everyone: bool
    segments: int | None
    distributed: bool
    yes: bool

    def routes(self, members: Sequence[MemberConnection]) -> list[Route]:
        """The routes. Raises `InvalidRequestError`."""
        names = [member.name for member in members] if self.everyone else self.into
        return [plan_route(members, name, self.source) for name in names]


@click.command(
    name="backfill",
    epilog=examples(
        "automate.py backfill --stack prod --into ap-southeast-2",
        "automate.py backfill --stack prod --into sa-east-1 --from us-east-1 --rate 500",
        "automate.py backfill --stack prod --all --yes",
        "automate.py backfill --stack prod --into sa-east-1 --distributed --segments 1000",
    ),
)
@command
@running_rings_option
@table_options
@click.option("--into", multiple=True, metavar="NAME", help="Fill this member; repeatable.")
@click.option(
    "--from",
    "source",
    metavar="NAME",
    help="Fill from this member. Default: the one whose hop leads to the one that is filled.",
)
@click.option(
    "--all",
    "everyone",
    is_flag=True,
    help="Fill every member from the one before it: for tables that had items before the ring.",
)
@segments_option
@distributed_option
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
def backfill_command(
    screen: Screen, rings: Sequence[DeployedRing], whole: TableOptions, **given: Any
) -> int:
    """Fill a new or emptied member from another, or all from each other.

    Applications may write at all members meanwhile, and hops run. An item that is newer at the
    member stays, one that was deleted there too. Filling costs a write an item: the ring does not
    carry it around once more. Exits with 1 if something could not be filled.
    """
    wish = _Wish(**given)
    if bool(wish.into) == wish.everyone:
        raise InvalidRequestError("Which members? Say --into NAME, or --all.")
    if wish.everyone and wish.source:
        raise InvalidRequestError(
            "--from does not go with --all, which fills each member from the one before it."
        )
    if not wish.yes:
        expect_answer(screen, rings)
    ended = on_each_ring(rings, lambda ring: _backfill(screen, ring, whole, wish))
    rings_told = [
        ring_document(one) | (_document(one.result) if one.result else {}) for one in ended
    ]
    sound = all(one.result and not one.result.left for one in ended)
    screen.emit({"ok": sound, "rings": rings_told}, lambda: _show(screen, rings_told))
    return combined_exit_code(one.error for one in ended) or (OK if sound else FAILED)


def _backfill(
    screen: Screen, ring: DeployedRing, whole: TableOptions, wish: _Wish
) -> BackfillResult:
    how = {"distributed": wish.distributed, "segments": wish.segments}
    machine, segments = segment_runner(ring, whole, how), segment_count(ring, how)
    if machine:
        expect_writes(machine)
    members = whole.reach(ring)
    routes = wish.routes(members)
    for one in routes:
        source, target = members[one.source], members[one.target]
        screen.print(
            f"{ring.label}: {target.name} ({target.tables.table}, "
            f"about {counted(target.item_count, 'item')}) "
            f"from {source.name} ({source.tables.table}, about {source.item_count:,})"
        )
    if not wish.yes and not click.confirm("Do this?", err=True):
        raise CancelledError("Nothing was changed.")
    tables = [(one.name, one.tables.table) for one in members]
    ways = [(one.source, one.target) for one in routes]
    here = machine is None
    with whole.open(screen, ring, "backfill", [tables, ways, segments, here]) as journal:
        if machine is None:
            with at_work(screen, whole.stop) as tell:
                return backfill(members, routes, journal, segments=segments, on_progress=tell)
        tasks = [backfill_task(members, one, segments) for one in routes]
        with (
            announce_execution(screen, ring, machine, tasks, whole.restart),
            at_work(screen, whole.stop) as tell,
        ):
            return backfill_distributed(machine, tasks, journal, restart=whole.restart, tell=tell)


def _document(done: BackfillResult) -> dict[str, Any]:
    return {
        "read": done.read,
        "written": done.outcomes[BackfillOutcome.WRITTEN],
        "there": done.outcomes[BackfillOutcome.ALREADY_PRESENT],
        "left": done.left,
        "why": [{"key": json.loads(key), "why": why} for key, why in done.skipped_keys.items()],
    }


def _show(screen: Screen, told: Sequence[Mapping[str, Any]]) -> None:
    for one in told:
        if "error" in one:
            screen.print(f"{one['ring']}: {one['error']['text']}")
            continue
        screen.print(
            f"{one['ring']}: {counted(one['read'], 'item')} read, {one['written']:,} written, "
            f"{one['there']:,} there already, {one['left']:,} left."
        )
        for each_one in one["why"]:
            screen.print(f"  {json_line(each_one['key'])}: {each_one['why']}")
