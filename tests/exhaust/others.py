"""What applications, operators and the world do in a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.exhaust.asking import Call
from tests.exhaust.pool import NONE, content
from tests.exhaust.ring import (
    HELD,
    ITEM,
    LEFT,
    NOTES,
    OPERATOR,
    PAST,
    TOMB,
    WANTED,
    WIDTH,
    Effect,
    Left,
    Ring,
    State,
)

RETENTION = 8 * 24 * 60 * 60
REDRIVER, OPERATING, APPLICATION, OUTSIDE = -1, -2, -3, -4
"""Who moves, besides the hops, which are named by the member that they start at."""


class Move(NamedTuple):
    """Something that happens, and the state after it."""

    who: int
    what: str
    state: State
    run: int = NONE
    call: Call | None = None
    effect: Effect | None = None
    member: int = -1
    broken: str | None = None


class Others:
    """Finds what happens besides the hops' work."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.scope = ring.scope
        self._has: Callable[[str], bool] = frozenset(ring.scope.faults).__contains__

    def all(self, state: State) -> list[Move]:
        """Return what applications, operators and the world do."""
        left = self.ring.left(state)
        waits = not left.writes or (self.scope.calm and not self.ring.have_read_all(state))
        moves = [] if waits else list(self._writes(state, left))
        if left.faults:
            moves += self._strikes(state, left)
        return moves

    def to_stay(self, state: State) -> int:
        """Return what must stay as it is: all, if all is at rest."""
        if not self.ring.is_at_rest(state):
            return NONE
        return self._wanted(state[ITEM])

    def _wanted(self, item: int) -> int:
        return self.ring.pool.put(("wanted", self.ring.pool.values[item][1] if item else 0))

    def _strikes(self, state: State, left: Left) -> Iterator[Move]:
        ring, fewer = self.ring, left._replace(faults=left.faults - 1)
        if self._has("tombstone gone") and ring.is_at_rest(state):
            for member in ring.members:
                if state[member * WIDTH + TOMB]:
                    parts = list(state)
                    parts[member * WIDTH + TOMB] = NONE
                    late = fewer._replace(second=left.second + RETENTION)
                    parts[ring.tail + LEFT] = ring.put_left(late)
                    for one in ring.members:
                        parts[one * WIDTH + PAST] = NONE
                    yield Move(OUTSIDE, "tombstone gone", ring.settled(parts), member=member)
        if self._has("expiry") and ring.is_at_rest(state) and state[ITEM]:
            parts = list(state)
            for member in ring.members:
                ring.write(parts, member, NONE, left.second, expires=True)
            parts[ring.tail + LEFT] = ring.put_left(fewer)
            parts[ring.tail + WANTED] = self._wanted(NONE)
            yield Move(OUTSIDE, "the item expires at all members", ring.settled(parts))
        if not state[ring.tail + OPERATOR]:
            yield from self._operates(state, fewer)

    def _operates(self, state: State, fewer: Left) -> Iterator[Move]:
        ring, runs = self.ring, self.ring.runs
        if self._has("repair"):
            for prefer in (-1, *ring.members):
                yield self._operated(state, fewer, runs.start("mend", prefer, ()), "repair", prefer)
        if self._has("backfill"):
            for target in ring.members:
                item = state[(target - 1) % self.scope.members * WIDTH + ITEM]
                if item:
                    run = runs.start("fill", target, (item,))
                    yield self._operated(state, fewer, run, "backfill", target)

    def _operated(self, state: State, fewer: Left, run: int, what: str, member: int) -> Move:
        parts = list(state)
        parts[self.ring.tail + OPERATOR] = run
        parts[self.ring.tail + LEFT] = self.ring.put_left(fewer)
        return Move(OUTSIDE, what, self.ring.settled(parts), member=member)

    def _writes(self, state: State, left: Left) -> Iterator[Move]:
        held = self.ring.tail + HELD
        for member in self.ring.members:
            item = state[member * WIDTH + ITEM]
            puts_back = {"put back", "put back edited"} & {*self.scope.operations}
            if puts_back and not state[held] and item:
                parts = list(state)
                parts[held] = item
                yield Move(APPLICATION, "hold", self.ring.settled(parts), member=member)
            for what, new in self._new_items(state, member):
                for later in range(1 + self.scope.later):
                    moment = left._replace(writes=left.writes - 1, second=left.second + later)
                    yield self._wrote(state, member, what, new, moment)

    def _new_items(self, state: State, member: int) -> Iterator[tuple[str, int]]:
        """Yield what an application may make of an item."""
        ring, put = self.ring, self.ring.pool.put_item
        standing = ring.item(state, member)
        fresh = content(ring.new_content(state))
        operations = self.scope.operations
        if "put" in operations:
            yield "put", put(fresh)
        if "update" in operations and standing is not None and standing.keys() - fresh.keys():
            yield "update", put({**standing, **fresh})
        if standing is not None:
            what = "delete a stub" if ring.holds_stub(state, member) else "delete"
            if what in operations:
                yield what, NONE
        held = state[ring.tail + HELD]
        if held:
            item = ring.pool.item(held)
            assert item is not None
            if "put back" in operations and held != state[member * WIDTH + ITEM]:
                yield "put back", held
            if "put back edited" in operations:
                yield "put back edited", put({**item, **fresh})

    def put(self, state: State, member: int) -> Move:
        """Return an application's put at a member."""
        item = self.ring.pool.put_item(content(self.ring.new_content(state)))
        return self._wrote(state, member, "put", item, self.ring.left(state))

    def _wrote(self, state: State, member: int, what: str, item: int, left: Left) -> Move:
        ring, parts = self.ring, list(state)
        record = ring.write(parts, member, item, left.second)
        parts[ring.tail + LEFT] = ring.put_left(left)
        is_last = ring.is_at_rest(state)
        parts[ring.tail + WANTED] = self._wanted(item) if is_last else NONE
        if self.scope.watches and record:
            notes = parts[member * WIDTH + NOTES]
            if what == "delete a stub":
                notes = ring.watch.conflict(notes, member, record)
            else:
                read = ring.read(parts, member)
                notes = ring.watch.wrote(notes, member, record, read)
            parts[member * WIDTH + NOTES] = notes
        return Move(APPLICATION, what, ring.settled(parts), member=member)
