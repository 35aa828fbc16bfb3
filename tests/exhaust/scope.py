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
    "quarantine",
    "repair",
    "backfill",
    "empty",
    "bypass",
    "loss",
)
"""What goes wrong, or what an operator does."""

_FILLS, _REPAIRS = {"backfill", "empty"}, {"repair", "loss"}
"""Faults in which an operator fills a member, or repairs the key."""
_TAKE_BACK = _FILLS | _REPAIRS | {"quarantine"}
"""Faults in which an operator, or what was left out, takes an application's write back."""

EDITED = ("put", "update", "delete", "delete a stub", "put back edited")
"""All but exact old copies, which docs/explanation/guarantees.md describes."""
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
    expiry_travels: bool = False
    """Whether an expiry is a delete for all; else each member expires its own."""
    adopted: bool = False
    """Whether region-0 has an item from before the ring, which an operator fills the next with."""
    calm: bool = False
    """Whether an application waits with each write until no hop has anything to do."""
    late_replays: bool = False
    """Whether a write to the ring at rest must win over what is delivered again."""
    forgets: bool = True
    """Whether coroutines that know the same are taken for the same, whatever they were answered."""
    in_order: bool = False
    """Whether each fault is there once, in this order."""
    falling: bool = False
    """Whether each content has a lower digest than those before it, where that may matter."""
    watches: bool = True
    """Whether it is checked in every state that nothing takes an application's write back."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The members' ids."""
        return tuple(f"{number:08x}" for number in self.order or range(self.members))

    def with_faults(self, *faults: str, most: int = 1) -> Self:
        """Return the scope with at most so many of these faults, and watched where that holds."""
        watches = _TAKE_BACK.isdisjoint(faults)
        return replace(self, faults=faults, most_faults=most, watches=watches)

    def describe(self) -> str:
        """Return in words what the scope has, besides members and writes."""
        has_turned = bool(self.order) and list(self.order) != sorted(self.order)
        said = {
            "anything" if self.operations == WRITES else _joined(self.operations): True,
            f"batches to {self.batch}": self.batch > 1,
            "seconds pass": self.later,
            f"clocks {'/'.join(map(str, self.skews))}": any(self.skews),
            f"ids {''.join(map(str, self.order))}": has_turned,
            "tombstones off": not self.keeps_tombstones,
            "expiries travel": self.expiry_travels,
            "an item from before the ring": self.adopted,
            "each write to a ring at rest": self.calm,
            "what was at rest must win over replays": self.late_replays,
            "digests fall": self.falling,
        }
        return "; ".join(text for text, is_so in said.items() if is_so)

    def describe_faults(self) -> str:
        """Return in words what goes wrong."""
        if self.in_order:
            return ", then ".join(self.faults)
        return f"{self.most_faults} of {_joined(self.faults)}" if self.faults else "none"

    def next_faults(self, left: int) -> frozenset[str]:
        """Return what may go wrong next, if that is so many times."""
        if not left:
            return frozenset()
        return frozenset(self.faults[-left:][:1] if self.in_order else self.faults)

    @property
    def order_of_digests(self) -> int:
        """In which order the contents' digests are; 0: in none, since it does not matter."""
        if "quarantine" in self.faults or ("repair" in self.faults and self.most_faults > 1):
            return -1 if self.falling else 1
        return 0

    @property
    def fills(self) -> bool:
        """Whether an operator may fill a member."""
        return self.adopted or not _FILLS.isdisjoint(self.faults)

    @property
    def repairs(self) -> bool:
        """Whether an operator may repair the key."""
        return not _REPAIRS.isdisjoint(self.faults)

    @property
    def remembers(self) -> bool:
        """Whether a stream may be read again from far back."""
        return not {"start over", "bypass"}.isdisjoint(self.faults)

    def orders(self) -> list[Self]:
        """Return the scope with every order of ids that no turn of the ring makes another."""
        others = permutations(range(1, self.members))
        return [replace(self, order=(0, *rest)) for rest in others]


def _joined(words: tuple[str, ...]) -> str:
    return "plain" if words == PLAIN else ", ".join(words)
