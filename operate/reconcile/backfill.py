"""Backfill members from others, item by item, while applications write at both and hops run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from botocore.exceptions import ClientError

from handler.aws.clients import CONCURRENCY
from handler.model.expiry import will_be_deleted
from handler.model.image import Item
from handler.store.dynamodb import ItemTooLargeError
from operate.aws.errors import item_refusal, translate_aws_errors
from operate.ordered_pool import run_in_order
from operate.progress_counter import ProgressCounter
from operate.reconcile.backfill_key import BackfillOutcome, BackfillPath, backfill_key
from operate.reconcile.fingerprints import key_text
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import Page, ParallelScan, ScanSegment, Segment, read_page
from operate.reconcile.repair_key import repair_targets
from operate.reporting import ProgressCallback, no_progress
from operate.stop import Stop, StoppedError

TOO_LARGE = "too large"
"""Outcome for an item that exceeds DynamoDB's size limit with the ring's attributes."""

_JOBS = 4
_MAX_REASONS, _MAX_LISTED_PER_REASON = 20, 20


@dataclass(frozen=True)
class Route:
    """Source and target of a backfill: their places in the ring."""

    source: int
    target: int


@dataclass
class BackfillResult:
    """Result of a backfill.

    Attributes:
        outcomes: Number of items per outcome (`BackfillOutcome`, `TOO_LARGE`, or a text that begins
            with "refused") in this run.
        read: Number of items read, including those of interrupted runs.
        left: Number of keys skipped, including those of interrupted runs.
        skipped_keys: The first of these keys, as texts, with the reason.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    read: int = 0
    left: int = 0
    skipped_keys: dict[str, str] = field(default_factory=dict)


def route_segments(
    members: Sequence[MemberConnection], routes: Sequence[Route], segments: int
) -> Iterator[ScanSegment]:
    """Yield the segments of the sources' tables; `ScanSegment.source` is the route's number."""
    for number, route in enumerate(routes):
        table = members[route.source].tables.table
        for segment in range(segments):
            yield ScanSegment(number, Segment(table, segment, segments))


def backfill(
    members: Sequence[MemberConnection],
    routes: Sequence[Route],
    journal: Journal,
    *,
    segments: int = 4,
    on_progress: ProgressCallback = no_progress,
) -> BackfillResult:
    """Fill members along routes. Called again with the same journal, resumes an interrupted run.

    An item without a version at any member is stamped as a write of its member, older than all
    others: whatever is written or deleted meanwhile is newer.

    Raises:
        StoppedError: The members' `Stop` was requested. Items in progress were finished and
            recorded.
        OperateError: The backfill failed.
    """
    journal.plan(route_segments(members, routes, segments))
    total = sum(members[route.source].item_count for route in routes)
    result = BackfillResult(read=journal.read_count())
    progress = ProgressCounter(on_progress, "filling", total, result.read)
    # Sequentially: a route must see the version that the previous one gave to an item without one.
    for number, route in enumerate(routes):
        left = [part for part in journal.parts() if part.source == number]
        with closing(_filled_pages(members, route, left, progress.add)) as pages:
            for part, page in pages:
                result.outcomes.update(page.outcomes)
                journal.record_page(part, page, found=find_skipped_keys(page, members[0].keys))
                result.read += len(page.items)
    add_skipped_keys(result, journal)
    return result


def add_skipped_keys(result: BackfillResult, journal: Journal) -> None:
    """Add the keys that the journal has as skipped to a result."""
    result.left = sum(journal.counts().values())
    result.skipped_keys = dict(_first_skipped(journal))


@dataclass(frozen=True)
class FilledPage(Page):
    """A page, or its first items, with the outcome of each."""

    outcomes: Sequence[str] = ()


def _filled_pages(
    members: Sequence[MemberConnection],
    route: Route,
    parts: Sequence[ScanSegment],
    done: Callable[[], object],
) -> Generator[tuple[ScanSegment, FilledPage]]:
    """Fill the pages of a route's segments in parallel, and yield each.

    If closed early, items in progress are finished. A page that was not yielded is filled again by
    the next run, which writes nothing for the items that are filled. Threads call `done` after
    each item.
    """
    concurrency = CONCURRENCY // max(1, min(_JOBS, len(parts)))
    with translate_aws_errors(), ThreadPoolExecutor(CONCURRENCY) as pool:
        filler = Filler(members, route, pool, done, concurrency)
        with closing(ParallelScan(parts, filler.page, _JOBS, members[0].stop).pages()) as pages:
            yield from pages


@dataclass(frozen=True)
class Filler:
    """Fills a route's target, page by page. Calls run in `pool`; `done` is called for each item.

    `concurrency` limits the items of a page in progress, which a stop has to wait for.
    """

    members: Sequence[MemberConnection]
    route: Route
    pool: ThreadPoolExecutor
    done: Callable[[], object] = lambda: None
    concurrency: int = CONCURRENCY

    def page(self, part: ScanSegment, stop: Stop) -> FilledPage:
        """Read the next page of a source's segment, and fill the target with its items.

        After a `stop`, no item is started: the page returned ends with the last item that was, and
        its position is behind that. DynamoDB accepts only positions that it has returned, so the
        whole page is read again on resuming.

        Raises:
            StoppedError: No item was started.
        """
        source = self.members[self.route.source]
        page = read_page(source.client, part.segment, part.position, consistent=True)
        items = _items_after(page.items, part.after, source.keys)
        outcomes = asyncio.run(self._fill_all(items, stop))
        if len(outcomes) == len(items):
            return FilledPage(items, page.position, outcomes=outcomes)
        if not outcomes:
            raise StoppedError
        filled = items[: len(outcomes)]
        return FilledPage(filled, part.position, key_text(filled[-1], source.keys), outcomes)

    async def _fill_all(self, items: Sequence[Item], stop: Stop) -> list[str]:
        members, route = self.members, self.route
        targets = repair_targets(members, [member.open_store(self.pool) for member in members])
        source, target = members[route.source], members[route.target]
        path = BackfillPath(
            targets[route.source],
            targets[route.target],
            [member for member in targets if member.replica.id in target.next_replicas],
            [m for place, m in enumerate(targets) if place not in (route.source, route.target)],
        )
        now = time.time()

        async def fill(item: Item) -> str:
            if will_be_deleted(item, source.ttl_attribute, now):
                return BackfillOutcome.ALREADY_PRESENT  # expires any moment
            try:
                return await backfill_key(path, {name: item[name] for name in source.keys}, item)
            except ItemTooLargeError:
                return TOO_LARGE
            except ClientError as error:
                return item_refusal(error)

        return await run_in_order(items, fill, stop, self.concurrency, self.done)


def _items_after(items: Sequence[Item], after: str | None, keys: Sequence[str]) -> Sequence[Item]:
    """Return the items after that of a key; all, if its item is gone."""
    texts = [] if after is None else [key_text(item, keys) for item in items]
    return items[texts.index(after) + 1 :] if after in texts else items


def find_skipped_keys(page: FilledPage, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys that were not filled, as texts, and reason."""
    for item, outcome in zip(page.items, page.outcomes, strict=True):
        if outcome not in (BackfillOutcome.WRITTEN, BackfillOutcome.ALREADY_PRESENT):
            yield key_text(item, keys), outcome


def _first_skipped(journal: Journal) -> Iterator[tuple[str, str]]:
    for reason in islice(journal.counts(), _MAX_REASONS):
        for chunk in journal.suspects(reason):
            for _, key, _ in chunk[:_MAX_LISTED_PER_REASON]:
                yield key, reason
            break
