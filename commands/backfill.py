"""The command `backfill`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples, on_each_ring
from commands.options.distributed import (
    announce_executions,
    distributed_option,
    segments_option,
)
from commands.options.rings import running_rings_option
from commands.options.whole_table import (
    announce_journal,
    expect_answer,
    json_line,
    skipped_keys,
    table_options,
)
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.backfill_operation import BackfillOperation
from operate.errors import CancelledError, InvalidRequestError
from operate.reconcile.backfill import BackfillResult
from operate.reconcile.backfill_key import BackfillOutcome
from operate.rings import DeployedRing
from operate.table_options import TableOptions
from ring.text import counted


@dataclass(frozen=True)
class _Options:
    """Members to fill, and their source."""

    into: tuple[str, ...]
    source: str | None
    everyone: bool
    segments: int | None
    yes: bool


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
    documents = [ring_document(outcome) | (outcome.result or {}) for outcome in outcomes]
    ok = all(outcome.result and not outcome.result["skipped"] for outcome in outcomes)
    screen.emit({"ok": ok, "rings": documents}, lambda: _show(screen, documents))
    return combined_exit_code(outcome.error for outcome in outcomes) or (OK if ok else FAILED)


def _backfill(
    screen: Screen, ring: DeployedRing, whole: TableOptions, options: _Options
) -> dict[str, Any]:
    operation = BackfillOperation(ring, options.into, options.source, options.segments, whole)
    for route in operation.routes:
        source, target = operation.members[route.source], operation.members[route.target]
        screen.print(
            f"{ring.label}: {target.name} ({target.tables.table}, "
            f"about {counted(target.item_count, 'item')}) "
            f"from {source.name} ({source.tables.table}, about {source.item_count:,})"
        )
    if not options.yes and not click.confirm("Copy these items?", err=True):
        raise CancelledError("Nothing was changed.")
    with (
        announce_journal(screen, operation.open()) as journal,
        announce_executions(screen, ring, operation.executions()),
        at_work(screen, whole.stop) as on_progress,
    ):
        done = operation.run(journal, on_progress)
    return _document(done, operation.members[0].keys)


def _document(done: BackfillResult, names: Sequence[str]) -> dict[str, Any]:
    return {
        "read": done.read,
        "written": done.outcomes[BackfillOutcome.WRITTEN],
        "present": done.outcomes[BackfillOutcome.ALREADY_PRESENT],
        "skipped": done.left,
        "skipped_keys": skipped_keys(done.skipped_keys, names),
    }


def _show(screen: Screen, documents: Sequence[Mapping[str, Any]]) -> None:
    for ring in documents:
        if "error" in ring:
            screen.print(f"{ring['ring']}: {ring['error']['text']}")
            continue
        screen.print(
            f"{ring['ring']}: {counted(ring['read'], 'item')} read, {ring['written']:,} written, "
            f"{ring['present']:,} present already, {ring['skipped']:,} skipped."
        )
        for entry in ring["skipped_keys"]:
            screen.print(f"  {json_line(entry['key'])}: {entry['reason']}")
