"""What goes wrong in a state, besides failing calls, and what operators do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.exhaust.detour import Out
from tests.exhaust.others import OUTSIDE, Move, Others
from tests.exhaust.pool import NONE
from tests.exhaust.ring import (
    ITEM,
    LEFT,
    OPERATOR,
    OUT,
    PAST,
    RUN,
    TOMB,
    UNREAD,
    WANTED,
    WIDTH,
    Left,
    Ring,
    State,
)

RETENTION = 8 * 24 * 60 * 60
_DUE = ("due",)
"""In an operator's place: once all is read, somebody has to repair the key."""

Strike = Callable[[State, Left], Iterator[Move]]


class Strikes:
    """Finds what else may happen: each by its name, as a scope has it."""

    def __init__(self, ring: Ring, others: Others) -> None:
        self.ring = ring
        self._others = others
        self._due = ring.pool.put(_DUE)
        self._count = ring.scope.members
        every: dict[str, Strike] = {
            "tombstone gone": self._tombstone_gone,
            "expiry": self._expiry_of_one if ring.scope.expiry_travels else self._expiry,
            "repair": self._repair,
            "backfill": self._backfill,
            "empty": self._empty,
            "bypass": self._bypass,
            "loss": self._loss,
        }
        self._strikes = [[every[one] for one in every if one in some] for some in ring.faults]

    def all(self, state: State, left: Left) -> Iterator[Move]:
        """Yield what goes wrong, what an operator does, and what has to follow."""
        out = self.ring.detours.read(state[self.ring.tail + OUT])
        if out is not None:
            yield from self._comes_back(state, out)
        if self.is_due(state) and not left.writes and self.ring.have_read_all(state):
            for prefer in self.ring.members:
                run = self.ring.runs.start("repair", prefer, ())
                yield self._operated(state, left, run, "repair", prefer)
        if left.faults:
            fewer = left._replace(faults=left.faults - 1)
            for strike in self._strikes[left.faults]:
                yield from strike(state, fewer)

    def is_due(self, state: State) -> bool:
        """Whether an operator has to repair the key, and has not begun."""
        return state[self.ring.tail + OPERATOR] == self._due

    def _made(self, what: str, parts: list[int], left: Left, member: int = -1) -> Move:
        parts[self.ring.tail + LEFT] = self.ring.put_left(left)
        return Move(OUTSIDE, what, self.ring.settled(parts), member=member)

    # -- time passes --------------------------------------------------------------------------

    def _tombstone_gone(self, state: State, fewer: Left) -> Iterator[Move]:
        if not self.ring.is_at_rest(state):
            return
        for member in self.ring.members:
            if state[member * WIDTH + TOMB]:
                parts = list(state)
                parts[member * WIDTH + TOMB] = NONE
                for one in self.ring.members:
                    parts[one * WIDTH + PAST] = NONE
                late = fewer._replace(second=fewer.second + RETENTION)
                yield self._made("tombstone gone", parts, late, member)

    def _expiry(self, state: State, fewer: Left) -> Iterator[Move]:
        """Let each member expire its item."""
        if not self.ring.is_at_rest(state) or not state[ITEM]:
            return
        parts = list(state)
        for member in self.ring.members:
            self.ring.write(parts, member, NONE, fewer.second, expires=True)
        parts[self.ring.tail + WANTED] = self._others.wanted(NONE)
        yield self._made("the item expires at all members", parts, fewer)

    def _expiry_of_one(self, state: State, fewer: Left) -> Iterator[Move]:
        """Let an item expire at a member, a second later; it is the delete of that item alone."""
        ring, wanted = self.ring, state[self.ring.tail + WANTED]
        for member in ring.members:
            item = state[member * WIDTH + ITEM]
            if not item or ring.holds_stub(state, member):
                continue
            parts, late = list(state), fewer._replace(second=fewer.second + 1)
            ring.write(parts, member, NONE, late.second, expires=True)
            if ring.is_at_rest(state):
                parts[ring.tail + WANTED] = self._others.wanted(NONE)
            elif wanted and ring.pool.values[wanted][1] == ring.pool.values[item][1]:
                parts[ring.tail + WANTED] = NONE
            yield self._made("the item expires", parts, late, member)

    # -- records are lost ---------------------------------------------------------------------

    def _loss(self, state: State, fewer: Left) -> Iterator[Move]:
        """Let a hop never read its next record; so somebody has to repair the key."""
        if state[self.ring.tail + OPERATOR]:
            return
        for member in self.ring.members:
            at = member * WIDTH
            records = self.ring.pool.list_of(state[at + UNREAD])
            if records and not state[at + RUN]:
                parts = list(state)
                parts[at + UNREAD] = self.ring.pool.put_list(records[1:])
                parts[self.ring.tail + OPERATOR] = self._due
                parts[self.ring.tail + WANTED] = NONE
                yield self._made("a record is lost", parts, fewer, member)

    # -- an operator --------------------------------------------------------------------------

    def _repair(self, state: State, fewer: Left) -> Iterator[Move]:
        if state[self.ring.tail + OPERATOR]:
            return
        for prefer in (-1, *self.ring.members):
            run = self.ring.runs.start("repair", prefer, ())
            yield self._operated(state, fewer, run, "repair", prefer)

    def _backfill(self, state: State, fewer: Left) -> Iterator[Move]:
        if state[self.ring.tail + OPERATOR]:
            return
        for target in self.ring.members:
            item = state[(target - 1) % self._count * WIDTH + ITEM]
            if item:
                run = self.ring.runs.start("fill", target, (item,))
                yield self._operated(state, fewer, run, "backfill", target)

    def _empty(self, state: State, fewer: Left) -> Iterator[Move]:
        """Let a member lose its tables, and be filled again, where no hop to or from it is behind.

        What a hop has not delivered by then needs a repair; and that the member has forgotten all
        versions does not matter in a later second.
        """
        late = fewer._replace(second=fewer.second + 1)
        tail, members = self.ring.tail, self.ring.members
        if state[tail + OPERATOR] or any(state[one * WIDTH + RUN] for one in members):
            return
        for target in members:
            at, before = target * WIDTH, (target - 1) % self._count * WIDTH
            is_behind = state[at + UNREAD] or state[before + UNREAD]
            if state[at + ITEM] and state[before + ITEM] and not is_behind:
                parts = list(state)
                parts[at : at + WIDTH] = [NONE] * WIDTH
                parts[tail + WANTED] = NONE
                run = self.ring.runs.start("fill", target, (state[before + ITEM],))
                yield self._operated(tuple(parts), late, run, "the tables are lost", target)

    def _operated(self, state: State, left: Left, run: int, what: str, member: int) -> Move:
        parts = list(state)
        if what == "repair" and member >= 0 and not self.ring.have_read_all(state):
            # Who prefers a member says that no record will come, and is wrong: what he prefers may
            # then win over a later write.
            parts[self.ring.tail + WANTED] = NONE
        parts[self.ring.tail + OPERATOR] = run
        return self._made(what, parts, left, member)

    # -- a member goes and comes back ---------------------------------------------------------

    def _bypass(self, state: State, fewer: Left) -> Iterator[Move]:
        """Take a member out of the ring; the hop to it rests, and one goes around it."""
        ring = self.ring
        if self._count < 3 or state[ring.tail + OUT]:
            return
        for member in ring.members:
            parts, at = list(state), (member - 1) % self._count * WIDTH
            past, unread = (ring.pool.list_of(state[at + part]) for part in (PAST, UNREAD))
            records = (*past, *unread)
            parts[at + UNREAD], parts[at + PAST] = ring.pool.put_list(records), NONE
            parts[at + RUN] = NONE
            parts[ring.tail + OUT] = ring.detours.taken_out(member, records)
            parts[ring.tail + WANTED] = self._others.to_stay(state)
            yield self._made("bypass", parts, fewer, member)

    def _comes_back(self, state: State, out: Out) -> Iterator[Move]:
        """Let a member back in; when all that it missed is read, the hop around it ends."""
        ring, parts = self.ring, list(state)
        left = ring.left(state)
        if not out.is_back:
            at = ring.detours.before(out) * WIDTH
            waiting = len(ring.pool.list_of(state[at + UNREAD]))
            parts[ring.tail + OUT] = ring.detours.back(out, waiting)
            yield self._made("rejoin", parts, left, out.member)
        elif out.may_end:
            parts[ring.tail + OUT] = ring.detours.ended(out)
            yield self._made("the hop around ends", parts, left, out.member)
