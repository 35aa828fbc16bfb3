"""The command that lists what hops have set aside, and plays it again."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from commands.exit_codes import FAILED, OK
from commands.framework import combined_exit_code, command, examples
from commands.options.rings import running_rings_option
from commands.output.long_work import at_work
from commands.output.screen import Rows, Screen, ring_document
from operate.errors import InvalidRequestError, OperateError
from operate.quarantine.bucket import NOT_UNDERSTOOD
from operate.quarantine.catalogue import RedriveList
from operate.quarantine.listing import QuarantinedEntry, RingQuarantine
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, RedriveResult
from operate.rings import DeployedRing, Outcome, run_on_all
from operate.stop import Stop

_Found = Sequence[Outcome[RedriveList]]
_About = Mapping[str, Any]
"""An entry as `operate.quarantine.bucket.Entry.about` tells it."""

_READ_OUT = 1_000
"""After how many entries it is told how many have been read."""

_WIDTH = 400
"""Characters of a cell."""
_AGES = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))
"""From how many seconds on an age is told in a unit, and how many seconds that has."""


@click.command(
    epilog=examples(
        "automate.py redrive --stack prod",
        "automate.py redrive --stack prod --show quarantine/1234-ab12.json",
        "automate.py redrive --stack prod --all --dry-run",
        "automate.py redrive --stack prod quarantine/1234-ab12.json --yes --json",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@command
@running_rings_option
@click.option("--all", "everything", is_flag=True, help="Play all that is set aside.")
@click.option("--show", metavar="ID", help="Show all that one holds: its record and the reason.")
@click.option("--dry-run", is_flag=True, help="Only tell what would become of them.")
@click.option("--yes", "-y", is_flag=True, help="Do it without showing it first and asking.")
@click.option(
    "--ignore-retention",
    is_flag=True,
    help="Play also what is older than deletes are remembered. Compare its item first: if that was "
    "deleted since, it comes back.",
)
def redrive(screen: Screen, rings: Sequence[DeployedRing], **asked: Any) -> int:
    """List what is set aside, and play it again: the given IDs, or --all.

    Without either, it lists what hops could not apply and what Lambda has given up. What is played
    ends as if it had never been set aside: what was written later stays. It may be done while the
    ring runs, and again. What has arrived is removed from the quarantine; the rest stays, with the
    reason.

    Exits with 1 if anything is set aside, or still is when it has been played.
    """
    wish = _Asked(**asked)
    wish.check()
    if wish.show:
        return _show(screen, rings, wish.show)
    wanted = tuple(dict.fromkeys(wish.ids))
    found = run_on_all(rings, lambda ring: _set_aside(ring, wanted, screen), reads_only=True)
    if wanted:
        _expect_all(wanted, found)
    if not wish.plays or all(one.error for one in found):
        return _list(screen, found)
    work = _Redrive(screen, found, wish.ignore_retention)
    return work.plan() if wish.dry_run else work.execute(wish.yes)


@dataclass(frozen=True)
class _Asked:
    """The command's own options."""

    ids: tuple[str, ...]
    everything: bool
    show: str | None
    dry_run: bool
    yes: bool
    ignore_retention: bool

    @property
    def plays(self) -> bool:
        """Whether anything is to be played."""
        return bool(self.ids or self.everything)

    def check(self) -> None:
        """Raise InvalidRequestError for options that do not go together."""
        if sum(map(bool, (self.ids, self.everything, self.show))) > 1:
            raise InvalidRequestError(
                "Give IDs to play, or --all, or --show with one: no two of them."
            )
        if (self.dry_run or self.yes or self.ignore_retention) and not self.plays:
            raise InvalidRequestError(
                "Say what to play: IDs, as `automate.py redrive` lists them, or --all."
            )


def _set_aside(ring: DeployedRing, ids: Sequence[str], screen: Screen) -> RedriveList:
    """What a ring has set aside: of these ids, or all."""
    quarantines = RingQuarantine(ring.deployed(), ring.clients())
    if ids:
        return RedriveList(aside for aside in map(quarantines.find, ids) if aside)
    return RedriveList(_told_of(quarantines, ring.label, screen))


def _told_of(quarantines: RingQuarantine, label: str, screen: Screen) -> Iterator[QuarantinedEntry]:
    """All that is set aside; where it is much, it is told how far one is with reading it."""
    total = 0
    for place, aside in enumerate(quarantines.entries(), 1):
        yield aside
        if place % _READ_OUT == 0:
            total = total or quarantines.count()
            screen.print(f"{label}: {place:,} of {total:,} read")


def _expect_all(ids: Sequence[str], found: _Found) -> None:
    """See that each id was found, if all rings could be asked."""
    there = {about["id"] for one in found for about in one.result or ()}
    _expect([name for name in ids if name not in there], (one.error for one in found))


def _expect(missing: Sequence[str], errors: Iterable[OperateError | None]) -> None:
    if missing and not any(errors):
        raise InvalidRequestError(
            f"{', '.join(missing)}: not in the quarantine, or not any more. Nothing was played. "
            "`automate.py redrive` without an ID lists what is there."
        )


def _show(screen: Screen, rings: Sequence[DeployedRing], name: str) -> int:
    found = run_on_all(
        rings,
        lambda ring: RingQuarantine(ring.deployed(), ring.clients()).find(name),
        reads_only=True,
    )
    aside = next((one.result for one in found if one.result), None)
    if aside is None:
        _expect([name], (one.error for one in found))
        raise next(one.error for one in found if one.error)
    entry = aside.entry
    text = json.dumps(entry.document, indent=2, ensure_ascii=False)
    document = {"ok": True, **entry.summary(), "holds": entry.document}
    screen.emit(document, lambda: screen.print(text))
    return OK


def _list(screen: Screen, found: _Found) -> int:
    rings = [{**ring_document(one), "entries": Rows(one.result or ())} for one in found]
    clean = not any(one.error or one.result for one in found)
    screen.emit({"ok": clean, "rings": rings}, lambda: _show_list(screen, found))
    return combined_exit_code(one.error for one in found) or (OK if clean else FAILED)


def _show_list(screen: Screen, found: _Found) -> None:
    for one in found:
        if not one.result:
            screen.print(f"{one.ring.label}: {one.error or 'nothing is set aside.'}")
            continue
        screen.print(f"{one.ring.label}: {len(one.result)} set aside.\n")
        screen.table(["id", "hop", "key", "reason", "age"], Rows(one.result, _row))
        screen.print("")


def _row(about: _About) -> Sequence[object]:
    why = about["reason"]
    if why == NOT_UNDERSTOOD:
        why = f"{why}: {about['error']}"
    name, *rest = (*_names(about), why)
    return (name, *map(_cut, rest), _age(about))


@dataclass(frozen=True)
class _Redrive:
    """What was found in some rings, to be played."""

    screen: Screen
    found: _Found
    ignore_retention: bool
    stop: Stop = field(default_factory=Stop)

    def plan(self) -> int:
        """Tell what would become of it."""
        ends = self._play(dry_run=True)
        self._answer(ends, dry_run=True)
        return _code(ends)

    def execute(self, yes: bool) -> int:
        """Show the plan and ask, unless the answer is yes already; then do it."""
        if not yes:
            self.screen.require_interactive()
            planned = self._play(dry_run=True)
            self._answer(planned, dry_run=True)
            if self.stop.is_asked:
                return FAILED
            if not any(_became(one)[RedriveOutcome.DONE] for one in planned):
                self.screen.print("There is nothing to play.")
                return _code(planned)
            if not click.confirm("Play this again?", err=True):
                return FAILED
        ends = self._play(dry_run=False)
        self._answer(ends, dry_run=False)
        return _code(ends)

    def _play(self, *, dry_run: bool) -> _Found:
        """Play, or pretend to, ring by ring; what could not be reached keeps its error."""
        reached = {one.ring.label: one.result for one in self.found if one.result is not None}
        heard = _RedriveProgress(
            self.screen, sum(map(len, reached.values())), "would be " if dry_run else ""
        )

        def act(ring: DeployedRing) -> None:
            wish = RedriveOptions(dry_run, self.ignore_retention, stop=self.stop)
            reached[ring.label].redrive(wish, heard.update)

        rings = [one.ring for one in self.found if one.ring.label in reached]
        with at_work(self.screen, self.stop):
            ends = run_on_all(rings, act)
        played = [Outcome(one.ring, reached[one.ring.label], one.error) for one in ends]
        return played + [one for one in self.found if one.error]

    def _answer(self, ends: _Found, *, dry_run: bool) -> None:
        rings = [{**ring_document(one), "entries": Rows(one.result or ())} for one in ends]
        ok = _code(ends) == OK
        document = {"operation": "redrive", "dry_run": dry_run, "ok": ok, "rings": rings}
        self.screen.emit(document, lambda: self._show(ends, dry_run))

    def _show(self, ends: _Found, dry_run: bool) -> None:
        for one in ends:
            if one.error:
                self.screen.print(f"{one.ring.label}: {one.error}")
                continue
            told = [f"{_became(one)[became]} {became}" for became in RedriveOutcome]
            would = "would be " if dry_run else ""
            self.screen.print(f"{one.ring.label}: {would}{', '.join(told)}.")
        if dry_run:
            self.screen.print("Whether a table takes an item shows only when it is written.")


class _RedriveProgress:
    """Says what becomes of each entry; hops are heard from several threads."""

    def __init__(self, screen: Screen, count: int, would: str) -> None:
        self._screen = screen
        self._count = count
        self._would = would
        self._done = 0
        self._lock = threading.Lock()

    def update(self, played: RedriveResult) -> None:
        """Say it."""
        name, _, key = _names(played.entry.summary())
        with self._lock:
            self._done += 1
            place = f"[{self._done}/{self._count}]"
            self._screen.print(
                f"{place} {self._would}{played.outcome}: {key} ({name})\n    {played.why}"
            )


def _code(ends: _Found) -> int:
    stays = any(one.result.stays for one in ends if one.result is not None)
    return combined_exit_code(one.error for one in ends) or (FAILED if stays else OK)


def _became(end: Outcome[RedriveList]) -> Mapping[str, int]:
    """How many of a ring's entries became what."""
    return Counter() if end.result is None else end.result.became


def _names(about: _About) -> tuple[str, str, str]:
    """An entry for a person: its id, its hop, its key."""
    first, *more = about["keys"] or [None]
    key = "no key" if first is None else _key(first)
    return about["id"], about["hop"], f"{key} and {len(more)} more" if more else key


def _cut(text: str) -> str:
    """What an entry says of itself, at a length that a list has room for; --show tells it whole."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _key(key: Any) -> str:
    """A key as one reads it; whatever it is, as it stands in a record."""
    if not isinstance(key, dict) or not all(isinstance(value, dict) for value in key.values()):
        return json.dumps(key)
    values = {name: json.dumps(next(iter(value.values()), None)) for name, value in key.items()}
    return " ".join(f"{name}={value}" for name, value in values.items())


def _age(about: _About) -> str:
    """How long ago it was set aside."""
    if about["set_aside"] is None:
        return ""
    seconds = max(0.0, time.time() - about["set_aside"])
    size, unit = next((size, unit) for least, size, unit in _AGES if seconds >= least)
    return f"{seconds / size:.0f} {unit}"
