"""Many segments read side by side, page by page, with few pages in memory at any time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from handler.image import Key
from operate.segments import Page, Segment


@dataclass(frozen=True)
class Part:
    """A segment of one of several tables, which are told apart by `source`, and where to go on."""

    source: int
    segment: Segment
    position: Key | None = None


P = TypeVar("P", bound=Page)
Read = Callable[[Part, "Key | None"], P]


class Sweep(Generic[P]):
    """Reads all parts, `jobs` at a time; the pages of a part come in their order.

    A page is read while the one before is worked on, and no further. Left early, what is being read
    is read to its end and dropped.
    """

    def __init__(self, parts: Sequence[Part], read: Read[P], jobs: int) -> None:
        self._parts = parts
        self._read = read
        self._stop = threading.Event()
        self._answers: queue.Queue[tuple[Part, P | BaseException]] = queue.Queue(maxsize=1)
        self._pool = ThreadPoolExecutor(jobs)

    def pages(self) -> Generator[tuple[Part, P]]:
        """All pages, once. Raises what `read` raises."""
        try:
            for part in self._parts:
                self._pool.submit(self._run, part)
            left = len(self._parts)
            while left:
                part, answer = self._answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                left -= answer.position is None
                yield part, answer
        finally:
            self._stop.set()
            self._pool.shutdown(cancel_futures=True)

    def _run(self, part: Part) -> None:
        position = part.position
        while not self._stop.is_set():
            try:
                page = self._read(part, position)
            except BaseException as error:
                self._tell(part, error)
                return
            self._tell(part, page)
            position = page.position
            if position is None:
                return

    def _tell(self, part: Part, answer: P | BaseException) -> None:
        while not self._stop.is_set():
            try:
                self._answers.put((part, answer), timeout=0.1)
            except queue.Full:
                continue
            return
