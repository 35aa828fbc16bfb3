"""Faults of a soak: kinds, targets and times drawn by a seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from local.faults.fault import KINDS, FaultError, FaultRequest
from local.periodic import Periodic

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


class Disturbances(Periodic):
    """Starts faults, one after the other and at times two at once, while the context lasts.

    At its end, all faults are cleared. `counts` are those that were started, by kind.
    """

    def __init__(
        self, faults: ActiveFaults, members: Sequence[str], seed: int, longest: float
    ) -> None:
        self._draws = random.Random(f"{seed} faults")
        super().__init__("disturbances", lambda: self._draws.uniform(0, _LONGEST_PAUSE))
        self.counts: Counter[str] = Counter()
        self._faults = faults
        self._members = members
        self._longest = longest

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._faults.clear()

    def work(self) -> None:
        """Start a fault, unless as many as allowed are active."""
        request = draw(self._draws, self._members, self._longest)
        if len(self._faults.list()) >= _MOST_AT_ONCE:
            return
        try:
            self._faults.start(request)
        except FaultError:
            return  # that one is active already, or its region is down
        self.counts[request.kind] += 1
