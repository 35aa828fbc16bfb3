"""The command that lists what hops have set aside, and plays it again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from commands.pattern import FAILED, FINE, answers, examples, worst
from commands.rings import which_running
from commands.screen import Screen, ring_document
from operate.aside import Aside, Quarantines, play
from operate.errors import WrongError
from operate.fleet import Ended, Running, run_all
from operate.quarantine import Entry
from operate.redrive import Became, Played, Wish

_Found = Sequence[Ended[list[Aside]]]
_Ends = Sequence[Ended[list[Played]]]

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
@answers
@which_running
@click.option("--all", "everything", is_flag=True, help="Play all that is set aside.")
@click.option("--show", metavar="ID", help="Show all that one holds: its record and the reason.")
@click.option("--dry-run", is_flag=True, help="Only tell what would become of them.")
@click.option("--yes", "-y", is_flag=True, help="Do it without showing it first and asking.")
@click.option(
    "--however-old",
    is_flag=True,
    help="Play also what is older than deletes are remembered. Compare its item first: if that was "
    "deleted since, it comes back.",
)
def redrive(screen: Screen, rings: Sequence[Running], **asked: Any) -> int:
    """List what is set aside, and play it again: the given IDs, or --all.

    Without either, it lists what hops could not apply and what Lambda has given up. What is played
    ends as if it had never been set aside: what was written later stays. It may be done while the
    ring runs, and again. What has arrived is removed from the quarantine; the rest stays, with the
    reason.

    Exits with 1 if anything is set aside, or still is when it has been played.
    """
    wish = _Asked(**asked)
    wish.check()
    wanted = (wish.show,) if wish.show else tuple(dict.fromkeys(wish.ids))
    found = run_all(rings, lambda ring: _set_aside(ring, wanted))
    _expect_all(wanted, found)
    if wish.show:
        return _show(screen, found)
    if not wish.plays:
        return _list(screen, found)
    work = _Redrive(screen, found, wish.however_old)
    return work.plan() if wish.dry_run else work.carry_out(wish.yes)


@dataclass(frozen=True)
class _Asked:
    """The command's own options."""

    ids: tuple[str, ...]
    everything: bool
    show: str | None
    dry_run: bool
    yes: bool
    however_old: bool

    @property
    def plays(self) -> bool:
        """Whether anything is to be played."""
        return bool(self.ids or self.everything)

    def check(self) -> None:
        """Raise WrongError for options that do not go together."""
        if sum(map(bool, (self.ids, self.everything, self.show))) > 1:
            raise WrongError("Give IDs to play, or --all, or --show with one: no two of them.")
        if (self.dry_run or self.yes or self.however_old) and not self.plays:
            raise WrongError(
                "Say what to play: IDs, as `automate.py redrive` lists them, or --all."
            )


def _set_aside(ring: Running, ids: Sequence[str]) -> list[Aside]:
    """What a ring has set aside: of these ids, or all."""
    quarantines = Quarantines(ring.deployed(), ring.clients())
    if not ids:
        return list(quarantines.entries())
    return [aside for aside in map(quarantines.find, ids) if aside]


def _expect_all(ids: Sequence[str], found: _Found) -> None:
    """See that each id was found, if all rings could be asked."""
    there = {aside.entry.id for one in found for aside in one.result or ()}
    missing = [name for name in ids if name not in there]
    if missing and not any(one.error for one in found):
        raise WrongError(
            f"{', '.join(missing)}: not in the quarantine, or not any more. Nothing was played. "
            "`automate.py redrive` without an ID lists what is there."
        )


def _show(screen: Screen, found: _Found) -> int:
    asides = [aside for one in found for aside in one.result or ()]
    if not asides:
        raise next(one.error for one in found if one.error)
    entry = asides[0].entry
    text = json.dumps(entry.document, indent=2, ensure_ascii=False)
    screen.answer({"ok": True, **_about(entry), "holds": entry.document}, lambda: screen.say(text))
    return FINE


def _list(screen: Screen, found: _Found) -> int:
    rings = [
        {**ring_document(one), "entries": [_about(aside.entry) for aside in one.result or ()]}
        for one in found
    ]
    clean = not any(one.error or one.result for one in found)
    screen.answer({"ok": clean, "rings": rings}, lambda: _show_list(screen, found))
    return worst(one.error for one in found) or (FINE if clean else FAILED)


def _show_list(screen: Screen, found: _Found) -> None:
    for one in found:
        if not one.result:
            screen.say(f"{one.ring.label}: {one.error or 'nothing is set aside.'}")
            continue
        screen.say(f"{one.ring.label}: {len(one.result)} set aside.\n")
        rows = [
            (*_names(aside.entry), aside.entry.reason, _age(aside.entry)) for aside in one.result
        ]
        screen.table(["id", "hop", "key", "reason", "age"], rows)
        screen.say("")


@dataclass(frozen=True)
class _Redrive:
    """What was found in some rings, to be played."""

    screen: Screen
    found: _Found
    however_old: bool

    def plan(self) -> int:
        """Tell what would become of it."""
        ends = self._play(dry_run=True)
        self._answer(ends, dry_run=True)
        return _code(ends)

    def carry_out(self, yes: bool) -> int:
        """Show the plan and ask, unless the answer is yes already; then do it."""
        if not yes:
            self.screen.expect_somebody()
            planned = self._play(dry_run=True)
            self._answer(planned, dry_run=True)
            if not _count(planned, Became.DONE):
                self.screen.say("There is nothing to play.")
                return _code(planned)
            if not click.confirm("Play this again?", err=True):
                return FAILED
        ends = self._play(dry_run=False)
        self._answer(ends, dry_run=False)
        return _code(ends)

    def _play(self, *, dry_run: bool) -> _Ends:
        """Play, or pretend to, ring by ring; what could not be reached keeps its error."""
        reached = {one.ring.label: one.result for one in self.found if one.result is not None}
        heard = _Heard(self.screen, sum(map(len, reached.values())), "would be " if dry_run else "")

        def act(ring: Running) -> list[Played]:
            wish = Wish(dry_run, self.however_old, stop=lambda: ring.cancelled)
            return play(reached[ring.label], wish, heard.hear)

        def on_cancel() -> None:
            self.screen.say("Cancelling: what is being played is finished, and the rest stays.")

        rings = [one.ring for one in self.found if one.ring.label in reached]
        ends = run_all(rings, act, on_cancel=on_cancel)
        return ends + [Ended(one.ring, error=one.error) for one in self.found if one.error]

    def _answer(self, ends: _Ends, *, dry_run: bool) -> None:
        rings = [
            {
                **ring_document(one),
                "entries": [
                    {**_about(played.entry), "became": played.became, "why": played.why}
                    for played in one.result or ()
                ],
            }
            for one in ends
        ]
        ok = _code(ends) == FINE
        document = {"operation": "redrive", "dry_run": dry_run, "ok": ok, "rings": rings}
        self.screen.answer(document, lambda: self._show(ends, dry_run))

    def _show(self, ends: _Ends, dry_run: bool) -> None:
        for one in ends:
            if one.error:
                self.screen.say(f"{one.ring.label}: {one.error}")
                continue
            told = [f"{_count([one], became)} {became}" for became in Became]
            would = "would be " if dry_run else ""
            self.screen.say(f"{one.ring.label}: {would}{', '.join(told)}.")
        if dry_run:
            self.screen.say("Whether a table takes an item shows only when it is written.")


class _Heard:
    """Says what becomes of each entry; hops are heard from several threads."""

    def __init__(self, screen: Screen, count: int, would: str) -> None:
        self._screen = screen
        self._count = count
        self._would = would
        self._done = 0
        self._lock = threading.Lock()

    def hear(self, played: Played) -> None:
        """Say it."""
        name, _, key = _names(played.entry)
        with self._lock:
            self._done += 1
            place = f"[{self._done}/{self._count}]"
            self._screen.say(
                f"{place} {self._would}{played.became}: {key} ({name})\n    {played.why}"
            )


def _code(ends: _Ends) -> int:
    stays = any(played.stays for one in ends for played in one.result or ())
    return worst(one.error for one in ends) or (FAILED if stays else FINE)


def _count(ends: _Ends, became: Became) -> int:
    return sum(played.became is became for one in ends for played in one.result or ())


def _about(entry: Entry) -> dict[str, Any]:
    """An entry for scripts; times in seconds since 1970."""
    return {
        "id": entry.id,
        "hop": entry.hop,
        "table": entry.table,
        "keys": entry.keys,
        "records": len(entry.records),
        "reason": entry.reason,
        "error": entry.error,
        "set_aside": entry.time,
        "written": entry.made,
    }


def _names(entry: Entry) -> tuple[str, str, str]:
    """An entry for a person: its id, its hop, its key."""
    first, *more = entry.keys or [None]
    key = "no key" if first is None else _key(first)
    return entry.id, entry.hop, f"{key} and {len(more)} more" if more else key


def _key(key: Any) -> str:
    """A key as one reads it; whatever it is, as it stands in a record."""
    if not isinstance(key, dict):
        return json.dumps(key)
    values = {name: json.dumps(next(iter(value.values()), None)) for name, value in key.items()}
    return " ".join(f"{name}={value}" for name, value in values.items())


def _age(entry: Entry) -> str:
    """How long ago it was set aside."""
    seconds = max(0.0, time.time() - entry.time)
    size, unit = next((size, unit) for least, size, unit in _AGES if seconds >= least)
    return f"{seconds / size:.0f} {unit}"
