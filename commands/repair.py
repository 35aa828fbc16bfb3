"""The command that brings members in line where a check finds that they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from commands.check import check_options, compare, comparison_of, document, print_comparison
from commands.exit_codes import FAILED, OK
from commands.framework import combined_exit_code, command, examples, on_each_ring
from commands.options.rings import running_rings_option
from commands.options.whole_table import TableOptions, expect_answer, table_options
from commands.output.long_work import at_work
from commands.output.screen import Screen, ring_document
from operate.errors import CancelledError, InvalidRequestError
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.repair import RepairResult, repair
from operate.rings import DeployedRing
from ring.text import counted

_REST = "`check --report FILE` has them written down"


@dataclass(frozen=True)
class _Wish:
    """Whose items win where no version tells, and whether to ask, or only to tell."""

    prefer: str | None
    yes: bool
    dry_run: bool

    def place(self, members: Sequence[MemberConnection]) -> int | None:
        """The preferred member's place."""
        if self.prefer is None:
            return None
        names = [member.name for member in members]
        if self.prefer not in names:
            raise InvalidRequestError(
                f"There is no member {self.prefer}. There are: {', '.join(names)}."
            )
        return names.index(self.prefer)


@click.command(
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
    help="Where members have items without a version that differ from what others have, and no "
    "stream will tell of them any more: what this member has wins. Say it only when all streams "
    "are drained. Default: such keys are left.",
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--yes", "-y", is_flag=True, help="Do it without showing it first and asking.")
def repair_command(
    screen: Screen, rings: Sequence[DeployedRing], whole: TableOptions, **how: Any
) -> int:
    """Bring members in line where they differ: the newest version of each key wins.

    First checks, as `check` does, then shows what it would do, and asks. It writes as a hop does,
    under conditions: what is newer by then stays, so applications may write and hops run
    meanwhile. Exits with 1 if something was left as it is.
    """
    wish = _Wish(how["prefer"], how["yes"], how["dry_run"])
    if not (wish.yes or wish.dry_run):
        expect_answer(screen, rings)
    ended = on_each_ring(rings, lambda ring: _repair(screen, ring, whole, wish, how))
    told = [ring_document(one) | (one.result or {}) for one in ended]
    sound = all(one.result and not one.result["left"] for one in ended)
    screen.emit(
        {"ok": sound, "dry_run": wish.dry_run, "rings": told}, lambda: _errors(screen, told)
    )
    return combined_exit_code(one.error for one in ended) or (OK if sound else FAILED)


def _repair(
    screen: Screen, ring: DeployedRing, whole: TableOptions, wish: _Wish, how: Mapping[str, Any]
) -> dict[str, Any]:
    """What was found and done, for scripts; in words as it is done."""
    comparison = comparison_of(ring, whole, how)
    members = comparison.members
    wish.place(members)  # a member that is not there is told before anything is read
    with whole.open(screen, ring, "repair", comparison.about) as journal:
        compared = compare(screen, comparison, journal, None)
        if not screen.as_json:
            print_comparison(screen, ring.label, compared, _REST)
        if wish.dry_run or (not wish.yes and compared.checked.differing):
            planned = _do(screen, members, journal, wish, dry_run=True)
            if wish.dry_run:
                return document(compared) | _told(planned, wish.prefer)
            if not click.confirm("Do this?", err=True):
                raise CancelledError("Nothing was changed.")
        repaired = _do(screen, members, journal, wish, dry_run=False)
        return document(compared) | _told(repaired, wish.prefer)


def _do(
    screen: Screen,
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: _Wish,
    dry_run: bool,
) -> RepairResult:
    place = wish.place(members)
    with at_work(screen, members[0].stop) as tell:
        repaired = repair(members, journal, prefer=place, dry_run=dry_run, on_progress=tell)
    if not screen.as_json:
        _show(screen, repaired, wish.prefer, dry_run)
    return repaired


def next_step(prefer: str | None) -> str:
    """What to do about keys that were left."""
    if prefer is None:
        return (
            "Next: see `automate.py status`. Wait for a hop that is behind, play what is set aside "
            "(`automate.py redrive --all`), and run `repair` again. What is left even then is in "
            "no stream any more: say whose item wins, with `repair --prefer NAME`."
        )
    return (
        f"Next: where members have different items and {prefer} has none, say `--prefer` with one "
        "of them; for all else, run `repair` again."
    )


def _show(screen: Screen, repaired: RepairResult, prefer: str | None, dry_run: bool) -> None:
    if not repaired.repaired and not repaired.skipped:
        screen.print("Nothing to do.")
        return
    writes = ", ".join(f"{count:,} at {name}" for name, count in sorted(repaired.writes.items()))
    mended, left = _keys(repaired.repaired, dry_run), _keys(repaired.skipped, dry_run)
    screen.print(f"\n{mended} brought in line: {writes or 'no writes'}.")
    if repaired.skipped:
        screen.print(f"{left} left{_among(repaired)}:")
    for key, why in repaired.skip_reasons.items():
        screen.print(f"  {key}: {why}")
    if repaired.skipped:
        screen.print(f"\n{next_step(prefer)}")


def _keys(count: int, dry_run: bool) -> str:
    if dry_run:
        return f"{counted(count, 'key')} would be"
    return counted(count, "key was", "keys were")


def _among(repaired: RepairResult) -> str:
    return ", among them" if repaired.skipped > len(repaired.skip_reasons) else ""


def _told(repaired: RepairResult, prefer: str | None) -> dict[str, Any]:
    return {
        "mended": repaired.repaired,
        "left": repaired.skipped,
        "writes": dict(repaired.writes),
        "why": [{"key": json.loads(key), "why": why} for key, why in repaired.skip_reasons.items()],
        **({"next": next_step(prefer)} if repaired.skipped else {}),
    }


def _errors(screen: Screen, told: Sequence[Mapping[str, Any]]) -> None:
    for one in told:
        if "error" in one:
            screen.print(f"{one['ring']}: {one['error']['text']}")
