"""Which writes came after which, and so what was lost, and what the hops' log says of it.

Knows nothing of versions: a write came after what stood at its member when it was made, and after
all that came before that. Of writes of which neither came after the other, the ring keeps one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from handler.conflict_line import conflict_line
from handler.model.image import Image, Item
from handler.model.version import Version
from handler.protocol.hop import Conflict
from operate.conflicts.entries import ConflictEntry, merge_lines
from operate.conflicts.log_line import ConflictLine, parse_line
from tests.simulation.check import Place

if TYPE_CHECKING:
    from tests.simulation.member import Member


class Made(NamedTuple):
    """An application's write: its key, its member's id, and its record."""

    key: str
    replica: str
    record: int


@dataclass(frozen=True)
class Pair:
    """A write that lost, and one that won."""

    lost: Made
    won: Made


@dataclass
class Siblings:
    """The writes of a run, and the conflicts that hops reported."""

    lines: list[ConflictLine] = field(default_factory=list)
    _before: dict[Made, frozenset[Made]] = field(default_factory=dict)
    _standing: dict[Place, Made] = field(default_factory=dict)
    _latest: dict[Place, Made] = field(default_factory=dict)
    _excused: set[Made] = field(default_factory=set)
    _deletes: set[Made] = field(default_factory=set)

    def wrote(self, member: Member, name: str, record: int, *, excused: bool) -> None:
        """Take note of an application's write; one that is excused may be lost without a line."""
        made, place = Made(name, member.replica.id, record), (member.name, name)
        known: frozenset[Made] = frozenset()
        for earlier in (self._standing.get(place), self._latest.get(place)):
            if earlier is not None:
                known |= self._before[earlier] | {earlier}
        self._before[made] = known
        self._standing[place] = self._latest[place] = made
        if excused:
            self._excused.add(made)
        if "NewImage" not in member.stream[record - 1]["dynamodb"]:
            self._deletes.add(made)

    def see(self, member: Member, new: Item | None) -> None:
        """Take note of what a hop put at a member."""
        version = None if new is None else Image(new).version
        if new is not None and version is not None:
            made = _made(new["k"]["S"], version)
            if made in self._before:
                self._standing[member.name, made.key] = made

    def report(self, conflicts: Iterable[Conflict]) -> None:
        """Take note of what a hop has logged, as an operator reads it."""
        for conflict in conflicts:
            fields = {"event": "conflict", "hop": "", **conflict_line(conflict, logs_items=True)}
            line = parse_line(json.dumps(fields), len(self.lines))
            assert line is not None
            self.lines.append(line)

    def entries(self) -> list[ConflictEntry]:
        """Return the conflicts as an operator lists them."""
        return merge_lines(self.lines)

    def pairs(self) -> list[Pair]:
        """Return the two writes of each conflict that an operator lists, if both are known."""
        found = (
            Pair(*(_made(entry.key["k"]["S"], side.version) for side in (entry.lost, entry.won)))
            for entry in self.entries()
        )
        return [pair for pair in found if {pair.lost, pair.won} <= self._before.keys()]

    def lost(self, members: Iterable[Member]) -> set[Made]:
        """Writes that nobody's write came after, but for those that stand in the end."""
        followed = frozenset[Made]().union(*self._before.values())
        names = {member.name for member in members}
        stand = {made for (member, _), made in self._standing.items() if member in names}
        lost = self._before.keys() - followed - stand - self._excused
        return {made for made in lost if not self._is_repeated(made)}

    def _is_repeated(self, made: Made) -> bool:
        """Whether it is a delete of what others deleted as well, so that nothing was lost."""
        others = (one for one in self._deletes if one.key == made.key and one != made)
        return made in self._deletes and any(self.are_concurrent(Pair(made, one)) for one in others)

    def are_concurrent(self, pair: Pair) -> bool:
        """Whether neither of two writes came after the other."""
        return pair.lost not in self._before[pair.won] and pair.won not in self._before[pair.lost]


def _made(name: str, version: Version) -> Made:
    return Made(name, version.replica, version.sequence)
