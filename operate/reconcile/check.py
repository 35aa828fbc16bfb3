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

from operate.aws.errors import translate_aws_errors
from operate.progress_counter import ProgressCounter
from operate.reconcile.compare import DifferenceKind, MemberState, classify_difference
from operate.reconcile.compare_page import ComparedPage, compare_page
from operate.reconcile.fingerprints import fingerprint_digest, fingerprint_version, fingerprints
from operate.reconcile.journal import Journal
from operate.reconcile.member_states import read_states
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import Page, ParallelScan, ScanSegment, Segment, read_page
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop

EQUAL, CHANGING = "equal", "changing"
"""What a suspect may be found to be besides a `Kind`; the latter changes at every look."""

"""Told what goes on, how much of it is done, and of how much (about)."""

_JOBS = 8
_CLOCKS = 3600.0  # seconds that clocks may disagree
_MOST_SEGMENTS = 1_000_000  # that a table can be read in


@dataclass(frozen=True)
class CheckOptions:
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
    pairwise: bool = False
    tombstones: bool = False
    settle_seconds: float = 30.0
    max_rechecks: int = 5
    pause: Callable[[float], None] | None = None

    def since(self, members: Sequence[MemberConnection]) -> float | None:
        """Since when deletes must be known everywhere (seconds since 1970); None: it is not asked.

        A tombstone is kept for so long from when it was recorded, which was after the delete.
        """
        if not self.tombstones:
            return None
        kept = min(member.tables.retention for member in members)
        return time.time() - kept + _CLOCKS


@dataclass(frozen=True)
class CheckResult:
    """How many keys were compared, and how many were found to be what (see `Kind`, `CHANGING`)."""

    compared: int
    found: Mapping[str, int]

    @property
    def differing(self) -> int:
        """How many keys differ."""
        return sum(self.found.get(kind, 0) for kind in DifferenceKind)

    @property
    def changing(self) -> int:
        """How many keys changed at every look, so that nothing can be said of them."""
        return self.found.get(CHANGING, 0)


class Difference(NamedTuple):
    """A key in which members differ, as a text, and what each holds, in ring order."""

    number: int
    key: str
    kind: DifferenceKind
    held: list[MemberState]

    def document(self, members: Sequence[MemberConnection]) -> dict[str, Any]:
        """It, for scripts."""
        names = (member.name for member in members)
        return {
            "key": dict(zip(members[0].keys, json.loads(self.key), strict=True)),
            "kind": self.kind,
            "members": {name: _shown(held) for name, held in zip(names, self.held, strict=True)},
        }


def check(
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: CheckOptions,
    tell: ProgressCallback = no_progress,
) -> CheckResult:
    """Compare members. What is found stays in the journal; see `findings`.

    Interrupted, it goes on where it was when called with the same journal. Raises `OperateError`,
    of which `StoppedError` where its members' stop was asked for.
    """
    with translate_aws_errors():
        compared = journal.phase_count("compare")
        if compared is None:
            if wish.keys is not None or wish.sample is not None:
                compared = _name_keys(members, journal, wish)
            elif wish.pairwise:
                compared = _read_pairwise(members, journal, wish, tell)
            else:
                _read_all(members, journal, wish, tell)
                compared = _compare_all(members, journal, wish, tell)
        recheck_suspects(members, journal, wish, tell)
    if wish.pairwise:
        # Only the first member's items were counted: what it lacks are keys as well.
        compared += sum(
            found.held[0].item is None and any(one.item for one in found.held)
            for found in findings(journal)
        )
    return CheckResult(compared, journal.counts())


def findings(journal: Journal) -> Iterator[Difference]:
    """The keys in which members differ, by kind, as they were at the last look."""
    for kind in DifferenceKind:
        for chunk in journal.suspects(kind):
            for number, text, held in chunk:
                yield Difference(number, text, kind, held or [])


def _read_all(
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: CheckOptions,
    tell: ProgressCallback,
) -> None:
    journal.plan(parts(members, wish.segments))
    total = sum(member.item_count + member.tombstone_count for member in members)
    seen = journal.read_count()

    def read(part: ScanSegment, _: Stop) -> Page:
        client = members[part.source // 2].client
        return read_page(client, part.segment, part.position, consistent=False)

    tell("reading", seen, max(total, seen))
    with closing(ParallelScan(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            member = members[part.source // 2]
            # A tombstone's own end is its table's affair.
            expires = None if part.source % 2 else member.ttl_attribute
            journal.record_page(part, page, fingerprints(page.items, member.keys, expires))
            seen += len(page.items)
            tell("reading", seen, max(total, seen))


def _read_pairwise(
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: CheckOptions,
    tell: ProgressCallback,
) -> int:
    """Note as suspects the keys in which neighbours differ; how many the first member has."""
    journal.plan(parts(members, wish.segments))
    total = sum(member.item_count + member.tombstone_count for member in members)
    seen = journal.read_count()

    since = wish.since(members)

    def read(part: ScanSegment, _: Stop) -> ComparedPage:
        return compare_page(members, part, since)

    tell("reading and comparing", seen, max(total, seen))
    with closing(ParallelScan(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            journal.record_page(part, page, found=((key, None) for key in page.suspects))
            seen += len(page.items)
            tell("reading and comparing", seen, max(total, seen))
    journal.merge()
    compared = journal.read_count(source=0)
    journal.mark_phase_done("compare", compared)
    return compared


def parts(members: Sequence[MemberConnection], segments: int) -> Iterator[ScanSegment]:
    """The segments of all tables: a member's items are source 2n, its tombstones 2n + 1."""
    for place, member in enumerate(members):
        for number in range(segments):
            yield ScanSegment(2 * place, Segment(member.tables.table, number, segments))
            if member.tables.tombstones:
                yield ScanSegment(
                    2 * place + 1, Segment(member.tables.tombstones, number, segments)
                )


def _compare_all(
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: CheckOptions,
    tell: ProgressCallback,
) -> int:
    count, replicas = 0, [member.replica for member in members]
    since = wish.since(members)

    def differing() -> Iterator[tuple[str, list[MemberState]]]:
        nonlocal count
        for key, held in journal.keys(len(members), members[0].stop):
            count += any(one.item for one in held)
            if count % 10_000 == 0:
                tell("comparing", count, count)
            if classify_difference(held, replicas, since) is not None:
                yield key, held

    journal.add_suspects(differing(), "compare", lambda: count)
    return count


def _name_keys(members: Sequence[MemberConnection], journal: Journal, wish: CheckOptions) -> int:
    keys = wish.keys if wish.keys is not None else _drawn(members, wish.sample or 0)
    journal.add_suspects(((key, None) for key in dict.fromkeys(keys)), "compare", lambda: len(keys))
    return len(keys)


def _drawn(members: Sequence[MemberConnection], count: int) -> list[str]:
    """Some keys, drawn at random, about as many from each member: what one lacks, another has."""
    keys: dict[str, None] = {}
    for place, member in enumerate(members):
        wanted = count * (place + 1) // len(members)
        segments = min(_MOST_SEGMENTS, max(1, member.item_count // max(1, count)))
        for number in random.sample(range(segments), min(segments, 20)):
            member.stop.check()
            segment = Segment(member.tables.table, number, segments)
            page = read_page(member.client, segment, None, consistent=False)
            rows = fingerprints(page.items, member.keys, member.ttl_attribute)
            new = [key for key, _ in rows if key not in keys]
            missing = max(0, wanted - len(keys))
            keys.update(dict.fromkeys(random.sample(new, min(len(new), missing))))
            if len(keys) >= wanted:
                break
    return list(keys)


def recheck_suspects(
    members: Sequence[MemberConnection],
    journal: Journal,
    wish: CheckOptions,
    tell: ProgressCallback = no_progress,
) -> None:
    """Look at the journal's suspects, all members', until it is clear of each what it is."""
    replicas, since = [member.replica for member in members], wish.since(members)
    stop = members[0].stop
    for number in range(wish.max_rechecks):
        left = journal.open_suspects()
        if not left:
            return
        if number or journal.has_rechecked():
            tell(f"waiting {wish.settle_seconds:g} s for what is on its way", 0, left)
            (wish.pause or stop.sleep)(wish.settle_seconds)
        last = number == wish.max_rechecks - 1
        looked = ProgressCounter(tell, "looking again", left)
        for chunk in journal.suspects(None):
            seen = read_states(members, [text for _, text, _ in chunk], looked.add)
            pairs = zip(chunk, seen, strict=False)  # fewer were seen where it was stopped
            journal.record_verdicts(
                (row, now, _found(before, now, classify_difference(now, replicas, since), last))
                for (row, _, before), now in pairs
            )
            stop.check()


def _found(
    before: Sequence[MemberState] | None,
    now: Sequence[MemberState],
    kind: DifferenceKind | None,
    last: bool,
) -> str | None:
    """What a key is found to be; None: another look must tell."""
    if kind is None:
        return EQUAL
    if before == now:
        return kind
    return CHANGING if last else None


def _shown(held: MemberState) -> dict[str, str | None]:
    item = held.item
    return {
        "version": item and fingerprint_version(item),
        "digest": item and fingerprint_digest(item),
        "tombstone": held.tombstone and fingerprint_version(held.tombstone),
    }
