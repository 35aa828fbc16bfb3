"""What is tried in full: how many members and writes, which of them, and what may go wrong."""

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Self

WRITES = ("put", "update", "delete", "delete a stub", "put back", "put back edited")
"""What applications do. A conditional put is one of these where its condition holds, and nothing
where it does not; so all of its schedules are among these."""

FAULTS = (
    "crash",
    "redelivery",
    "timeout",
    "throttle",
    "start over",
    "tombstone gone",
    "expiry",
    "set aside",
    "repair",
    "backfill",
)
"""What goes wrong, or what an operator does."""

EDITED = ("put", "update", "delete", "delete a stub", "put back edited")
"""All but exact old copies, of which docs/explanation/guarantees.md tells."""
PLAIN = ("put", "update", "delete", "delete a stub")


@dataclass(frozen=True)
class Scope:
    """Bounds within which every schedule is tried."""

    members: int = 2
    writes: int = 2
    operations: tuple[str, ...] = PLAIN
    faults: tuple[str, ...] = ()
    most_faults: int = 0
    batch: int = 1
    """The most records of a batch."""
    later: bool = False
    """Whether a write may be in a later second than the last, besides in the same."""
    skews: tuple[int, ...] = ()
    """By how many seconds each member's clock is wrong; empty: by none."""
    order: tuple[int, ...] = ()
    """The members' ids, in the order of the ring, as numbers; empty: they grow along it.

    Ids break ties, so another order is another ring.
    """
    keeps_tombstones: bool = True
    calm: bool = False
    """Whether an application waits with each write until no hop has anything to do."""
    late_replays: bool = False
    """Whether a write to the ring at rest must win over what a mapping that starts over brings."""
    forgets: bool = True
    """Whether coroutines that know the same are taken for the same, whatever they were answered."""
    watches: bool = True
    """Whether it is checked in every state that nothing takes an application's write back."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The members' ids."""
        return tuple(f"{number:08x}" for number in self.order or range(self.members))

    def told(self) -> str:
        """Return in words what the scope has, besides members and writes."""
        parts = ["anything" if self.operations == WRITES else _joined(self.operations)]
        if self.batch > 1:
            parts.append(f"batches to {self.batch}")
        if self.later:
            parts.append("seconds pass")
        if any(self.skews):
            parts.append(f"clocks {'/'.join(map(str, self.skews))}")
        if self.order and list(self.order) != sorted(self.order):
            parts.append(f"ids {''.join(map(str, self.order))}")
        if not self.keeps_tombstones:
            parts.append("tombstones off")
        if self.calm:
            parts.append("each write to a ring at rest")
        if self.late_replays:
            parts.append("what was at rest must win over replays")
        return "; ".join(parts)

    def told_faults(self) -> str:
        """Return in words what goes wrong."""
        return f"{self.most_faults} of {_joined(self.faults)}" if self.faults else "none"

    @property
    def remembers(self) -> bool:
        """Whether a stream may be read again from far back."""
        return "start over" in self.faults

    def orders(self) -> list[Self]:
        """Return the scope with every order of ids that no turn of the ring makes another."""
        others = permutations(range(1, self.members))
        return [replace(self, order=(0, *rest)) for rest in others]


def _joined(words: tuple[str, ...]) -> str:
    return "plain" if words == PLAIN else ", ".join(words)
