"""The clock of a simulated region."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Clock:
    """A region's clock: it may be wrong, and cut to whole minutes."""

    region: str
    now: Callable[[], float]
    grain: int
    skew: int

    def __call__(self) -> int:
        return int((self.now() + self.skew) // self.grain * self.grain)
