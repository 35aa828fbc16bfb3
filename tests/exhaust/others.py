"""What applications do in a state, and what all moves are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.exhaust.asking import Call
from tests.exhaust.pool import NONE
from tests.exhaust.ring import (
    HELD,
    ITEM,
    LEFT,
    NOTES,
    OUT,
    WANTED,
    WIDTH,
    Effect,
    Left,
    Ring,
    State,
)

REDRIVER, OPERATING, APPLICATION, OUTSIDE, AROUND = -1, -2, -3, -4, -5
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
    """Finds what applications do."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.scope = ring.scope
        # What expires has lived for a second; so what renews it is of a later one.
        same = [] if ring.scope.expiry_travels and not ring.scope.later else [0]
        self._seconds = [*same, 1] if ring.scope.expiry_travels or ring.scope.later else same

    def all(self, state: State, left: Left) -> Iterator[Move]:
        """Yield what applications do."""
        if left.writes and not (self.scope.calm and not self.ring.have_read_all(state)):
            yield from self._writes(state, left)

    def to_stay(self, state: State) -> int:
        """Return what must stay as it is: all, if all is at rest."""
        if not self.ring.is_at_rest(state):
            return NONE
        return self.wanted(state[ITEM])

    def wanted(self, item: int) -> int:
        """Return the part that says what all must have in the end."""
        return self.ring.pool.put(("wanted", self.ring.pool.values[item][1] if item else 0))

    def _writes(self, state: State, left: Left) -> Iterator[Move]:
        held = self.ring.tail + HELD
        out = self.ring.detours.read(state[self.ring.tail + OUT])
        gone = -1 if out is None or out.is_back else out.member
        for member in self.ring.members:
            if member == gone:
                continue  # its region is down
            item = state[member * WIDTH + ITEM]
            puts_back = {"put back", "put back edited"} & {*self.scope.operations}
            if puts_back and not state[held] and item:
                parts = list(state)
                parts[held] = item
                yield Move(APPLICATION, "hold", self.ring.settled(parts), member=member)
            for what, new in self._new_items(state, member):
                for later in self._seconds:
                    moment = left._replace(writes=left.writes - 1, second=left.second + later)
                    yield self._wrote(state, member, what, new, moment)

    def _new_items(self, state: State, member: int) -> Iterator[tuple[str, int]]:
        """Yield what an application may make of an item."""
        ring, put = self.ring, self.ring.pool.put_item
        standing = ring.item(state, member)
        fresh = ring.pool.kinds.item(ring.new_content(state))
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
        item = self.ring.pool.put_item(self.ring.pool.kinds.item(self.ring.new_content(state)))
        return self._wrote(state, member, "put", item, self.ring.left(state))

    def _wrote(self, state: State, member: int, what: str, item: int, left: Left) -> Move:
        ring, parts = self.ring, list(state)
        record = ring.write(parts, member, item, left.second)
        parts[ring.tail + LEFT] = ring.put_left(left)
        is_last = ring.is_at_rest(state)
        parts[ring.tail + WANTED] = self.wanted(item) if is_last else NONE
        if self.scope.watches and record:
            notes = parts[member * WIDTH + NOTES]
            if what == "delete a stub":
                notes = ring.watch.conflict(notes, member, record)
            else:
                read = ring.read(parts, member)
                notes = ring.watch.wrote(notes, member, record, read)
            parts[member * WIDTH + NOTES] = notes
        return Move(APPLICATION, what, ring.settled(parts), member=member)
