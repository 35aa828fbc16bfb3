"""Faults of a soak: kinds, targets and times drawn by a seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from local.faults.fault import KINDS, FaultError, FaultRequest

if TYPE_CHECKING:
    from local.faults.active import ActiveFaults

_LONGEST_PAUSE = 4.0
_MOST_AT_ONCE = 2


def draw(draws: random.Random, members: Sequence[str], longest: float) -> FaultRequest:
    """Draw a fault that lasts `longest` seconds at most."""
    kind = draws.choice(KINDS)
    seconds = round(draws.uniform(longest / 8, longest), 1)
    value = {
        "throttle": round(draws.uniform(0.1, 0.9), 2),
        "delay": round(draws.uniform(longest / 8, longest / 2), 1),
    }.get(kind)
    return FaultRequest(kind, draws.choice(members), value, seconds)


class Disturbances:
    """Starts faults, one after the other and at times two at once, while the context lasts.

    At its end, all faults are cleared. `counts` are those that were started, by kind.
    """

    def __init__(
        self, faults: ActiveFaults, members: Sequence[str], seed: int, longest: float
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._faults = faults
        self._members = members
        self._longest = longest
        self._draws = random.Random(f"{seed} faults")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disturbances", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._faults.clear()

    def _run(self) -> None:
        while not self._ended.wait(self._draws.uniform(0, _LONGEST_PAUSE)):
            request = draw(self._draws, self._members, self._longest)
            if len(self._faults.list()) >= _MOST_AT_ONCE:
                continue
            try:
                self._faults.start(request)
            except FaultError:
                continue  # that one is active already, or its region is down
            self.counts[request.kind] += 1
