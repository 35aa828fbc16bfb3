"""Read a ring again and again, and keep what pages have not received yet."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from page.happenings import Happening
from page.view import View

if TYPE_CHECKING:
    from page.reading import Source

KEPT = 300
"""Happenings that are kept for a page that is opened, or that was away."""
_PATIENCE = 1.0
"""Seconds that the end waits for a reading that is not complete."""
_MOVES = 60
"""Deliveries of the last reading that a page draws."""
_log = logging.getLogger(__name__)


class Feed:
    """The state of a ring, read in a background thread while the context lasts. Thread-safe.

    Happenings are numbered in their order; `version` grows with each reading.
    """

    def __init__(self, source: Source, view: View) -> None:
        self.version = 0
        self._source = source
        self._view = view
        self._lock = threading.Lock()
        self._happenings: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._moves: list[dict[str, Any]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        # A ring that does not answer must not keep the process from ending.
        self._thread.join(timeout=_PATIENCE)
        self._source.close()

    def add(self, happening: Happening) -> None:
        """Add something that happened, now."""
        with self._lock:
            self._add(happening, time.time())
            self.version += 1

    def message(self, after: int) -> dict[str, Any]:
        """Return what a page needs that has seen the happenings up to a number."""
        with self._lock:
            return {
                "number": self._number,
                "view": self._view.document,
                "moves": self._moves,
                "log": [one for one in self._happenings if one["number"] > after],
            }

    def read(self) -> None:
        """Take one reading."""
        reading = self._source.read()
        with self._lock:
            for happening in self._view.add(reading):
                self._add(happening, reading.now)
            deliveries = reading.deliveries or ()
            self._moves = [asdict(delivery) for delivery in deliveries[-_MOVES:]]
            self.version += 1

    def _add(self, happening: Happening, when: float) -> None:
        self._number += 1
        self._happenings.append({"number": self._number, "at": when, **asdict(happening)})

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.read()
            except Exception:
                _log.exception("The ring could not be read for the page.")
            self._ended.wait(self._source.seconds)
