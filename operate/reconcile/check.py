"""Compare all members of a ring and report the keys in which they differ.

Writes nothing. Applications may write and hops may run meanwhile: a key that differs is read again
and counts only if it stays the same for longer than the ring needs to replicate.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from operate.aws.errors import translate_aws_errors
from operate.progress_counter import ProgressCounter
from operate.reconcile.check_result import CHANGING, EQUAL, CheckResult, findings
from operate.reconcile.compare_page import ComparedPage, compare_page
from operate.reconcile.difference_kinds import DifferenceKind, KeyFingerprints, classify_difference
from operate.reconcile.fingerprints import fingerprints
from operate.reconcile.journal import COMPARED, Journal
from operate.reconcile.member_states import read_states
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import (
    DEFAULT_SEGMENTS,
    Page,
    ParallelScan,
    ScanSegment,
    Segment,
    read_page,
)
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop

_JOBS = 8
_MAX_CLOCK_SKEW = 3600.0  # seconds
_MAX_SEGMENTS = 1_000_000  # DynamoDB's limit for a parallel scan
_SEGMENTS_TRIED = 20  # of one size, for a sample


@dataclass(frozen=True)
class CheckOptions:
    """Options of a check.

    Attributes:
        keys: The keys to compare, as texts; None: all.
        sample: The number of random keys to compare instead of all.
        segments: Parallel scan segments per table. None: 4, or 100 in functions on AWS.
        pairwise: Compare each page with the next member's items, instead of sorting all
            fingerprints in the checkpoint file.
        tombstones: Also report a delete whose tombstone is missing at a member, within the
            retention of tombstones.
        settle_seconds: The wait before keys that differ are read again.
        max_rechecks: How often a key that keeps changing is read again.
        pause: Replaces the wait of `settle_seconds`.
    """

    keys: Sequence[str] | None = None
    sample: int | None = None
    segments: int | None = None
    pairwise: bool = False
    tombstones: bool = False
    settle_seconds: float = 30.0
    max_rechecks: int = 5
    pause: Callable[[float], None] | None = None

    @property
    def segment_count(self) -> int:
        """Number of parallel scan segments per table."""
        return self.segments or DEFAULT_SEGMENTS

    def deletes_since(self, members: Sequence[MemberConnection]) -> float | None:
        """Return since when deletes need a tombstone at each member (Unix time); None: never.

        The retention starts when a tombstone is recorded, which is after the delete.
        """
        if not self.tombstones:
            return None
        retention = min(member.tables.retention for member in members)
        return time.time() - retention + _MAX_CLOCK_SKEW


def check(
    members: Sequence[MemberConnection],
    journal: Journal,
    options: CheckOptions,
    on_progress: ProgressCallback = no_progress,
) -> CheckResult:
    """Compare members. The differences stay in the journal; see `findings`.

    Called again with the same journal, resumes an interrupted check.

    Raises:
        StoppedError: The members' `Stop` was requested.
        OperateError: The check failed.
    """
    with translate_aws_errors():
        compared = journal.phase_count(COMPARED)
        if compared is None:
            if options.keys is not None or options.sample is not None:
                compared = _add_named_keys(members, journal, options)
            elif options.pairwise:
                compared = _read_pairwise(members, journal, options, on_progress)
            else:
                _read_all(members, journal, options, on_progress)
                compared = _compare_all(members, journal, options, on_progress)
        recheck_suspects(members, journal, options, on_progress)
    if options.pairwise:
        # Only the first member's items were counted: add the keys that it lacks.
        compared += sum(
            found.states[0].item is None and any(state.item for state in found.states)
            for found in findings(journal)
        )
    return CheckResult(compared, journal.counts())


def _read_all(
    members: Sequence[MemberConnection],
    journal: Journal,
    options: CheckOptions,
    on_progress: ProgressCallback,
) -> None:
    journal.plan(table_segments(members, options.segment_count))
    total = sum(member.item_count + member.tombstone_count for member in members)
    seen = journal.read_count()

    def read(part: ScanSegment, _: Stop) -> Page:
        client = members[part.source // 2].client
        return read_page(client, part.segment, part.position, consistent=False)

    on_progress("reading", seen, max(total, seen))
    with closing(ParallelScan(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            member = members[part.source // 2]
            # Expired tombstones need no filter: they are dropped by the tombstone table's own TTL.
            ttl_attribute = None if part.source % 2 else member.ttl_attribute
            journal.record_page(part, page, fingerprints(page.items, member.keys, ttl_attribute))
            seen += len(page.items)
            on_progress("reading", seen, max(total, seen))


def _read_pairwise(
    members: Sequence[MemberConnection],
    journal: Journal,
    options: CheckOptions,
    on_progress: ProgressCallback,
) -> int:
    """Record the keys in which neighbours differ as suspects; count the first member's items."""
    journal.plan(table_segments(members, options.segment_count))
    total = sum(member.item_count + member.tombstone_count for member in members)
    seen = journal.read_count()
    since = options.deletes_since(members)

    def read(part: ScanSegment, _: Stop) -> ComparedPage:
        return compare_page(members, part, since)

    on_progress("reading and comparing", seen, max(total, seen))
    with closing(ParallelScan(journal.parts(), read, _JOBS, members[0].stop).pages()) as pages:
        for part, page in pages:
            journal.record_page(part, page, found=((key, None) for key in page.suspects))
            seen += len(page.items)
            on_progress("reading and comparing", seen, max(total, seen))
    journal.remove_duplicates()
    compared = journal.read_count(source=0)
    journal.mark_phase_done(COMPARED, compared)
    return compared


def table_segments(members: Sequence[MemberConnection], segments: int) -> Iterator[ScanSegment]:
    """Yield the segments of all tables: member n's items are source 2n, its tombstones 2n + 1."""
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
    options: CheckOptions,
    on_progress: ProgressCallback,
) -> int:
    count, replicas = 0, [member.replica for member in members]
    since = options.deletes_since(members)

    def differing() -> Iterator[tuple[str, list[KeyFingerprints]]]:
        nonlocal count
        for key, states in journal.keys(len(members), members[0].stop):
            count += any(state.item for state in states)
            if count % 10_000 == 0:
                on_progress("comparing", count, count)
            if classify_difference(states, replicas, since) is not None:
                yield key, states

    journal.add_suspects(differing(), COMPARED, lambda: count)
    return count


def _add_named_keys(
    members: Sequence[MemberConnection], journal: Journal, options: CheckOptions
) -> int:
    keys = options.keys if options.keys is not None else _sample_keys(members, options.sample or 0)
    named = dict.fromkeys(keys)
    journal.add_suspects(((key, None) for key in named), COMPARED, lambda: len(named))
    return len(named)


def _sample_keys(members: Sequence[MemberConnection], count: int) -> list[str]:
    """Draw random keys, about as many from each member: a key that one lacks, another may have."""
    keys: dict[str, None] = {}
    for place, member in enumerate(members):
        wanted = count * (place + 1) // len(members)
        for page in _random_pages(member, count):
            rows = fingerprints(page.items, member.keys, member.ttl_attribute)
            new = [key for key, _ in rows if key not in keys]
            missing = max(0, wanted - len(keys))
            keys.update(dict.fromkeys(random.sample(new, min(len(new), missing))))
            if len(keys) >= wanted:
                break
    return list(keys)


def _random_pages(member: MemberConnection, count: int) -> Iterator[Page]:
    """Yield the first pages of random segments, the last of them of the whole table.

    Segments divide partition keys: where there are few of these, small segments are mostly empty.
    """
    segments = min(_MAX_SEGMENTS, max(1, member.item_count // max(1, count)))
    while True:
        for number in random.sample(range(segments), min(segments, _SEGMENTS_TRIED)):
            member.stop.check()
            segment = Segment(member.tables.table, number, segments)
            yield read_page(member.client, segment, None, consistent=False)
        if segments == 1:
            return
        segments = max(1, segments // _SEGMENTS_TRIED)


def recheck_suspects(
    members: Sequence[MemberConnection],
    journal: Journal,
    options: CheckOptions,
    on_progress: ProgressCallback = no_progress,
) -> None:
    """Read the journal's suspects at all members until each has a verdict."""
    replicas, since = [member.replica for member in members], options.deletes_since(members)
    stop = members[0].stop
    for number in range(options.max_rechecks):
        left = journal.open_suspects()
        if not left:
            return
        if number or journal.has_rechecked():
            on_progress(f"waiting {options.settle_seconds:g} s for replication to settle", 0, left)
            (options.pause or stop.sleep)(options.settle_seconds)
        last = number == options.max_rechecks - 1
        progress = ProgressCounter(on_progress, "rechecking", left)
        for chunk in journal.suspects(None):
            seen = read_states(members, [text for _, text, _ in chunk], progress.add)
            pairs = zip(chunk, seen, strict=False)  # a stop cuts `seen` short
            journal.record_verdicts(
                (row, now, _verdict(before, now, classify_difference(now, replicas, since), last))
                for (row, _, before), now in pairs
            )
            stop.check()


def _verdict(
    before: Sequence[KeyFingerprints] | None,
    now: Sequence[KeyFingerprints],
    kind: DifferenceKind | None,
    last: bool,
) -> str | None:
    """Return the verdict on a key; None: it needs another recheck."""
    if kind is None:
        return EQUAL
    if before == now:
        return kind
    return CHANGING if last else None
