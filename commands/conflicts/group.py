"""The commands `conflicts list`, `show` and `resolve`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from commands.conflicts.entries import (
    COLUMNS,
    document_of,
    full_text,
    plain_json,
    row_of,
)
from commands.conflicts.resolution import print_plan, print_resolution
from commands.exit_codes import FAILED, OK
from commands.framework import (
    CommandGroup,
    RingCommand,
    combined_exit_code,
    command,
    examples,
)
from commands.options.numbers import Finite
from commands.options.rings import running_rings_option
from commands.output.screen import Screen, ring_document
from handler.model.image import Item
from local.data.dynamodb_json import BadItemError
from local.data.items import Schema, parse_line
from operate.conflicts.entries import ConflictEntry
from operate.conflicts.reading import Conflicts
from operate.conflicts.resolving import Resolution, ResolveOutcome
from operate.conflicts.ring_conflicts import (
    HOURS,
    logged_conflicts,
    resolve_conflict,
    standing_at,
    table_to_write,
)
from operate.conflicts.standing import loser_of
from operate.errors import CancelledError, InvalidRequestError
from operate.rings import DeployedRing, Outcome, run_on_all

_Found = Sequence[Outcome[Conflicts]]
_MOST_HOURS = 10 * 366 * 24
"""CloudWatch Logs keeps a log for ten years at most."""


@click.group(
    cls=CommandGroup,
    epilog=examples(
        "automate.py conflicts list --stack prod --hours 72",
        "automate.py conflicts show 1f2e3d4c --stack prod",
        "automate.py conflicts resolve 1f2e3d4c --keep loser --stack prod",
    ),
)
def conflicts() -> None:
    """List conflicts from the hops' logs, show both items, or resolve one.

    A conflict is two writes of a key at different members, neither based on the other. The one with
    the higher version won at all members.
    """


def _hours(function: Callable[..., int]) -> Callable[..., int]:
    return click.option(
        "--hours",
        type=Finite(min=0, min_open=True, max=_MOST_HOURS),
        default=HOURS,
        show_default=True,
        metavar="HOURS",
        help="Hours of the log to read.",
    )(function)


@conflicts.command(
    cls=RingCommand,
    name="list",
    epilog=examples(
        "automate.py conflicts list --stack prod",
        "automate.py conflicts list --stack prod --hours 72 --open --json",
    ),
)
@command
@running_rings_option
@_hours
@click.option("--open", "only_open", is_flag=True, help="Only those whose winner still stands.")
def list_command(
    screen: Screen, rings: Sequence[DeployedRing], hours: float, only_open: bool
) -> int:
    """List conflicts from the hops' logs.

    One entry for each write that lost. Lines are in CloudWatch Logs some seconds after they were
    written, for `function.log_retention_days`. Exits with 1 if a log or an item could not be read.
    """
    found = run_on_all(
        rings, lambda ring: logged_conflicts(ring, hours, only_open=only_open), reads_only=True
    )
    code = combined_exit_code(outcome.error for outcome in found)
    if any(outcome.result and outcome.result.unread for outcome in found):
        code = code or FAILED
    document = {"ok": code == OK, "hours": hours, "rings": [*map(_list_document, found)]}
    screen.emit(document, lambda: _show_list(screen, found, hours))
    return code


def _list_document(outcome: Outcome[Conflicts]) -> dict[str, Any]:
    about = ring_document(outcome)
    if (result := outcome.result) is None:
        return about
    entries = [document_of(entry, result.members) for entry in result.entries]
    return {
        **about,
        "conflicts": entries,
        "unread": dict(result.unread),
        "malformed": result.malformed,
    }


def _show_list(screen: Screen, found: _Found, hours: float) -> None:
    for outcome in found:
        label, result = outcome.ring.label, outcome.result
        if result is None:
            screen.print(f"{label}: {outcome.error}")
            continue
        count = len(result.entries) or "no"
        noun = "conflict" if len(result.entries) == 1 else "conflicts"
        screen.print(f"{label}: {count} {noun} in the last {hours:g} h.")
        if result.entries:
            screen.print("")
            screen.table(COLUMNS, [row_of(entry, result.members) for entry in result.entries])
        for part, why in result.unread.items():
            screen.print(f"Could not read {part}: {why}")
        if result.malformed:
            screen.print(f"Lines that could not be parsed: {result.malformed}.")


@conflicts.command(
    cls=RingCommand,
    epilog=examples("automate.py conflicts show 1f2e3d4c --stack prod"),
)
@click.argument("name", metavar="ID")
@command
@running_rings_option
@_hours
def show(screen: Screen, rings: Sequence[DeployedRing], name: str, hours: float) -> int:
    """Show both items of a conflict side by side.

    The log has the items where `function.log_items` is on. What won is also read from its table, if
    it still stands there.
    """
    chosen = _find(rings, name, hours)
    at, standing = standing_at(chosen.ring, chosen.entry)
    document = {
        "ok": True,
        "ring": chosen.ring.label,
        **document_of(chosen.entry, chosen.found.members),
        "now": {
            "member": at,
            "item": plain_json(standing.item),
            "is_winner": standing.is_winner(chosen.entry),
        },
    }

    def print_all() -> None:
        width = screen.console.width
        for line in full_text(chosen.entry, chosen.found.members, at, standing, width):
            screen.print(line)

    screen.emit(document, print_all)
    return OK


@conflicts.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py conflicts resolve 1f2e3d4c --keep loser --stack prod --dry-run",
        "automate.py conflicts resolve 1f2e3d4c --item merged.json --stack prod",
    ),
)
@click.argument("name", metavar="ID")
@command
@running_rings_option
@_hours
@click.option("--keep", type=click.Choice(["loser"]), help="Write what lost, as the log has it.")
@click.option(
    "--item",
    "item_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Write the item in this file (-: standard input): JSON or DynamoDB JSON, with the key.",
)
@click.option(
    "--at", metavar="NAME", help="Member to write at. Default: that of the write that lost."
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Skip the preview and the confirmation.")
def resolve(screen: Screen, rings: Sequence[DeployedRing], name: str, **values: Any) -> int:
    """Write what should stand instead of what won.

    It is an ordinary write at one member, so it wins at all. It is made only if what won still
    stands there; otherwise the command shows what stands there now, and exits with 1.
    """
    options = _ResolveOptions(**values)
    options.check()
    if not (options.yes or options.dry_run):
        screen.require_interactive()
    chosen = _find(rings, name, options.hours)
    item = options.content(chosen)

    def write(dry_run: bool) -> Resolution:
        return resolve_conflict(chosen.ring, chosen.entry, item, at=options.at, dry_run=dry_run)

    if options.dry_run or not options.yes:
        planned = write(True)
        if options.dry_run or planned.outcome is not ResolveOutcome.PLANNED:
            return _answer(screen, chosen, planned)
        print_plan(screen, planned)
        if not click.confirm("Write this?", err=True):
            raise CancelledError("Nothing was changed.")
    return _answer(screen, chosen, write(False))


@dataclass(frozen=True)
class _ResolveOptions:
    """The options of `resolve`."""

    hours: float
    keep: str | None
    item_file: Path | None
    at: str | None
    dry_run: bool
    yes: bool

    def check(self) -> None:
        """Raise `InvalidRequestError` unless exactly one says what to write."""
        if (self.keep is None) == (self.item_file is None):
            raise InvalidRequestError("What should stand? Pass --keep loser or --item FILE.")

    def content(self, chosen: _Chosen) -> Item | None:
        """Return what to write; None: a delete. Raises `OperateError`."""
        if self.item_file is None:
            return loser_of(chosen.entry)
        table = table_to_write(chosen.ring, chosen.entry, self.at)
        return _read_item(self.item_file, Schema.of(table))


def _read_item(file: Path, schema: Schema) -> Item:
    try:
        content = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
        return parse_line(content, schema)
    except (BadItemError, OSError) as error:
        raise InvalidRequestError(f"{file}: {error}") from error


@dataclass(frozen=True)
class _Chosen:
    """A conflict, and the ring that has it."""

    ring: DeployedRing
    found: Conflicts
    entry: ConflictEntry


def _find(rings: Sequence[DeployedRing], name: str, hours: float) -> _Chosen:
    """Return the conflict with an ID. Raises `OperateError`, also if several rings have one."""
    outcomes = run_on_all(rings, lambda ring: logged_conflicts(ring, hours), reads_only=True)
    labels = [
        outcome.ring.label
        for outcome in outcomes
        if outcome.result is not None and outcome.result.matching(name)
    ]
    if len(labels) > 1:
        raise InvalidRequestError(
            f"{name}: {', '.join(labels)} each have a conflict with an ID that begins like this. "
            "Give more of it, or choose the ring with --only."
        )
    missing: InvalidRequestError | None = None
    for outcome in outcomes:
        if outcome.result is not None:
            try:
                return _Chosen(outcome.ring, outcome.result, outcome.result.find(name))
            except InvalidRequestError as error:
                missing = error
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    raise missing or InvalidRequestError("There is no ring.")


def _answer(screen: Screen, chosen: _Chosen, done: Resolution) -> int:
    ok = done.outcome is not ResolveOutcome.CHANGED and not done.overwritten
    document = {
        "operation": "resolve",
        "ok": ok,
        "ring": chosen.ring.label,
        "id": chosen.entry.id,
        "outcome": done.outcome,
        "member": done.member,
        "item": plain_json(done.item),
        "stands": plain_json(done.stands),
        "overwritten": list(done.overwritten),
    }
    screen.emit(document, lambda: print_resolution(screen, done))
    return OK if ok else FAILED
