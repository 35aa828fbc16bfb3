"""What one run is like, as its first decisions have it within a shape."""

from dataclasses import dataclass
from typing import Self

from tests.simulation.choices import Choices
from tests.simulation.shapes import Shape

_BACK = ("start over", "bypass", "come and go")
"""Faults by which a stream is read again from far back."""


@dataclass(frozen=True)
class Plan:
    """A ring, its time, and what happens to it."""

    skews: tuple[int, ...]
    """By how many seconds each member's clock is wrong."""
    grain: int
    """Records' times are cut to so many seconds."""
    pace: float
    """Seconds that a step takes: with 0, all happens within one."""
    batch: int
    """The most records of a batch."""
    keys: int
    operations: tuple[str, ...]
    faults: tuple[str, ...]
    expiry_travels: bool
    """Whether an expiry is a delete for all, rather than each member's own affair."""
    reads_again: bool
    """Whether streams may be read again from far back."""

    @classmethod
    def draw(cls, choices: Choices, shape: Shape) -> Self:
        """Decide, for one run."""
        members = 2 + choices.below(shape.most_members - 1)
        operations = choices.some_of(shape.operations) or list(shape.operations)
        faults = choices.some_of(shape.faults)
        expiry_travels = shape.expires_late or not choices.below(2)
        expires = "put with a time to live" in operations and not expiry_travels
        reads_again = shape.replays_what_expired or not expires
        if not reads_again:
            faults = [fault for fault in faults if fault not in _BACK]
        skews: tuple[int, ...] = (0, 0, 1, -1, 30, -30)
        grains: tuple[int, ...] = (1, 1, 1, 60)
        if shape.expires_late:
            skews, grains = (0,), (1,)  # all clocks agree on which renewal was the last
        return cls(
            skews=tuple(choices.one_of(skews) for _ in range(members)),
            grain=choices.one_of(grains),
            pace=choices.one_of((0.0, 0.02, 0.2, 2.0)),
            batch=choices.one_of((1, 3, 10, 100)),
            keys=1 + choices.below(shape.most_keys),
            operations=tuple(operations),
            faults=tuple(faults),
            expiry_travels=expiry_travels,
            reads_again=reads_again,
        )
