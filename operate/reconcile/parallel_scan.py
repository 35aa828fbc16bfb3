"""Many segments read side by side, page by page, with few pages in memory at any time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from handler.model.image import Item, Key
from operate.stop import Stop, StoppedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class ScanSegment:
    """A segment of one of several tables, which are told apart by `source`, and where to go on.

    That is behind `position`, and in the page that begins there behind the item of the key `after`
    (as a text); None: with the first.
    """

    source: int
    segment: Segment
    position: Key | None = None
    after: str | None = None


@dataclass(frozen=True)
class Segment:
    """A part of a table: number `number`, from 0, of `of`."""

    table: str
    number: int
    of: int


@dataclass(frozen=True)
class Page:
    """Items of a segment, and where it goes on after them.

    That is at `position`, or within the page that begins there, behind the item of the key `after`
    (as a text). Neither: that was all.
    """

    items: Sequence[Item]
    position: Key | None
    after: str | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing of its segment comes after it."""
        return self.position is None and self.after is None


P = TypeVar("P", bound=Page)
Read = Callable[[ScanSegment, Stop], P]
"""Reads a page from where a part goes on; ends early, in order, when a stop is asked for. Raises
`StoppedError` where there is nothing to tell then."""


class ParallelScan(Generic[P]):
    """Reads all parts, `jobs` at a time; the pages of a part come in their order.

    A page is read while the one before is worked on, and no further. Once a stop is asked for, no
    page is begun, and those under way are still told. Left early, they are ended early and dropped.
    """

    def __init__(
        self, parts: Sequence[ScanSegment], read: Read[P], jobs: int, stop: Stop | None = None
    ) -> None:
        self._parts = parts
        self._read = read
        self._stop = Stop(stop)
        self._left = threading.Event()
        self._answers: queue.Queue[tuple[ScanSegment, P | BaseException | None]] = queue.Queue(
            maxsize=1
        )
        self._pool = ThreadPoolExecutor(jobs)

    def pages(self) -> Generator[tuple[ScanSegment, P]]:
        """All pages, once. Raises what `read` raises, and `StoppedError` if some were not read."""
        working = unread = len(self._parts)
        try:
            for part in self._parts:
                self._pool.submit(self._run, part)
            while working:
                part, answer = self._answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                if answer is None:
                    working -= 1
                    continue
                unread -= answer.is_last
                yield part, answer
        finally:
            self._left.set()
            self._stop.ask()
            self._pool.shutdown(cancel_futures=True)
        if unread:
            raise StoppedError

    def _run(self, part: ScanSegment) -> None:
        """Tell all pages of a part; None in the end."""
        try:
            while not self._stop.is_asked:
                page = self._read(part, self._stop)
                self._tell(part, page)
                if page.is_last:
                    break
                part = replace(part, position=page.position, after=page.after)
        except StoppedError:
            pass
        except BaseException as error:
            self._tell(part, error)
        self._tell(part, None)

    def _tell(self, part: ScanSegment, answer: P | BaseException | None) -> None:
        while not self._left.is_set():
            try:
                self._answers.put((part, answer), timeout=0.1)
            except queue.Full:
                continue
            return


def read_page(
    client: DynamoDBClient, segment: Segment, position: Key | None, *, consistent: bool
) -> Page:
    """Read on from a position; None: from the beginning."""
    onward: dict[str, Any] = {} if position is None else {"ExclusiveStartKey": position}
    found = client.scan(
        TableName=segment.table,
        Segment=segment.number,
        TotalSegments=segment.of,
        ConsistentRead=consistent,
        **onward,
    )
    return Page(found["Items"], found.get("LastEvaluatedKey"))
