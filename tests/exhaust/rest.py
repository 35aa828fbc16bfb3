"""What must hold where nobody has anything to do."""

from __future__ import annotations

from tests.exhaust.moves import Moves
from tests.exhaust.others import Move
from tests.exhaust.pool import NONE
from tests.exhaust.ring import ITEM, LEFT, PAST, TOMB, WANTED, WIDTH, Left, Ring, State

_WRITES = ("put", "put_tombstone", "delete_stub", "delete_if_older")
_LATER = 100
_MOST_MOVES = 1_000
"""More than hops need for one write."""


class _NotDrainedError(Exception):
    """Hops do not come to rest; the text is the promise that this breaks."""


class Rest:
    """Checks states at rest; of those that differ in nothing that matters, one."""

    def __init__(self, ring: Ring, moves: Moves) -> None:
        self._ring = ring
        self._moves = moves
        self._quiet: dict[tuple[int, ...], str | None] = {}

    def broken(self, state: State) -> str | None:
        """Return which promise a state breaks, if it breaks one."""
        return self._differ(state) or self._stub(state) or self._lost(state) or self._put(state)

    def contents(self, state: State) -> list[int]:
        """Return what each member has; 0: nothing."""
        values = self._ring.pool.values
        items = (state[member * WIDTH + ITEM] for member in self._ring.members)
        return [values[item][1] if item else 0 for item in items]

    def _values(self, state: State) -> str:
        return ", ".join(f"v={one}" if one else "nothing" for one in self.contents(state))

    def _differ(self, state: State) -> str | None:
        if len(set(self.contents(state))) == 1:
            return None
        return f"diverged: the members have {self._values(state)}"

    def _stub(self, state: State) -> str | None:
        for member in self._ring.members:
            if self._ring.holds_stub(state, member):
                return f"a stub is left: in region-{member}"
        return None

    def _lost(self, state: State) -> str | None:
        """Return whether the last write to a ring at rest, or what was at rest, is lost."""
        wanted = state[self._ring.tail + WANTED]
        if not wanted:
            return None
        content = self._ring.pool.values[wanted][1]
        if self.contents(state)[0] == content:
            return None
        due = f"v={content}" if content else "nothing"
        return f"the last write was lost: the members have {self._values(state)}, not {due}"

    def _put(self, state: State) -> str | None:
        """Return whether a put in a later second costs more or less than a write at each other."""
        key = tuple(
            state[member * WIDTH + part] for member in self._ring.members for part in (ITEM, TOMB)
        )
        if key not in self._quiet:
            costs = (self._quiet_put(state, member) for member in self._ring.members)
            try:
                self._quiet[key] = next(filter(None, costs), None) or self._expiry(state)
            except _NotDrainedError as error:
                self._quiet[key] = str(error)
        return self._quiet[key]

    def _quiet_put(self, state: State, member: int) -> str | None:
        ring = self._ring
        move: Move = self._moves.others.put(tuple(self._later(state)), member)
        after, writes = self._drained(move.state)
        others = len(ring.members) - 1
        if writes != others:
            return f"a quiet put cost {writes} writes: at region-{member}, not {others}"
        return self._differ(after) or self._lost(after)

    def _later(self, state: State) -> list[int]:
        """Return a state at rest long after; what was read before plays no part."""
        ring, parts = self._ring, list(state)
        parts[ring.tail + LEFT] = ring.put_left(Left(0, 0, ring.left(state).second + _LATER))
        parts[ring.tail + WANTED] = NONE
        for one in ring.members:
            parts[one * WIDTH + PAST] = NONE
        return parts

    def _drained(self, state: State) -> tuple[State, int]:
        """Let hops do what they have to do; return the state after it, and what it cost."""
        writes, moves = 0, 0
        while not self._ring.is_at_rest(state):
            move = next(one for hop in self._moves.of_hops(state) for one in hop)
            moves += 1
            if move.broken or moves > _MOST_MOVES:
                raise _NotDrainedError(move.broken or "something circulates: behind a quiet write")
            writes += move.call is not None and move.call.method in _WRITES
            state = move.state
        return state, writes

    def _expiry(self, state: State) -> str | None:
        """Return whether an expiry at a member means something else than the scope says."""
        ring = self._ring
        for member in ring.members if state[ITEM] else ():
            parts = self._later(state)
            ring.write(parts, member, NONE, ring.left(parts).second, expires=True)
            after, _ = self._drained(ring.settled(parts))
            gone = [one for one, content in enumerate(self.contents(after)) if not content]
            if gone != ([*ring.members] if ring.scope.expiry_travels else [member]):
                return f"an expiry did not keep to the rule: at region-{member}, gone at {gone}"
        return None
