"""Parallel scan: read many segments page by page, with few pages in memory at any time."""

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


DEFAULT_SEGMENTS = 4
"""Default number of segments per table on one machine."""


@dataclass(frozen=True)
class ScanSegment:
    """A segment of one of several tables, and where to read on. `source` identifies the table.

    Reading resumes after `position`, and in the page there after the item of the key `after` (as a
    text); None: at the first item.
    """

    source: int
    segment: Segment
    position: Key | None = None
    after: str | None = None


@dataclass(frozen=True)
class Segment:
    """One of `of` segments of a table; `number` counts from 0."""

    table: str
    number: int
    of: int


@dataclass(frozen=True)
class Page:
    """Items of a segment, and where the next page starts.

    That is at `position`, or within the page there, after the item of the key `after` (as a text).
    Neither: the segment is complete.
    """

    items: Sequence[Item]
    position: Key | None
    after: str | None = None

    @property
    def is_last(self) -> bool:
        """Whether it is the last page of its segment."""
        return self.position is None and self.after is None


P = TypeVar("P", bound=Page)
Read = Callable[[ScanSegment, Stop], P]
"""Reads a segment's next page. Returns early after a stop request, or raises `StoppedError` if it
has no items to return then."""


class ParallelScan(Generic[P]):
    """Reads all segments, `jobs` at a time; the pages of a segment are in order.

    Reads at most one page ahead of the page in work. After a stop request, starts no page and still
    yields those in progress. If `pages` is closed early, these are stopped and dropped.
    """

    def __init__(
        self, parts: Sequence[ScanSegment], read: Read[P], jobs: int, stop: Stop | None = None
    ) -> None:
        self._parts = parts
        self._read = read
        self._stop = Stop(stop)
        self._closed = threading.Event()
        self._results: queue.Queue[tuple[ScanSegment, P | BaseException | None]] = queue.Queue(
            maxsize=1
        )
        self._pool = ThreadPoolExecutor(jobs)

    def pages(self) -> Generator[tuple[ScanSegment, P]]:
        """Yield all pages, once.

        Raises:
            StoppedError: A stop was requested before all pages were read. Any error of `read` is
                raised as well.
        """
        working = unread = len(self._parts)
        try:
            for part in self._parts:
                self._pool.submit(self._run, part)
            while working:
                part, result = self._results.get()
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    working -= 1
                    continue
                unread -= result.is_last
                yield part, result
        finally:
            self._closed.set()
            self._stop.ask()
            self._pool.shutdown(cancel_futures=True)
        if unread:
            raise StoppedError

    def _run(self, part: ScanSegment) -> None:
        """Put all pages of a segment into the queue, then None."""
        try:
            while not self._stop.is_asked:
                page = self._read(part, self._stop)
                self._put(part, page)
                if page.is_last:
                    break
                part = replace(part, position=page.position, after=page.after)
        except StoppedError:
            pass
        except BaseException as error:
            self._put(part, error)
        self._put(part, None)

    def _put(self, part: ScanSegment, result: P | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                self._results.put((part, result), timeout=0.1)
            except queue.Full:
                continue
            return


def read_page(
    client: DynamoDBClient, segment: Segment, position: Key | None, *, consistent: bool
) -> Page:
    """Read a segment's page after a position; None: the first page."""
    start: dict[str, Any] = {} if position is None else {"ExclusiveStartKey": position}
    found = client.scan(
        TableName=segment.table,
        Segment=segment.number,
        TotalSegments=segment.of,
        ConsistentRead=consistent,
        **start,
    )
    return Page(found["Items"], found.get("LastEvaluatedKey"))
