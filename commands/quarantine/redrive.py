"""The command `redrive`."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import RingCommand, combined_exit_code, command, examples
from commands.options.rings import running_rings_option
from commands.output.long_work import at_work
from commands.output.quarantined_entries import format_names, format_row
from commands.output.screen import Rows, Screen, ring_document
from operate.errors import InvalidRequestError, OperateError
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, RedriveResult
from operate.rings import DeployedRing, Outcome, run_on_all
from operate.stop import Stop

_Found = Sequence[Outcome[RedriveList]]
_PROGRESS_EVERY = 1_000
"""Entries between two lines of progress."""


@click.command(
    cls=RingCommand,
    epilog=examples(
        "automate.py redrive --stack prod",
        "automate.py redrive --stack prod --show quarantine/1234-ab12.json",
        "automate.py redrive --stack prod --all --dry-run",
        "automate.py redrive --stack prod quarantine/1234-ab12.json --yes --json",
    ),
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@command
@running_rings_option
@click.option("--all", "everything", is_flag=True, help="Replay all quarantined records.")
@click.option("--show", metavar="ID", help="Show one entry: its record and the reason.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, and replay nothing.")
@click.option("--yes", "-y", is_flag=True, help="Skip the preview and the confirmation.")
@click.option(
    "--ignore-retention",
    is_flag=True,
    help="Also replay entries older than `tombstones.retention_days`. Check the item first: if it "
    "was deleted since, this restores it.",
)
def redrive(screen: Screen, rings: Sequence[DeployedRing], **values: Any) -> int:
    """List quarantined records, or replay them (ID, or --all).

    Without IDs and --all, lists the records that hops could not apply and those that Lambda
    discarded. A replayed record ends as if it had never been quarantined: newer
    writes stay. It is safe while the ring runs, and to repeat. Applied records are removed from the
    quarantine; the others stay, with the reason.

    Exits with 1 if anything is in the quarantine, or still is after the replay.
    """
    options = _Options(**values)
    options.check()
    if options.show:
        return _show(screen, rings, options.show)
    wanted = tuple(dict.fromkeys(options.ids))
    found = run_on_all(rings, lambda ring: _quarantined(ring, wanted, screen), reads_only=True)
    if wanted:
        _require_all(wanted, found)
    if not options.replays or all(outcome.error for outcome in found):
        return _list(screen, found)
    operation = _Redrive(screen, found, options.ignore_retention)
    return operation.plan() if options.dry_run else operation.execute(options.yes)


@dataclass(frozen=True)
class _Options:
    """The command's own options."""

    ids: tuple[str, ...]
    everything: bool
    show: str | None
    dry_run: bool
    yes: bool
    ignore_retention: bool

    @property
    def replays(self) -> bool:
        """Whether to replay anything."""
        return bool(self.ids or self.everything)

    def check(self) -> None:
        """Raise `InvalidRequestError` for options that exclude each other."""
        if sum(map(bool, (self.ids, self.everything, self.show))) > 1:
            raise InvalidRequestError("Use only one of: IDs, --all, --show ID.")
        if (self.dry_run or self.yes or self.ignore_retention) and not self.replays:
            raise InvalidRequestError(
                "Select records to replay: IDs, as `automate.py redrive` lists them, or --all."
            )


def _quarantined(ring: DeployedRing, ids: Sequence[str], screen: Screen) -> RedriveList:
    """Return a ring's quarantined records: those with these IDs, or all."""
    quarantines = RingQuarantine.of(ring)
    if ids:
        return RedriveList(entry for entry in map(quarantines.find, ids) if entry)
    return RedriveList(_read_all(quarantines, ring.label, screen))


def _read_all(
    quarantines: RingQuarantine, label: str, screen: Screen
) -> Iterator[QuarantinedEntry]:
    """Yield all quarantined records, and print the progress from time to time."""
    total = 0
    for number, entry in enumerate(quarantines.entries(), 1):
        yield entry
        if number % _PROGRESS_EVERY == 0:
            total = total or quarantines.count()
            screen.print(f"{label}: {number:,} of {total:,} read")


def _require_all(ids: Sequence[str], found: _Found) -> None:
    """Raise `InvalidRequestError` for missing IDs, if all rings could be read."""
    known = {entry["id"] for outcome in found for entry in outcome.result or ()}
    missing = [name for name in ids if name not in known]
    _require(missing, (outcome.error for outcome in found))


def _require(missing: Sequence[str], errors: Iterable[OperateError | None]) -> None:
    if missing and not any(errors):
        raise InvalidRequestError(
            f"{', '.join(missing)}: not in the quarantine (any more). Nothing was replayed. "
            "`automate.py redrive` without an ID lists the records."
        )


def _show(screen: Screen, rings: Sequence[DeployedRing], name: str) -> int:
    found = run_on_all(
        rings,
        lambda ring: RingQuarantine.of(ring).find(name),
        reads_only=True,
    )
    found_entry = next((outcome.result for outcome in found if outcome.result), None)
    if found_entry is None:
        _require([name], (outcome.error for outcome in found))
        raise next(outcome.error for outcome in found if outcome.error)
    entry = found_entry.entry
    text = json.dumps(entry.document, indent=2, ensure_ascii=False)
    document = {"ok": True, **entry.summary(), "holds": entry.document, "missing": entry.missing}
    screen.emit(document, lambda: screen.print(text))
    if entry.missing:
        screen.note(
            f"This is not all of {entry.id}: {entry.missing}. To have all of it: "
            f"`aws s3 cp {found_entry.address} .`"
        )
    return OK


def _list(screen: Screen, found: _Found) -> int:
    rings = [{**ring_document(outcome), "entries": Rows(outcome.result or ())} for outcome in found]
    clean = not any(outcome.error or outcome.result for outcome in found)
    screen.emit({"ok": clean, "rings": rings}, lambda: _show_list(screen, found))
    return combined_exit_code(outcome.error for outcome in found) or (OK if clean else FAILED)


def _show_list(screen: Screen, found: _Found) -> None:
    for outcome in found:
        if not outcome.result:
            screen.print(f"{outcome.ring.label}: {outcome.error or 'the quarantine is empty.'}")
            continue
        screen.print(f"{outcome.ring.label}: {len(outcome.result)} quarantined.\n")
        screen.table(["id", "hop", "key", "reason", "age"], Rows(outcome.result, format_row))
        screen.print("")


@dataclass(frozen=True)
class _Redrive:
    """Replay of the records found in rings."""

    screen: Screen
    found: _Found
    ignore_retention: bool
    stop: Stop = field(default_factory=Stop)

    def plan(self) -> int:
        """Show what would happen."""
        ends = self._replay(dry_run=True)
        self._answer(ends, dry_run=True)
        return _code(ends)

    def execute(self, yes: bool) -> int:
        """Preview and confirm, unless `yes`; then replay."""
        if not yes:
            self.screen.require_interactive()
            planned = self._replay(dry_run=True)
            self._answer(planned, dry_run=True)
            if self.stop.is_asked:
                return FAILED
            if not any(_became(outcome)[RedriveOutcome.DONE] for outcome in planned):
                self.screen.print(_why_none(planned))
                return _code(planned)
            if not click.confirm("Replay these records?", err=True):
                return FAILED
        ends = self._replay(dry_run=False)
        self._answer(ends, dry_run=False)
        return _code(ends)

    def _replay(self, *, dry_run: bool) -> _Found:
        """Replay ring by ring, or simulate it. A ring that could not be read keeps its error."""
        reached = {
            outcome.ring.label: outcome.result
            for outcome in self.found
            if outcome.result is not None
        }
        progress = _RedriveProgress(
            self.screen, sum(map(len, reached.values())), "if replayed: " if dry_run else ""
        )

        def act(ring: DeployedRing) -> None:
            options = RedriveOptions(dry_run, self.ignore_retention, stop=self.stop)
            reached[ring.label].redrive(options, progress.update)

        rings = [outcome.ring for outcome in self.found if outcome.ring.label in reached]
        with at_work(self.screen, self.stop):
            ends = run_on_all(rings, act)
        results = [
            Outcome(outcome.ring, reached[outcome.ring.label], outcome.error) for outcome in ends
        ]
        return results + [outcome for outcome in self.found if outcome.error]

    def _answer(self, ends: _Found, *, dry_run: bool) -> None:
        rings = [
            {**ring_document(outcome), "entries": Rows(outcome.result or ())} for outcome in ends
        ]
        ok = _code(ends) == OK
        document = {"operation": "redrive", "dry_run": dry_run, "ok": ok, "rings": rings}
        self.screen.emit(document, lambda: self._show(ends, dry_run))

    def _show(self, ends: _Found, dry_run: bool) -> None:
        for outcome in ends:
            if outcome.error:
                self.screen.print(f"{outcome.ring.label}: {outcome.error}")
                continue
            for why in outcome.result.unreached if outcome.result is not None else ():
                self.screen.print(f"{outcome.ring.label}: {why}")
            counts = [f"{_became(outcome)[name]} {name}" for name in RedriveOutcome]
            would = "if replayed: " if dry_run else ""
            self.screen.print(f"{outcome.ring.label}: {would}{', '.join(counts)}.")
        if dry_run:
            self.screen.print("Whether a table accepts an item is known only when it is written.")


class _RedriveProgress:
    """Prints the outcome of each entry. Thread-safe."""

    def __init__(self, screen: Screen, count: int, would: str) -> None:
        self._screen = screen
        self._count = count
        self._would = would
        self._done = 0
        self._lock = threading.Lock()

    def update(self, result: RedriveResult) -> None:
        """Print an outcome."""
        name, _, key = format_names(result.entry.summary())
        with self._lock:
            self._done += 1
            place = f"[{self._done}/{self._count}]"
            self._screen.print(
                f"{place} {self._would}{result.outcome}: {key} ({name})\n    {result.why}"
            )


def _code(ends: _Found) -> int:
    stays = any(outcome.result.stays for outcome in ends if outcome.result is not None)
    return combined_exit_code(outcome.error for outcome in ends) or (FAILED if stays else OK)


def _why_none(planned: _Found) -> str:
    """Return why nothing is replayed: there is no entry, or each fails or is held back."""
    if any(outcome.result for outcome in planned):
        return "None of these records can be replayed now. The reason is printed with each."
    return "There is nothing to replay."


def _became(end: Outcome[RedriveList]) -> Mapping[str, int]:
    """Return the numbers of a ring's entries by outcome."""
    return Counter() if end.result is None else end.result.became
