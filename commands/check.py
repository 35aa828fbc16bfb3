"""The command `check`, and what `repair` shares with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples, on_each_ring
from commands.options.distributed import (
    announce_executions,
    distributed_option,
    segments_option,
)
from commands.options.numbers import Finite
from commands.options.rings import running_rings_option
from commands.options.whole_table import announce_journal, json_line, parse_keys, table_options
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.check_run import CheckReport, CheckRun
from operate.errors import InvalidRequestError, OperationFailedError
from operate.reconcile.check import CheckOptions
from operate.reconcile.check_result import CHANGING
from operate.reconcile.journal import Journal
from operate.reporting import ProgressCallback
from operate.rings import DeployedRing, Outcome
from operate.table_options import TableOptions
from ring.text import counted


def _read_lines(_context: Any, _option: Any, file: IO[str] | None) -> list[str] | None:
    """Return the lines of a file, which several rings need."""
    try:
        return None if file is None else list(file)
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file.name if file else ''} cannot be read: {error}") from error


def check_options(function: Any) -> Any:
    """Add the options of a check."""
    for option in reversed(_HOW):
        function = option(function)
    return function


_HOW = (
    click.option(
        "--member",
        "chosen",
        multiple=True,
        metavar="NAME",
        help="Only compare this member; repeatable.",
    ),
    click.option(
        "--keys",
        "keys",
        type=click.File(encoding="utf-8"),
        callback=_read_lines,
        metavar="FILE",
        help="File with the only keys to compare: one JSON object per line, plain or DynamoDB "
        "JSON, or the report of a check. - reads stdin.",
    ),
    click.option(
        "--sample",
        type=click.IntRange(min=1),
        metavar="KEYS",
        help="Number of random keys to compare, about.",
    ),
    click.option(
        "--settle-seconds",
        type=Finite(min=0),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Seconds that the ring may need to replicate a write. Differences are read again "
        "after that, and count if they have not changed.",
    ),
    segments_option,
    click.option(
        "--pairwise",
        is_flag=True,
        help="Compare each item with the next member's while reading its table, instead of sorting "
        "all on this machine's disk. Uses no disk, and more read units.",
    ),
    click.option(
        "--tombstones",
        is_flag=True,
        help="Also report deletes whose tombstone is missing at a member; without it a late write "
        "could restore the item.",
    ),
    distributed_option,
)


@click.command(
    cls=RingCommand,
    name="check",
    epilog=examples(
        "automate.py check --stack prod",
        "automate.py check --stack prod --rate 200 --report differences.jsonl",
        "automate.py check --stack prod --sample 1000",
        "automate.py check --stack prod --keys differences.jsonl",
        "automate.py check --stack prod --distributed --segments 1000",
    ),
)
@command
@running_rings_option
@table_options
@check_options
@click.option(
    "--report",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE",
    help="File for all keys that differ, one line of JSON each: the key, the kind, and what each "
    "member has.",
)
def check_command(
    screen: Screen,
    rings: Sequence[DeployedRing],
    whole: TableOptions,
    report: IO[str] | None,
    **values: Any,
) -> int:
    """Compare all members, and show the keys that differ.

    Reads all tables and changes nothing. Writes that are still being replicated do not count:
    items that differ are read again, consistently, after --settle-seconds. Exits with 0 if all
    members are in sync, with 1 if not, or if a key changed at every read.
    """
    _expect_writable(report)

    def one_ring(ring: DeployedRing) -> CheckReport:
        run = check_run_of(ring, whole, values)
        with announce_journal(screen, run.open("check")) as journal:
            return compare(screen, run, journal, report)

    outcomes = on_each_ring(rings, one_ring)
    ok = all(outcome.result and outcome.result.in_sync for outcome in outcomes)
    documents = [
        ring_document(outcome) | (document(outcome.result) if outcome.result else {})
        for outcome in outcomes
    ]
    screen.emit({"ok": ok, "rings": documents}, lambda: _show(screen, outcomes, report))
    return combined_exit_code(outcome.error for outcome in outcomes) or (OK if ok else FAILED)


def _expect_writable(report: IO[str] | None) -> None:
    """Raise `InvalidRequestError` if the report cannot be written, before hours of reading."""
    if report is None or report.name == "-":
        return
    try:
        Path(report.name).open("a").close()  # what it has stays until there is another
    except OSError as error:
        raise InvalidRequestError(f"--report {report.name}: {error.strerror}.") from error


def check_run_of(ring: DeployedRing, whole: TableOptions, values: Mapping[str, Any]) -> CheckRun:
    """Read the options of a check. Raises `OperateError`, also for invalid keys."""
    members = whole.connect(ring, values["chosen"])
    keys = None if values["keys"] is None else parse_keys(values["keys"], members[0])
    options = CheckOptions(
        keys,
        values["sample"],
        values["segments"],
        values["pairwise"],
        values["tombstones"],
        values["settle_seconds"],
    )
    return CheckRun(ring, members, options, whole)


def compare(screen: Screen, run: CheckRun, journal: Journal, report: IO[str] | None) -> CheckReport:
    """Check a ring, with a progress bar. All differences go into the `report`."""
    with (
        announce_executions(screen, run.ring, run.executions()),
        at_work(screen, run.stop) as on_progress,
    ):
        if report is None:
            return run.check(journal, on_progress)
        return _reported(run, journal, report, on_progress)


def _reported(
    run: CheckRun, journal: Journal, report: IO[str], on_progress: ProgressCallback
) -> CheckReport:
    """Check a ring, and write all differences, also if there is none, over an earlier report."""

    def write(text: str) -> None:
        try:
            report.write(text)
            report.flush()
        except OSError as error:
            raise OperationFailedError(
                f"{report.name} cannot be written: {error}. Run the same command again, with "
                "another --report or when there is space: it goes on from here."
            ) from error

    compared = run.check(journal, on_progress, lambda found: write(json_line(found) + "\n"))
    write("")
    return compared


def document(compared: CheckReport) -> dict[str, Any]:
    """Return the result as a document."""
    checked = compared.result
    return {
        "in_sync": compared.in_sync,
        "members": compared.members,
        "compared": checked.compared,
        "differing": checked.differing,
        "changing": checked.changing,
        "kinds": {kind: n for kind, n in checked.found.items() if kind not in ("equal", CHANGING)},
        "differences": compared.differences,
        "capacity_units": compared.capacity_units,
    }


def _show(screen: Screen, outcomes: Sequence[Outcome[CheckReport]], report: IO[str] | None) -> None:
    rest = f"all are in {report.name}" if report else "write them all with --report FILE"
    for ring in outcomes:
        name, compared = ring.ring.label, ring.result
        if compared is None:
            screen.print(f"{name}: {ring.error}")
            continue
        print_check(screen, name, compared, rest)


def print_check(screen: Screen, name: str, compared: CheckReport, rest: str) -> None:
    """Print the result of a check; `rest` says where to find the differences not shown."""
    checked = compared.result
    differing = "differs" if checked.differing == 1 else "differ"
    verdict = "none differs" if compared.is_partial else "all members are in sync"
    if not compared.in_sync:
        verdict = "none is known to differ"
    if checked.differing:
        verdict = f"{checked.differing:,} {differing}"
    screen.print(
        f"{name}: {counted(checked.compared, 'key')} compared, {verdict}. "
        f"It took {counted(round(compared.capacity_units), 'capacity unit')}."
    )
    if checked.changing:
        screen.print(
            f"{counted(checked.changing, 'key')} changed at every read, so the result is unknown: "
            "check again with --keys at a quieter time, or with a longer --settle-seconds."
        )
    width = max(map(len, compared.members), default=0)
    for difference in compared.differences:
        screen.print(f"\n{difference['kind']}: {json_line(difference['key'])}")
        for member, state in difference["members"].items():
            screen.print(f"  {member:<{width}}   {_words(state)}")
    if checked.differing > len(compared.differences):
        screen.print(f"\nand {checked.differing - len(compared.differences):,} more: {rest}.")


def _words(state: Mapping[str, Any]) -> str:
    if state["digest"] is None:
        words = "nothing"
    elif state["version"] is None:
        words = f"an item without a version, digest {state['digest']}"
    else:
        words = f"version {state['version']}"
    return f"{words}; deleted at {state['tombstone']}" if state["tombstone"] else words
