"""Which moves of a state are enough: those that commute are not tried in both orders.

If nobody else can ever do anything that matters to a hop's next call before that call is made, the
call may as well be made now: every schedule is then one that begins with it, but for the order of
what commutes. Such calls are a *persistent set* (P. Godefroid, Partial-Order Methods for the
Verification of Concurrent Systems, https://doi.org/10.1007/3-540-60761-7, chapter 4). What can go
wrong with the hop is in the set as well.

What others can do is judged by which tables they can ever touch: a hop those of its two members,
once it has a record; an application all items. Every hop that has something to do
before the ring is at rest is in the set of each state at some time, so all states at rest are seen.
A set whose moves all lead back to where the search has been is not enough (the search then takes
all moves).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tests.exhaust.detour import Out
from tests.exhaust.others import Move
from tests.exhaust.ring import (
    NOTES,
    OPERATOR,
    OUT,
    RUN,
    SHELF,
    UNREAD,
    WIDTH,
    Left,
    Ring,
    State,
)

_BY_ANYBODY = {"repair", "backfill", "empty", "bypass", "loss"}
"""Faults whose work touches all members at any time, or ends any hop's."""


class Reduction:
    """Finds hops whose moves are enough."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        count = ring.scope.members
        self._ends: Ends = tuple((one, (one + 1) % count) for one in ring.members)
        by_anybody = _BY_ANYBODY | ({"expiry"} if ring.scope.expiry_travels else set())
        self._are_by_anybody = [not by_anybody.isdisjoint(some) for some in ring.faults]
        # Two records on the shelf are there in an order, which shows who was first.
        self._is_off = sum("quarantine" in some for some in ring.faults) > 1

    def few(
        self, state: State, hops: list[list[Move]], redrive: Callable[[], list[Move]]
    ) -> list[Move] | None:
        """Return the moves of some hops, if they are enough; ``hops`` are those of each.

        The one around a member that is out, if there is one, is the last. ``redrive`` returns the
        moves of an operator who plays a quarantined record again: one more hop, with that record.
        """
        tail = self._ring.tail
        if self._is_off or state[tail + OPERATOR]:
            return None
        left = self._ring.left(state)
        if self._are_by_anybody[left.faults]:
            return None
        out = self._ring.detours.read(state[tail + OUT])
        ends = self._ends if out is None else (*self._ends, self._ring.detours.ends(out))
        resting = -1 if out is None or out.is_back else ends[-1][0]
        active = 0
        for hop, moves in enumerate(hops):
            if left.writes or moves or hop == resting:
                active |= 1 << hop
        touches = self._all_touched(state, hops, out, resting)
        shelved = self._shelved_at(state)
        if shelved >= 0:
            hops, ends = [*hops, redrive()], (*ends, self._ends[shelved])
            touches.append(_touched_by(hops[-1], left))
            active |= 1 << len(ends) - 1
        chosen = _closed(tuple(touches), ends, active)
        return None if chosen is None else [move for hop in chosen for move in hops[hop]]

    def _all_touched(
        self, state: State, hops: list[list[Move]], out: Out | None, resting: int
    ) -> list[int]:
        """Return what each hop's next moves touch; ``resting`` is the hop that is taken off."""
        left = self._ring.left(state)
        touches = [self._touched(state, one, hops[one], left) for one in self._ring.members]
        if out is not None:
            touches.append(self._touched_around(out, hops[-1], left))
        if resting >= 0:
            # How much the hop that rests has to read counts from when its member comes back.
            touches = [-1 if one < 0 or one >> resting & 1 else one for one in touches]
        return touches

    def _touched(self, state: State, member: int, moves: list[Move], left: Left) -> int:
        """Return the members that a hop's next moves touch, as bits.

        -1: these cannot be enough, since an application can do what matters to them; or since the
        hop has nothing to do, but can start over.
        """
        at = member * WIDTH
        if not moves or not (state[at + RUN] or state[at + UNREAD]):
            return -1
        touched = _touched_by(moves, left)
        grows = self._may_grow(state, member)
        if left.writes and (grows or (state[at + NOTES] and self._may_close(state, member))):
            return -1
        return touched if touched < 0 else touched | grows << member

    def _shelved_at(self, state: State) -> int:
        """Return the member whose hop gave a record up that is not done yet; -1: there is none."""
        tail, values = self._ring.tail, self._ring.pool.values
        shelf = self._ring.pool.list_of(state[tail + SHELF])
        member: int = values[shelf[0]][1] if shelf else -1
        return member

    def _touched_around(self, out: Out, moves: list[Move], left: Left) -> int:
        """Return the same of the hop around a member; -1 too if it may end before it moves."""
        must_go_on = out.run or out.around > 0
        if not moves or not out.is_back or not must_go_on or self._ring.scope.batch > 1:
            return -1
        return _touched_by(moves, left)

    def _may_close(self, state: State, member: int) -> bool:
        """Whether a conflict is open at the member, which ends when its hop has read so far."""
        opened: int = self._ring.pool.values[state[member * WIDTH + NOTES]][3]
        return opened > 0

    def _may_grow(self, state: State, member: int) -> bool:
        """Whether the hop's batch may be a larger one later."""
        at, most = member * WIDTH, self._ring.scope.batch
        if most == 1 or state[at + RUN]:
            return False
        return len(self._ring.pool.list_of(state[at + UNREAD])) < most


def _touched_by(moves: list[Move], left: Left) -> int:
    touched = 0
    for move in moves:
        if move.call is not None:
            if left.writes and not move.call.is_of_tombstone:
                return -1
            touched |= 1 << move.call.member
    return touched


Ends = tuple[tuple[int, int], ...]
"""The two members of each hop."""


@lru_cache(maxsize=100_000)
def _closed(touches: tuple[int, ...], ends: Ends, active: int) -> tuple[int, ...] | None:
    """Return the hops with whose next moves no other can interfere: the fewest."""
    found = [
        chosen
        for first in range(len(touches))
        if (chosen := _closed_from(first, touches, ends, active)) is not None
    ]
    return min(found, key=len, default=None)


def _closed_from(
    first: int, touches: tuple[int, ...], ends: Ends, active: int
) -> tuple[int, ...] | None:
    chosen, todo, touched = {first}, [first], 0
    while todo:
        hop = todo.pop()
        if touches[hop] < 0:
            return None
        touched |= touches[hop]
        for other in range(len(touches)):
            is_active = other not in chosen and active >> other & 1
            if is_active and touched & _reach(other, chosen, ends):
                chosen.add(other)
                todo.append(other)
    return tuple(sorted(chosen))


def _reach(hop: int, but: set[int], ends: Ends) -> int:
    """Return the members that a hop can touch, and those that it sets off, except some."""
    reached, todo = 0, [hop]
    while todo:
        for one in ends[todo.pop()]:
            if not reached >> one & 1:
                reached |= 1 << one
                todo += [
                    place
                    for place, (start, _) in enumerate(ends)
                    if start == one and place not in but
                ]
    return reached
