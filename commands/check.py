"""Commands that tell whether the members of a ring are equal, and make them so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import click

from commands.exit_codes import FAILED, FINE
from commands.framework import answers, each, examples, worst
from commands.options.distributed import (
    distributed_option,
    machine_of,
    segments_of,
    segments_option,
    told,
)
from commands.options.numbers import Finite
from commands.options.rings import which_running
from commands.options.whole_table import Whole, keys_in, line_of, whole_tables
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.distributed.executions import Machine
from operate.distributed.jobs import check_distributed, check_task
from operate.errors import WrongError
from operate.reconcile.check import CHANGING, Checked, Wish, check, findings
from operate.reconcile.journal import Journal
from operate.reconcile.members import Reached
from operate.rings import Ended, Running
from operate.stop import Stop
from ring.text import counted

_SHOWN = 20  # findings that are told in words, or in the answer in JSON


@dataclass(frozen=True)
class Compared:
    """What a check of a ring found; `shown` are the first findings as documents."""

    checked: Checked
    shown: Sequence[Mapping[str, Any]]
    units: float


def how_to_check(function: Any) -> Any:
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
        help="Compare these members alone; repeatable.",
    ),
    click.option(
        "--keys",
        "keys",
        type=click.File(encoding="utf-8"),
        help="Compare these keys alone: JSON objects, one a line, plain or DynamoDB JSON, or the "
        "report of a check. - reads them from stdin.",
    ),
    click.option(
        "--sample",
        type=click.IntRange(min=1),
        metavar="KEYS",
        help="Compare about so many keys, drawn at random.",
    ),
    click.option(
        "--settle",
        type=Finite(min=0),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the ring may need to deliver a write. What differs is looked at again "
        "after that, and counts if it has not changed.",
    ),
    segments_option,
    click.option(
        "--apart",
        is_flag=True,
        help="Compare each item with the next member's while its table is read, instead of sorting "
        "all on this machine's disk. It takes no disk and more read units: see `estimate`.",
    ),
    click.option(
        "--tombstones",
        is_flag=True,
        help="Let a delete count of which a member has no tombstone, although no item is left: a "
        "late write could bring the item back there.",
    ),
    distributed_option,
)


@click.command(
    name="check",
    epilog=examples(
        "automate.py check --stack prod",
        "automate.py check --stack prod --rate 200 --report differences.jsonl",
        "automate.py check --stack prod --sample 1000",
        "automate.py check --stack prod --keys differences.jsonl",
        "automate.py check --stack prod --distributed --segments 1000",
    ),
)
@answers
@which_running
@whole_tables
@how_to_check
@click.option(
    "--report",
    type=click.File("w", encoding="utf-8", lazy=True),
    help="Write every key that differs into this file, as a line of JSON: the key, the kind, and "
    "what each member has.",
)
def check_command(
    screen: Screen, rings: Sequence[Running], whole: Whole, report: IO[str] | None, **how: Any
) -> int:
    """Tell whether all members are equal, and in which keys they are not.

    Reads all tables, and changes nothing. What is on its way is not counted: where members differ,
    their items are read again, consistently, after --settle seconds. Exits with 0 if all members
    are equal, with 1 if not.
    """

    def one_ring(ring: Running) -> Compared:
        comparison = comparison_of(ring, whole, how)
        with whole.open(screen, ring, "check", comparison.about) as journal:
            return compare(screen, comparison, journal, report)

    ended = each(rings, one_ring)
    sound = all(one.result and not one.result.checked.differing for one in ended)
    rings_told = [
        ring_document(one) | (document(one.result) if one.result else {}) for one in ended
    ]
    screen.answer({"ok": sound, "rings": rings_told}, lambda: _show(screen, ended, report))
    return worst(one.error for one in ended) or (FINE if sound else FAILED)


@dataclass(frozen=True)
class Comparison:
    """Which members to compare, and how; `machine` has functions do it, None: it is done here."""

    ring: Running
    members: Sequence[Reached]
    wish: Wish
    machine: Machine | None
    anew: bool
    stop: Stop

    @property
    def about(self) -> Any:
        """What it is of: one that was interrupted goes on only as the same."""
        tables, wish = [(one.name, one.tables.table) for one in self.members], self.wish
        here = self.machine is None
        about = [wish.keys, wish.sample, wish.segments, wish.apart, wish.tombstones]
        return [tables, *about, here]


def comparison_of(ring: Running, whole: Whole, how: Mapping[str, Any]) -> Comparison:
    """What to compare, by the options. Raises `OperateError`, also for keys that are none."""
    machine = machine_of(ring, whole, how)
    members = whole.reach(ring, how["chosen"])
    keys = None if how["keys"] is None else keys_in(how["keys"], members[0])
    without = [member.name for member in members if member.tables.tombstones is None]
    if how["tombstones"] and without:
        raise WrongError(f"--tombstones: {without[0]} has none, by `tombstones.enabled`.")
    wish = Wish(
        keys, how["sample"], segments_of(ring, how), how["apart"], how["tombstones"], how["settle"]
    )
    return Comparison(ring, members, wish, machine, whole.anew, whole.stop)


def compare(
    screen: Screen, comparison: Comparison, journal: Journal, report: IO[str] | None
) -> Compared:
    """Check a ring, with a progress bar."""
    members = comparison.members
    checked, units = _checked(screen, comparison, journal)
    documents = (finding.document(members) for finding in findings(journal))
    spent = units + sum(one.pace.spent for one in members)
    return Compared(checked, _first(documents, report), spent)


def _checked(screen: Screen, comparison: Comparison, journal: Journal) -> tuple[Checked, float]:
    """What was found, and the capacity units that it took elsewhere."""
    members, wish, machine = comparison.members, comparison.wish, comparison.machine
    if machine is None:
        with at_work(screen, comparison.stop) as tell:
            return check(members, journal, wish, tell), 0.0
    task, anew = check_task(members, wish), comparison.anew
    with (
        told(screen, comparison.ring, machine, [task], anew),
        at_work(screen, comparison.stop) as tell,
    ):
        return check_distributed(machine, task, journal, anew=anew, tell=tell)


def _first(documents: Iterable[Mapping[str, Any]], report: IO[str] | None) -> list[Any]:
    """The first documents; all of them go into the report."""
    if report is None:
        return list(islice(documents, _SHOWN))
    shown: list[Any] = []
    for one in documents:
        report.write(line_of(one) + "\n")
        if len(shown) < _SHOWN:
            shown.append(one)
    return shown


def document(compared: Compared) -> dict[str, Any]:
    """What was found, for scripts."""
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


def _show(screen: Screen, ended: Sequence[Ended[Compared]], report: IO[str] | None) -> None:
    rest = f"all are in {report.name}" if report else "--report FILE has them written down"
    for ring in ended:
        name, one = ring.ring.label, ring.result
        if one is None:
            screen.say(f"{name}: {ring.error}")
            continue
        tell_compared(screen, name, one, rest)


def tell_compared(screen: Screen, name: str, compared: Compared, rest: str) -> None:
    """Say what a check found; `rest` says where that is which is not shown."""
    checked = compared.checked
    differing = "differs" if checked.differing == 1 else "differ"
    verdict = f"{checked.differing:,} {differing}" if checked.differing else "all members are equal"
    screen.say(
        f"{name}: {counted(checked.compared, 'key')} compared, {verdict}. "
        f"It took {counted(round(compared.units), 'capacity unit')}."
    )
    if checked.changing:
        screen.say(
            f"{counted(checked.changing, 'key')} changed at every look, so nothing is said of "
            f"{'it' if checked.changing == 1 else 'them'}: check with --keys when it is calmer, "
            "or with a longer --settle."
        )
    for one in compared.shown:
        screen.say(f"\n{one['kind']}: {line_of(one['key'])}")
        for member, held in one["members"].items():
            screen.say(f"  {member:<16} {_words(held)}")
    if checked.differing > len(compared.shown):
        screen.say(f"\nand {checked.differing - len(compared.shown):,} more: {rest}.")


def _words(held: Mapping[str, Any]) -> str:
    if held["digest"] is None:
        words = "nothing"
    elif held["version"] is None:
        words = f"an item without a version, digest {held['digest']}"
    else:
        words = f"version {held['version']}"
    return f"{words}; deleted at {held['tombstone']}" if held["tombstone"] else words
