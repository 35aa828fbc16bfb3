"""The command `backfill`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples, on_each_ring
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
from operate.distributed.jobs import backfill_distributed, backfill_job, expect_writes
from operate.errors import CancelledError, InvalidRequestError
from operate.reconcile.backfill import BackfillResult, Route, backfill, plan_route
from operate.reconcile.backfill_key import BackfillOutcome
from operate.reconcile.members import MemberConnection
from operate.rings import DeployedRing
from operate.table_operations import backfill_identity
from ring.text import counted


@dataclass(frozen=True)
class _Options:
    """Members to fill, and their source."""

    into: tuple[str, ...]
    source: str | None
    everyone: bool
    segments: int | None
    distributed: bool
    yes: bool

    def routes(self, members: Sequence[MemberConnection]) -> list[Route]:
        """Return the routes. Raises `InvalidRequestError`."""
        names = [member.name for member in members] if self.everyone else self.into
        return [plan_route(members, name, self.source) for name in names]


@click.command(
    cls=RingCommand,
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
@click.option("--into", multiple=True, metavar="NAME", help="Member to fill; repeatable.")
@click.option(
    "--from",
    "source",
    metavar="NAME",
    help="Member to copy from. Default: the one whose hop leads to the target.",
)
@click.option(
    "--all",
    "everyone",
    is_flag=True,
    help="Fill every member from its predecessor: for tables with items from before the ring.",
)
@segments_option
@distributed_option
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
def backfill_command(
    screen: Screen, rings: Sequence[DeployedRing], whole: TableOptions, **given: Any
) -> int:
    """Copy missing items into a member, or into all.

    For a new or emptied member, and for tables with items from before the ring. Applications may
    write and hops may run meanwhile: newer items and deletes stay. It costs one write per item; the
    ring does not replicate it again. Exits with 1 if an item could not be copied.
    """
    options = _Options(**given)
    if bool(options.into) == options.everyone:
        raise InvalidRequestError("Which members? Pass --into NAME or --all.")
    if options.everyone and options.source:
        raise InvalidRequestError(
            "--from cannot be used with --all, which fills each member from its predecessor."
        )
    if not options.yes:
        expect_answer(screen, rings)
    outcomes = on_each_ring(rings, lambda ring: _backfill(screen, ring, whole, options))
    documents = [
        ring_document(outcome) | (_document(outcome.result) if outcome.result else {})
        for outcome in outcomes
    ]
    ok = all(outcome.result and not outcome.result.left for outcome in outcomes)
    screen.emit({"ok": ok, "rings": documents}, lambda: _show(screen, documents))
    return combined_exit_code(outcome.error for outcome in outcomes) or (OK if ok else FAILED)


def _backfill(
    screen: Screen, ring: DeployedRing, whole: TableOptions, options: _Options
) -> BackfillResult:
    how = {"distributed": options.distributed, "segments": options.segments}
    machine, segments = segment_runner(ring, whole, how), segment_count(ring, how)
    if machine:
        expect_writes(machine)
    members = whole.connect(ring)
    routes = options.routes(members)
    for route in routes:
        source, target = members[route.source], members[route.target]
        screen.print(
            f"{ring.label}: {target.name} ({target.tables.table}, "
            f"about {counted(target.item_count, 'item')}) "
            f"from {source.name} ({source.tables.table}, about {source.item_count:,})"
        )
    if not options.yes and not click.confirm("Copy these items?", err=True):
        raise CancelledError("Nothing was changed.")
    identity = backfill_identity(members, routes, segments, is_local=machine is None)
    with whole.open(screen, ring, "backfill", identity) as journal:
        if machine is None:
            with at_work(screen, whole.stop) as on_progress:
                return backfill(
                    members, routes, journal, segments=segments, on_progress=on_progress
                )
        tasks = [backfill_job(members, route, segments) for route in routes]
        with (
            announce_execution(screen, ring, machine, tasks, whole.restart),
            at_work(screen, whole.stop) as on_progress,
        ):
            return backfill_distributed(
                machine, tasks, journal, restart=whole.restart, on_progress=on_progress
            )


def _document(done: BackfillResult) -> dict[str, Any]:
    return {
        "read": done.read,
        "written": done.outcomes[BackfillOutcome.WRITTEN],
        "there": done.outcomes[BackfillOutcome.ALREADY_PRESENT],
        "left": done.left,
        "why": [{"key": json.loads(key), "why": why} for key, why in done.skipped_keys.items()],
    }


def _show(screen: Screen, documents: Sequence[Mapping[str, Any]]) -> None:
    for ring in documents:
        if "error" in ring:
            screen.print(f"{ring['ring']}: {ring['error']['text']}")
            continue
        screen.print(
            f"{ring['ring']}: {counted(ring['read'], 'item')} read, {ring['written']:,} written, "
            f"{ring['there']:,} present already, {ring['left']:,} skipped."
        )
        for entry in ring["why"]:
            screen.print(f"  {json_line(entry['key'])}: {entry['why']}")
