"""The command `check`, and what `repair` shares with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

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
from commands.options.numbers import Finite
from commands.options.rings import running_rings_option
from commands.options.whole_table import TableOptions, json_line, parse_keys, table_options
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.distributed.executions import SegmentRunner
from operate.distributed.jobs import check_distributed, check_task
from operate.errors import InvalidRequestError
from operate.reconcile.check import CHANGING, CheckOptions, CheckResult, check, findings
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.rings import DeployedRing, Outcome
from operate.stop import Stop
from ring.text import counted

_SHOWN = 20  # differences that are printed, or in the JSON document


@dataclass(frozen=True)
class CheckReport:
    """What a check of a ring found; `shown` are the first findings as documents."""

    checked: CheckResult
    shown: Sequence[Mapping[str, Any]]
    units: float


def check_options(function: Any) -> Any:
    """Give a command the options that say which keys are compared, and how."""
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
    help="File for all keys that differ, one line of JSON each: the key, the kind, and what each "
    "member has.",
)
def check_command(
    screen: Screen,
    rings: Sequence[DeployedRing],
    whole: TableOptions,
    report: IO[str] | None,
    **how: Any,
) -> int:
    """Compare all members, and show the keys that differ.

    Reads all tables and changes nothing. Writes that are still being replicated do not count:
    items that differ are read again, consistently, after --settle-seconds. Exits with 0 if all
    members are in sync, with 1 if not.
    """

    def one_ring(ring: DeployedRing) -> CheckReport:
        comparison = comparison_of(ring, whole, how)
        with whole.open(screen, ring, "check", comparison.about) as journal:
            return compare(screen, comparison, journal, report)

    ended = on_each_ring(rings, one_ring)
    sound = all(one.result and not one.result.checked.differing for one in ended)
    rings_told = [
        ring_document(one) | (document(one.result) if one.result else {}) for one in ended
    ]
    screen.emit({"ok": sound, "rings": rings_told}, lambda: _show(screen, ended, report))
    return combined_exit_code(one.error for one in ended) or (OK if sound else FAILED)


@dataclass(frozen=True)
class Comparison:
    """Which members to compare, and how; `machine` has functions do it, None: it is done here."""

    ring: DeployedRing
    members: Sequence[MemberConnection]
    wish: CheckOptions
    machine: SegmentRunner | None
    restart: bool
    stop: Stop

    @property
    def about(self) -> Any:
        """What it is of: one that was interrupted goes on only as the same."""
        tables, wish = [(one.name, one.tables.table) for one in self.members], self.wish
        here = self.machine is None
        about = [wish.keys, wish.sample, wish.segments, wish.pairwise, wish.tombstones]
        return [tables, *about, here]


def comparison_of(ring: DeployedRing, whole: TableOptions, how: Mapping[str, Any]) -> Comparison:
    """What to compare, by the options. Raises `OperateError`, also for keys that are none."""
    machine = segment_runner(ring, whole, how)
    members = whole.connect(ring, how["chosen"])
    keys = None if how["keys"] is None else parse_keys(how["keys"], members[0])
    without = [member.name for member in members if member.tables.tombstones is None]
    if how["tombstones"] and without:
        raise InvalidRequestError(f"--tombstones: {without[0]} has none, by `tombstones.enabled`.")
    wish = CheckOptions(
        keys,
        how["sample"],
        segment_count(ring, how),
        how["pairwise"],
        how["tombstones"],
        how["settle_seconds"],
    )
    return Comparison(ring, members, wish, machine, whole.restart, whole.stop)


def compare(
    screen: Screen, comparison: Comparison, journal: Journal, report: IO[str] | None
) -> CheckReport:
    """Check a ring, with a progress bar."""
    members = comparison.members
    checked, units = _checked(screen, comparison, journal)
    documents = (finding.document(members) for finding in findings(journal))
    spent = units + sum(one.rate_limiter.spent for one in members)
    return CheckReport(checked, _first(documents, report), spent)


def _checked(screen: Screen, comparison: Comparison, journal: Journal) -> tuple[CheckResult, float]:
    """What was found, and the capacity units that it took elsewhere."""
    members, wish, machine = comparison.members, comparison.wish, comparison.machine
    if machine is None:
        with at_work(screen, comparison.stop) as tell:
            return check(members, journal, wish, tell), 0.0
    task, restart = check_task(members, wish), comparison.restart
    with (
        announce_execution(screen, comparison.ring, machine, [task], restart),
        at_work(screen, comparison.stop) as tell,
    ):
        return check_distributed(machine, task, journal, restart=restart, tell=tell)


def _first(documents: Iterable[Mapping[str, Any]], report: IO[str] | None) -> list[Any]:
    """The first documents; all of them go into the report."""
    if report is None:
        return list(islice(documents, _SHOWN))
    shown: list[Any] = []
    for one in documents:
        report.write(json_line(one) + "\n")
        if len(shown) < _SHOWN:
            shown.append(one)
    return shown


def document(compared: CheckReport) -> dict[str, Any]:
    """Return the result as a document."""
    checked = compared.checked
    return {
        "equal": not checked.differing,
        "compared": checked.compared,
        "differing": checked.differing,
        "changing": checked.changing,
        "kinds": {kind: n for kind, n in checked.found.items() if kind not in ("equal", CHANGING)},
        "first": compared.shown,
        "units": compared.units,
    }


def _show(screen: Screen, ended: Sequence[Outcome[CheckReport]], report: IO[str] | None) -> None:
    rest = f"all are in {report.name}" if report else "write them all with --report FILE"
    for ring in ended:
        name, one = ring.ring.label, ring.result
        if one is None:
            screen.print(f"{name}: {ring.error}")
            continue
        print_comparison(screen, name, one, rest)


def print_comparison(screen: Screen, name: str, compared: CheckReport, rest: str) -> None:
    """Print the result of a check; `rest` says where to find the differences not shown."""
    checked = compared.checked
    differing = "differs" if checked.differing == 1 else "differ"
    verdict = (
        f"{checked.differing:,} {differing}" if checked.differing else "all members are in sync"
    )
    screen.print(
        f"{name}: {counted(checked.compared, 'key')} compared, {verdict}. "
        f"It took {counted(round(compared.units), 'capacity unit')}."
    )
    if checked.changing:
        screen.print(
            f"{counted(checked.changing, 'key')} changed at every read, so the result is unknown: "
            "check again with --keys at a quieter time, or with a longer --settle-seconds."
        )
    for one in compared.shown:
        screen.print(f"\n{one['kind']}: {json_line(one['key'])}")
        for member, held in one["members"].items():
            screen.print(f"  {member:<16} {_words(held)}")
    if checked.differing > len(compared.shown):
        screen.print(f"\nand {checked.differing - len(compared.shown):,} more: {rest}.")


def _words(held: Mapping[str, Any]) -> str:
    if held["digest"] is None:
        words = "nothing"
    elif held["version"] is None:
        words = f"an item without a version, digest {held['digest']}"
    else:
        words = f"version {held['version']}"
    return f"{words}; deleted at {held['tombstone']}" if held["tombstone"] else words
