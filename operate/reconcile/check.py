"""Whether all members of a ring are equal, and in which keys they differ.

Writes nothing. Applications may write and hops run meanwhile: what differs is looked at again, and
counts only if it stands still for longer than the ring needs to deliver.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

from operate.aws.errors import asking
from operate.progress_counter import Tally
from operate.reconcile.compare import Held, Kind, judge
from operate.reconcile.compare_page import Looked, read_and_look
from operate.reconcile.fingerprints import digest_of, rows_of, version_of
from operate.reconcile.journal import Journal
from operate.reconcile.member_states import look
from operate.reconcile.members import Reached
from operate.reconcile.parallel_scan import Page, Part, Segment, Sweep, read_page
from operate.reporting import Tell, silently
from operate.stop import Stop

EQUAL, CHANGING = "equal", "changing"
"""What a suspect may be found to be besides a `Kind`; the latter changes at every look."""

"""Told what goes on, how much of it is done, and of how much (about)."""

_JOBS = 8
_CLOCKS = 3600.0  # seconds that clocks may disagree
_MOST_SEGMENTS = 1_000_000  # that a table can be read in


@dataclass(frozen=True)
class Wish:
    """How to check.

    `keys` (as texts) or a `sample` of so many keys instead of all. Each table is read in so many
    `segments`; `apart` compares items with the next member's, one page after the other, instead of
    sorting them all on this machine's disk. With `tombstones`, a delete of which a member does not
    know counts, too, as long as tombstones are kept. What differs is looked at again after `settle`
    seconds (or by what `pause` does), up to `looks` times while it changes.
    """

    keys: Sequence[str] | None = None
    sample: int | None = None
    segments: int = 4
    apart: bool = False
    tombstones: bool = False
    settle: float = 30.0
    looks: int = 5
    pause: Callable[[float], None] | None = None

    def since(self, members: Sequence[Reached]) -> float | None:
        """Since when deletes must be known everywhere (seconds since 1970); None: it is not asked.

        A tombstone is kept for so long from when it was recorded, which was after the delete.
        """
        if not self.tombstones:
            return None
        kept = min(member.tables.retention for member in members)
        return time.time() - kept + _CLOCKS


@dataclass(frozen=True)
class Checked:
    """How many keys were compared, and how many were found to be what (see `Kind`, `CHANGING`)."""

    compared: int
    found: Mapping[str, int]

    @property
    def differing(self) -> int:
        """How many keys differ."""
        return sum(self.found.get(kind, 0) for kind in Kind)

    @property
    def changing(self) -> int:
        """How many keys changed at every look, so that nothing can be said of them."""
        return self.found.get(CHANGING, 0)


class Finding(NamedTuple):
    """A key in which members differ, as a text, and what each holds, in ring order."""

    number: int
    key: str
    kind: Kind
    held: list[Held]

    def document(self, members: Sequence[Reached]) -> dict[str, Any]:
        """It, for scripts."""
        names = (member.name for member in members)
        return {
            "key": dict(zip(members[0].keys, json.loads(self.key), strict=True)),
            "kind": self.kind,
            "members": {name: _shown(held) for name, held in zip(names, self.held, strict=True)},
        }


def check(
    members: Sequence[Reached], journal: Journal, wish: Wish, tell: Tell = silently
) -> Checked:
    """Compare members. What is found stays in the journal; see `findings`.

    Interrupted, it goes on where it was when called with the same journal. Raises `OperateError`,
    of which `StoppedError` where its members' stop was asked for.
    """
    with asking():
        compared = journal.finished("compare")
        if compared is None:
            if wish.keys is not None or wish.sample is not None:
                compared = _name_keys(members, journal, wish)
            elif wish.apart:
                compared = _read_apart(members, journal, wish, tell)
            else:
                _read_all(members, journal, wish, tell)
                compared = _compare_all(members, journal, wish, tell)
        look_again(members, journal, wish, tell)
    if wish.apart:
        # Only the first member's items were counted: what it lacks are keys as well.
        compared += sum(
            found.held[0].item is None and any(one.item for one in found.held)
            for found in findings(journal)
        )
    return Checked(compared, journal.counts())


def findings(journal: Journal) -> Iterator[Finding]:
    """The keys in which members differ, by kind, as they were at the last look."""
    for kind in Kind:
        for chunk in journal.suspects(kind):
            for number, text, held in chunk:
                yield Finding(number, text, kind, held or [])


def _read_all(members: Sequence[Reached], journal: Journal, wish: Wish, tell: Tell) -> None:
    journal.plan(parts(members, wish.segments))
    total = sum(member.items + member.buried for member in members)
    seen = journal.seen()

    def read(part: Part, _: Stop) -> Page:
        client = members[part.source // 2].client
        return read_page(client, part.segment, part.position, consistent=False)

    tell("reading", seen, max(total, seen))
    with closing(Sweep(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            member = members[part.source // 2]
            # A tombstone's own end is its table's affair.
            expires = None if part.source % 2 else member.expires
            journal.take(part, page, rows_of(page.items, member.keys, expires))
            seen += len(page.items)
            tell("reading", seen, max(total, seen))


def _read_apart(members: Sequence[Reached], journal: Journal, wish: Wish, tell: Tell) -> int:
    """Note as suspects the keys in which neighbours differ; how many the first member has."""
    journal.plan(parts(members, wish.segments))
    total = sum(member.items + member.buried for member in members)
    seen = journal.seen()

    since = wish.since(members)

    def read(part: Part, _: Stop) -> Looked:
        return read_and_look(members, part, since)

    tell("reading and comparing", seen, max(total, seen))
    with closing(Sweep(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            journal.take(part, page, found=((key, None) for key in page.suspects))
            seen += len(page.items)
            tell("reading and comparing", seen, max(total, seen))
    journal.merge()
    compared = journal.seen(source=0)
    journal.finish("compare", compared)
    return compared


def parts(members: Sequence[Reached], segments: int) -> Iterator[Part]:
    """The segments of all tables: a member's items are source 2n, its tombstones 2n + 1."""
    for place, member in enumerate(members):
        for number in range(segments):
            yield Part(2 * place, Segment(member.tables.table, number, segments))
            if member.tables.tombstones:
                yield Part(2 * place + 1, Segment(member.tables.tombstones, number, segments))


def _compare_all(members: Sequence[Reached], journal: Journal, wish: Wish, tell: Tell) -> int:
    count, replicas = 0, [member.replica for member in members]
    since = wish.since(members)

    def differing() -> Iterator[tuple[str, list[Held]]]:
        nonlocal count
        for key, held in journal.keys(len(members), members[0].stop):
            count += any(one.item for one in held)
            if count % 10_000 == 0:
                tell("comparing", count, count)
            if judge(held, replicas, since) is not None:
                yield key, held

    journal.suspect(differing(), "compare", lambda: count)
    return count


def _name_keys(members: Sequence[Reached], journal: Journal, wish: Wish) -> int:
    keys = wish.keys if wish.keys is not None else _drawn(members, wish.sample or 0)
    journal.suspect(((key, None) for key in dict.fromkeys(keys)), "compare", lambda: len(keys))
    return len(keys)


def _drawn(members: Sequence[Reached], count: int) -> list[str]:
    """Some keys, drawn at random, about as many from each member: what one lacks, another has."""
    keys: dict[str, None] = {}
    for place, member in enumerate(members):
        wanted = count * (place + 1) // len(members)
        segments = min(_MOST_SEGMENTS, max(1, member.items // max(1, count)))
        for number in random.sample(range(segments), min(segments, 20)):
            member.stop.check()
            segment = Segment(member.tables.table, number, segments)
            page = read_page(member.client, segment, None, consistent=False)
            rows = rows_of(page.items, member.keys, member.expires)
            new = [key for key, _ in rows if key not in keys]
            missing = max(0, wanted - len(keys))
            keys.update(dict.fromkeys(random.sample(new, min(len(new), missing))))
            if len(keys) >= wanted:
                break
    return list(keys)


def look_again(
    members: Sequence[Reached], journal: Journal, wish: Wish, tell: Tell = silently
) -> None:
    """Look at the journal's suspects, all members', until it is clear of each what it is."""
    replicas, since = [member.replica for member in members], wish.since(members)
    stop = members[0].stop
    for number in range(wish.looks):
        left = journal.open_suspects()
        if not left:
            return
        if number or journal.were_seen():
            tell(f"waiting {wish.settle:g} s for what is on its way", 0, left)
            (wish.pause or stop.sleep)(wish.settle)
        last = number == wish.looks - 1
        looked = Tally(tell, "looking again", left)
        for chunk in journal.suspects(None):
            seen = look(members, [text for _, text, _ in chunk], looked.add)
            pairs = zip(chunk, seen, strict=False)  # fewer were seen where it was stopped
            journal.judge(
                (row, now, _found(before, now, judge(now, replicas, since), last))
                for (row, _, before), now in pairs
            )
            stop.check()


def _found(
    before: Sequence[Held] | None, now: Sequence[Held], kind: Kind | None, last: bool
) -> str | None:
    """What a key is found to be; None: another look must tell."""
    if kind is None:
        return EQUAL
    if before == now:
        return kind
    return CHANGING if last else None


def _shown(held: Held) -> dict[str, str | None]:
    item = held.item
    return {
        "version": item and version_of(item),
        "digest": item and digest_of(item),
        "tombstone": held.tombstone and version_of(held.tombstone),
    }
