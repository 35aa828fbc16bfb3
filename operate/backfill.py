"""Members filled from others, item by item, while applications write at both and hops run."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

from handler.clients import CONCURRENCY
from handler.image import Item, Key
from handler.store import ItemTooLargeError
from operate.asking import asking
from operate.check import Tell, silently
from operate.errors import WrongError
from operate.expiry import will_be_deleted
from operate.fill import Filled, Way, fill
from operate.journal import Journal
from operate.reached import Reached
from operate.repair import ends_of
from operate.segments import Page, Segment, key_text, read_page
from operate.sweep import Part, Sweep

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
class Backfilled:
    """How many items became what (`Filled`, `TOO_LARGE`) in this run; how many were read in all.

    `unfilled` are the first keys that were not filled, as texts, and why. `left` is how many there
    are, those of an interrupted run included.
    """

    became: Counter[str] = field(default_factory=Counter)
    read: int = 0
    left: int = 0
    unfilled: dict[str, str] = field(default_factory=dict)


def route(members: Sequence[Reached], into: str, source: str | None = None) -> Route:
    """How to fill a member: from the one whose hop leads to it, unless told otherwise.

    Raises `WrongError`.
    """
    names = [member.name for member in members]
    for name in (into, source):
        if name is not None and name not in names:
            raise WrongError(f"There is no member {name}. There are: {', '.join(names)}.")
    target = names.index(into)
    if source is not None:
        if source == into:
            raise WrongError(f"{into} cannot be filled from itself.")
        return Route(names.index(source), target)
    leading = [at for at, one in enumerate(members) if members[target].replica in one.next]
    if not leading:
        raise WrongError(f"No hop leads to {into}: say from which member to fill it (--from).")
    return Route(leading[0], target)


def parts(members: Sequence[Reached], routes: Sequence[Route], segments: int) -> Iterator[Part]:
    """The segments of what is read: a part's source is a route's number."""
    for number, one in enumerate(routes):
        for segment in range(segments):
            yield Part(number, Segment(members[one.source].tables.table, segment, segments))


def backfill(
    members: Sequence[Reached],
    routes: Sequence[Route],
    journal: Journal,
    *,
    segments: int = 4,
    tell: Tell = silently,
) -> Backfilled:
    """Fill members along routes. Called again with the same journal, it goes on where it was.

    An item of which nobody has a version is stamped as a write of its member from before all
    others; so whatever is written or deleted meanwhile is newer. Raises `OperateError`.
    """
    journal.plan(parts(members, routes, segments))
    total = sum(members[one.source].items for one in routes)
    done = Backfilled(read=journal.seen())
    # One after the other: of an item without a version, a route must see what the last one made it.
    for number, one in enumerate(routes):
        left = [part for part in journal.parts() if part.source == number]
        with closing(_filled_pages(members, one, left)) as pages:
            for part, page in pages:
                done.became.update(page.became)
                journal.take(part, page, found=unfilled(page, members[0].keys))
                done.read += len(page.items)
                tell("filling", done.read, max(total, done.read))
    tell_unfilled(done, journal)
    return done


def tell_unfilled(done: Backfilled, journal: Journal) -> None:
    """Have what was done say which keys, of those that the journal has, were not filled."""
    done.left = sum(journal.counts().values())
    done.unfilled = dict(_first(journal))


@dataclass(frozen=True)
class FilledPage(Page):
    """A page, and what became of each of its items."""

    became: Sequence[str]


def _filled_pages(
    members: Sequence[Reached], way: Route, parts: Sequence[Part]
) -> Generator[tuple[Part, FilledPage]]:
    """All pages of a route's segments, which are filled side by side.

    Left early, calls that are not made yet are not made; a page that was not told is filled again
    the next time, which writes nothing where it was filled.
    """
    pool = ThreadPoolExecutor(CONCURRENCY)

    def fill(part: Part, position: Key | None) -> FilledPage:
        return fill_page(members, way, part.segment, position, pool)

    with asking(), closing(Sweep(parts, fill, _JOBS).pages()) as pages, ExitStack() as end:
        end.callback(pool.shutdown, cancel_futures=True)
        yield from pages


def fill_page(
    members: Sequence[Reached],
    way: Route,
    segment: Segment,
    position: Key | None,
    pool: ThreadPoolExecutor,
) -> FilledPage:
    """Read on in a segment of a route's source, and fill the target with what is there."""
    page = read_page(members[way.source].client, segment, position, consistent=True)
    became = asyncio.run(_fill_all(members, way, page.items, pool))
    return FilledPage(page.items, page.position, became)


def unfilled(page: FilledPage, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The keys that were not filled, as texts, and why."""
    for item, why in zip(page.items, page.became, strict=True):
        if why not in (Filled.WRITTEN, Filled.THERE):
            yield key_text(item, keys), why


def _first(journal: Journal) -> Iterator[tuple[str, str]]:
    for why in (Filled.CONFLICT, Filled.LEFT, TOO_LARGE):
        for chunk in journal.suspects(why):
            for _, key, _ in chunk[:_SHOWN]:
                yield key, why
            break


async def _fill_all(
    members: Sequence[Reached], way: Route, items: Sequence[Item], pool: ThreadPoolExecutor
) -> list[str]:
    ends = ends_of(members, [member.store(pool) for member in members])
    source, target = members[way.source], members[way.target]
    over = Way(
        ends[way.source],
        ends[way.target],
        [end for end in ends if end.replica.id in target.next],
        [end for at, end in enumerate(ends) if at not in (way.source, way.target)],
    )
    now = time.time()

    async def one(item: Item) -> str:
        if will_be_deleted(item, source.expires, now):
            return Filled.THERE  # it may go any moment
        try:
            return await fill(over, {name: item[name] for name in source.keys}, item)
        except ItemTooLargeError:
            return TOO_LARGE

    return await asyncio.gather(*map(one, items))
