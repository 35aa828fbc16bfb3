"""The command `repair`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from commands.check import check_options, check_run_of, compare, document, print_check
from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples, on_each_ring
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
from operate.check_run import CheckRun
from operate.errors import CancelledError
from operate.reconcile.journal import Journal
from operate.reconcile.repair import RepairResult
from operate.rings import DeployedRing, Outcome
from operate.table_options import TableOptions
from ring.text import counted

_REST = "write them all with `check --report FILE`"


@dataclass(frozen=True)
class _Options:
    """The preferred member, and whether to ask or only to preview."""

    prefer: str | None
    yes: bool
    dry_run: bool


@click.command(
    cls=RingCommand,
    name="repair",
    epilog=examples(
        "automate.py repair --stack prod --dry-run",
        "automate.py repair --stack prod --keys differences.jsonl",
        "automate.py repair --stack prod --prefer eu-west-1 --rate 200",
    ),
)
@command
@running_rings_option
@table_options
@check_options
@click.option(
    "--prefer",
    metavar="NAME",
    help="Member whose items win where no version decides: items that were never replicated and "
    "differ. Use it only when all hops have caught up. Default: such keys are skipped.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Skip the preview and the confirmation.")
def repair_command(
    screen: Screen, rings: Sequence[DeployedRing], whole: TableOptions, **values: Any
) -> int:
    """Repair keys that differ: the newest version wins.

    Checks first, as `check` does, shows what it would write, and asks. Its writes are conditional,
    as those of a hop: newer items stay, so applications may write and hops may run meanwhile. Exits
    with 1 if a key was skipped, or changed at every read.
    """
    options = _Options(values["prefer"], values["yes"], values["dry_run"])
    if not (options.yes or options.dry_run):
        expect_answer(screen, rings)
    outcomes = on_each_ring(rings, lambda ring: _repair(screen, ring, whole, options, values))
    documents = [ring_document(outcome) | (outcome.result or {}) for outcome in outcomes]
    ok = all(map(_is_success, outcomes))
    screen.emit(
        {"ok": ok, "dry_run": options.dry_run, "rings": documents},
        lambda: _errors(screen, documents),
    )
    return combined_exit_code(outcome.error for outcome in outcomes) or (OK if ok else FAILED)


def _is_success(outcome: Outcome[dict[str, Any]]) -> bool:
    """Return whether nothing is left to repair, as far as every key is known."""
    result = outcome.result
    return result is not None and not result["skipped"] and not result["changing"]


def _repair(
    screen: Screen,
    ring: DeployedRing,
    whole: TableOptions,
    options: _Options,
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """Check and repair a ring; print the progress, and return the document."""
    run = check_run_of(ring, whole, values)
    if options.prefer is not None:
        run.member_index(options.prefer)  # an error before anything is read
    with announce_journal(screen, run.open("repair")) as journal:
        compared = compare(screen, run, journal, None)
        if not screen.as_json:
            print_check(screen, ring.label, compared, _REST)
        names = run.members[0].keys
        write = partial(_do, screen, run, journal, options.prefer)
        if options.dry_run or (not options.yes and compared.result.differing):
            planned = write(dry_run=True)
            if options.dry_run:
                return document(compared) | _document(planned, options.prefer, names)
            if not click.confirm("Write this?", err=True):
                journal.remove()  # so that the next run compares what stands there by then
                raise CancelledError("Nothing was changed.")
        return document(compared) | _document(write(dry_run=False), options.prefer, names)


def _do(
    screen: Screen,
    run: CheckRun,
    journal: Journal,
    prefer: str | None,
    *,
    dry_run: bool,
) -> RepairResult:
    with at_work(screen, run.stop) as on_progress:
        repaired = run.repair(journal, prefer, dry_run=dry_run, on_progress=on_progress)
    if not screen.as_json:
        _show(screen, repaired, prefer, dry_run, run.members[0].keys)
    return repaired


def next_step(prefer: str | None) -> str:
    """Return what to do about skipped keys."""
    if prefer is None:
        return (
            "Next: see `automate.py status`. Wait for hops that are behind, replay quarantined "
            "records (`automate.py redrive --all`), and run `repair` again. Keys that are skipped "
            "even then are in no stream any more: choose the member whose item wins, with `repair "
            "--prefer NAME`."
        )
    return (
        f"Next: where members have different items and {prefer} has none, pass one of them with "
        "`--prefer`; for all others, run `repair` again."
    )


def _show(
    screen: Screen, repaired: RepairResult, prefer: str | None, dry_run: bool, names: Sequence[str]
) -> None:
    if not repaired.repaired and not repaired.skipped:
        screen.print("Nothing to do.")
        return
    writes = ", ".join(f"{count:,} at {name}" for name, count in sorted(repaired.writes.items()))
    repaired_keys, left = _keys(repaired.repaired, dry_run), _keys(repaired.skipped, dry_run)
    screen.print(f"\n{repaired_keys} repaired: {writes or 'no writes'}.")
    if repaired.skipped:
        screen.print(f"{left} skipped{_among(repaired)}:")
    for skipped in skipped_keys(repaired.skip_reasons, names):
        screen.print(f"  {json_line(skipped['key'])}: {skipped['reason']}")
    if repaired.skipped:
        screen.print(f"\n{next_step(prefer)}")


def _keys(count: int, dry_run: bool) -> str:
    if dry_run:
        return f"{counted(count, 'key')} would be"
    return counted(count, "key was", "keys were")


def _among(repaired: RepairResult) -> str:
    return ", among them" if repaired.skipped > len(repaired.skip_reasons) else ""


def _document(repaired: RepairResult, prefer: str | None, names: Sequence[str]) -> dict[str, Any]:
    return {
        "repaired": repaired.repaired,
        "skipped": repaired.skipped,
        "writes": dict(repaired.writes),
        "skipped_keys": skipped_keys(repaired.skip_reasons, names),
        **({"next": next_step(prefer)} if repaired.skipped else {}),
    }


def _errors(screen: Screen, documents: Sequence[Mapping[str, Any]]) -> None:
    for entry in documents:
        if "error" in entry:
            screen.print(f"{entry['ring']}: {entry['error']['text']}")
