"""Work that is repeated in the background."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

_log = logging.getLogger(__name__)


class Periodic(ABC):
    """Repeats its work at an interval, in a thread of its own, while the context lasts.

    `seconds` is the interval, or returns the next one. A failure is logged, and the work is
    repeated after the next interval.
    """

    def __init__(self, name: str, seconds: float | Callable[[], float]) -> None:
        self._name = name
        self._interval = seconds if callable(seconds) else lambda: seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def work(self) -> None:
        """Do the work once."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._interval()):
            try:
                self.work()
            except Exception:
                _log.exception("The periodic work %s failed.", self._name)
