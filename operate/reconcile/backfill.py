"""Members filled from others, item by item, while applications write at both and hops run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from handler.aws.clients import CONCURRENCY
from handler.model.expiry import will_be_deleted
from handler.model.image import Item
from handler.store.dynamodb import ItemTooLargeError
from operate.aws.errors import translate_aws_errors
from operate.errors import InvalidRequestError
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
"""What became of an item that does not fit with the ring's attributes."""

_JOBS = 4
_SHOWN = 20


@dataclass(frozen=True)
class Route:
    """From which member to fill which: their places in the ring."""

    source: int
    target: int


@dataclass
class BackfillResult:
    """How many items became what (`Filled`, `TOO_LARGE`) in this run; how many were read in all.

    `unfilled` are the first keys that were not filled, as texts, and why. `left` is how many there
    are, those of an interrupted run included.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    read: int = 0
    left: int = 0
    skipped_keys: dict[str, str] = field(default_factory=dict)


def plan_route(members: Sequence[MemberConnection], into: str, source: str | None = None) -> Route:
    """How to fill a member: from the one whose hop leads to it, unless told otherwise.

    Raises `InvalidRequestError`.
    """
    names = [member.name for member in members]
    for name in (into, source):
        if name is not None and name not in names:
            raise InvalidRequestError(f"There is no member {name}. There are: {', '.join(names)}.")
    target = names.index(into)
    if source is not None:
        if source == into:
            raise InvalidRequestError(f"{into} cannot be filled from itself.")
        return Route(names.index(source), target)
    leading = [at for at, one in enumerate(members) if members[target].replica in one.next_replicas]
    if not leading:
        raise InvalidRequestError(
            f"No hop leads to {into}: say from which member to fill it (--from)."
        )
    return Route(leading[0], target)


def parts(
    members: Sequence[MemberConnection], routes: Sequence[Route], segments: int
) -> Iterator[ScanSegment]:
    """The segments of what is read: a part's source is a route's number."""
    for number, one in enumerate(routes):
        for segment in range(segments):
            yield ScanSegment(number, Segment(members[one.source].tables.table, segment, segments))


def backfill(
    members: Sequence[MemberConnection],
    routes: Sequence[Route],
    journal: Journal,
    *,
    segments: int = 4,
    tell: ProgressCallback = no_progress,
) -> BackfillResult:
    """Fill members along routes. Called again with the same journal, it goes on where it was.

    An item of which nobody has a version is stamped as a write of its member from before all
    others; so whatever is written or deleted meanwhile is newer. Once the members' stop is asked
    for, items under way are finished and noted. Raises `OperateError`, then `StoppedError`.
    """
    journal.plan(parts(members, routes, segments))
    total = sum(members[one.source].item_count for one in routes)
    done = BackfillResult(read=journal.read_count())
    filled = ProgressCounter(tell, "filling", total, done.read)
    # One after the other: of an item without a version, a route must see what the last one made it.
    for number, one in enumerate(routes):
        left = [part for part in journal.parts() if part.source == number]
        with closing(_filled_pages(members, one, left, filled.add)) as pages:
            for part, page in pages:
                done.outcomes.update(page.outcomes)
                journal.record_page(part, page, found=find_skipped_keys(page, members[0].keys))
                done.read += len(page.items)
    add_skipped_keys(done, journal)
    return done


def add_skipped_keys(done: BackfillResult, journal: Journal) -> None:
    """Have what was done say which keys, of those that the journal has, were not filled."""
    done.left = sum(journal.counts().values())
    done.skipped_keys = dict(_first(journal))


@dataclass(frozen=True)
class FilledPage(Page):
    """A page, or its first items, and what became of each."""

    outcomes: Sequence[str] = ()


def _filled_pages(
    members: Sequence[MemberConnection],
    way: Route,
    parts: Sequence[ScanSegment],
    done: Callable[[], object],
) -> Generator[tuple[ScanSegment, FilledPage]]:
    """All pages of a route's segments, which are filled side by side.

    Left early, items under way are finished; a page that was not told is filled again the next
    time, which writes nothing where it was filled. `done` is called after each item, by threads.
    """
    at_once = CONCURRENCY // max(1, min(_JOBS, len(parts)))
    with translate_aws_errors(), ThreadPoolExecutor(CONCURRENCY) as pool:
        filler = Filler(members, way, pool, done, at_once)
        with closing(ParallelScan(parts, filler.page, _JOBS, members[0].stop).pages()) as pages:
            yield from pages


@dataclass(frozen=True)
class Filler:
    """Fills a route's target, page by page; calls run in `pool`, `done` is called for each item.

    `at_once` is how many items of a page are under way, which are to be finished when it is to end.
    """

    members: Sequence[MemberConnection]
    way: Route
    pool: ThreadPoolExecutor
    done: Callable[[], object] = lambda: None
    at_once: int = CONCURRENCY

    def page(self, part: ScanSegment, stop: Stop) -> FilledPage:
        """Read on in a segment of the source, and fill the target with what is there.

        Once a `stop` is asked for, no item is begun: the page that is returned has the first ones
        alone, and goes on behind them. DynamoDB takes no position but one that it has given; so the
        page is read again then. Raises `StoppedError` where none was begun.
        """
        source = self.members[self.way.source]
        page = read_page(source.client, part.segment, part.position, consistent=True)
        items = _behind(page.items, part.after, source.keys)
        became = asyncio.run(self._fill_all(items, stop))
        if len(became) == len(items):
            return FilledPage(items, page.position, outcomes=became)
        if not became:
            raise StoppedError
        begun = items[: len(became)]
        return FilledPage(begun, part.position, key_text(begun[-1], source.keys), became)

    async def _fill_all(self, items: Sequence[Item], stop: Stop) -> list[str]:
        members, way = self.members, self.way
        ends = repair_targets(members, [member.open_store(self.pool) for member in members])
        source, target = members[way.source], members[way.target]
        over = BackfillPath(
            ends[way.source],
            ends[way.target],
            [end for end in ends if end.replica.id in target.next_replicas],
            [end for at, end in enumerate(ends) if at not in (way.source, way.target)],
        )
        now = time.time()

        async def one(item: Item) -> str:
            if will_be_deleted(item, source.ttl_attribute, now):
                return BackfillOutcome.ALREADY_PRESENT  # it may go any moment
            try:
                return await backfill_key(over, {name: item[name] for name in source.keys}, item)
            except ItemTooLargeError:
                return TOO_LARGE

        return await run_in_order(items, one, stop, self.at_once, self.done)


def _behind(items: Sequence[Item], after: str | None, keys: Sequence[str]) -> Sequence[Item]:
    """The items behind that of a key; all, if it is not there any more."""
    texts = [] if after is None else [key_text(item, keys) for item in items]
    return items[texts.index(after) + 1 :] if after in texts else items


def find_skipped_keys(page: FilledPage, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The keys that were not filled, as texts, and why."""
    for item, why in zip(page.items, page.outcomes, strict=True):
        if why not in (BackfillOutcome.WRITTEN, BackfillOutcome.ALREADY_PRESENT):
            yield key_text(item, keys), why


def _first(journal: Journal) -> Iterator[tuple[str, str]]:
    for why in (BackfillOutcome.CONFLICT, BackfillOutcome.PENDING_RECORD, TOO_LARGE):
        for chunk in journal.suspects(why):
            for _, key, _ in chunk[:_SHOWN]:
                yield key, why
            break
