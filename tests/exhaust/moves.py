"""What can happen next in a state: each hop's next call, an application's next write, a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from handler.model.image import DELETED
from tests.exhaust.asking import Call, Done
from tests.exhaust.detour import Out
from tests.exhaust.invocations import THROTTLED, TOO_LARGE
from tests.exhaust.others import AROUND, OPERATING, REDRIVER, Move, Others
from tests.exhaust.pool import NONE
from tests.exhaust.ring import (
    ITEM,
    LEFT,
    OPERATOR,
    OUT,
    PAST,
    REDRIVE,
    RUN,
    SHELF,
    TOMB,
    UNREAD,
    WANTED,
    WIDTH,
    Effect,
    Left,
    Ring,
    State,
)
from tests.exhaust.strikes import Strikes

_EXPECTED = ("OSError", "ContendedError", "ItemTooLargeError")
"""What may make a run fail; all else is a mistake in the handler."""


class Waiting(NamedTuple):
    """A run that waits for a call, and what that will do."""

    state: State
    who: int
    run: int
    call: Call
    effect: Effect


class Moves:
    """Finds all moves of a state, in an order that its names have no part in."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.scope = ring.scope
        self.others = Others(ring)
        self._strikes = Strikes(ring, self.others)
        self._throttled = ring.pool.put(THROTTLED)
        self._too_large = ring.pool.put(TOO_LARGE)

    def of_hops(self, state: State) -> list[list[Move]]:
        """Return the moves of each hop; the last may be one around a member that is out."""
        hops = [self.of_hop(state, member) for member in self.ring.members]
        out = self.ring.detours.read(state[self.ring.tail + OUT])
        return hops if out is None else [*hops, self.of_detour(state, out)]

    def all(self, state: State, hops: list[list[Move]] | None = None) -> list[Move]:
        """Return all moves of a state; ``hops`` are those of the hops, if they are known."""
        moves = [move for hop in hops or self.of_hops(state) for move in hop]
        tail = self.ring.tail
        if state[tail + SHELF] or state[tail + REDRIVE]:
            moves += self.of_redrive(state)
        if state[tail + OPERATOR] and not self._strikes.is_due(state):
            moves += self.of_run(state, OPERATING, state[tail + OPERATOR])
        left = self.ring.left(state)
        return [*moves, *self.others.all(state, left), *self._strikes.all(state, left)]

    # -- coroutines ---------------------------------------------------------------------------

    def of_hop(self, state: State, member: int) -> list[Move]:
        """Return the moves of a hop, with what can go wrong with it."""
        at = member * WIDTH
        run, unread, moves = state[at + RUN], state[at + UNREAD], []
        out = self.ring.detours.read(state[self.ring.tail + OUT])
        if out is not None and not out.is_back and self.ring.detours.before(out) == member:
            return []
        if run:
            moves = self.of_run(state, member, run)
        elif unread:
            records = self.ring.pool.list_of(unread)
            for size in range(1, 1 + min(self.scope.batch, len(records))):
                run = self.ring.runs.start("batch", member, records[:size])
                moves += self.of_run(state, member, run)
        if state[at + PAST] and "start over" in self.ring.faults[self.ring.left(state).faults]:
            moves += self._starts_over(state, member)
        return moves

    def of_detour(self, state: State, out: Out) -> list[Move]:
        """Return the moves of the hop around a member that is out."""
        if out.run:
            return self.of_run(state, AROUND, out.run)
        moves, before = [], self.ring.detours.before(out)
        records = self.ring.pool.list_of(out.unread)
        for size in range(1, 1 + min(self.scope.batch, len(records))):
            run = self.ring.runs.start("around", before, records[:size])
            moves += self.of_run(state, AROUND, run)
        return moves

    def of_redrive(self, state: State) -> list[Move]:
        """Return the moves of an operator who plays again what was quarantined."""
        run = state[self.ring.tail + REDRIVE]
        if run:
            return self.of_run(state, REDRIVER, run)
        moves = []
        for record in self.ring.pool.list_of(state[self.ring.tail + SHELF]):
            member = self.ring.pool.values[record][1]
            run = self.ring.runs.start("replay", member, (record,))
            moves += self.of_run(state, REDRIVER, run)
        return moves

    def of_run(self, state: State, who: int, run: int) -> list[Move]:
        """Return the next call of a run, and what can go wrong with it."""
        ring = self.ring
        call = ring.runs.step(run)
        if isinstance(call, Done):
            parts = list(state)
            broken = self._end(parts, who, run, call)
            return [Move(who, "reads", ring.settled(parts), run, broken=broken)]
        at = call.member * WIDTH
        effect = ring.effect(run, call, state[at + ITEM], state[at + TOMB])
        waits = Waiting(state, who, run, call, effect)
        moves = [self._called(waits)]
        if self.scope.most_faults:
            left = ring.left(state)
            if left.faults:
                moves += self._trouble(waits, left)
        return moves

    def _called(self, waits: Waiting, what: str = "call") -> Move:
        """Let the call of a run have its effect, and go on to the next."""
        state, who, run, call, effect = waits
        ring, parts = self.ring, list(state)
        broken = ring.call(parts, call, effect, self._caller(who, run)) if effect.changes else None
        if effect.done is None:
            self._go_on(parts, who, effect.run)
        else:
            broken = self._end(parts, who, run, effect.done) or broken
        return Move(who, what, ring.settled(parts), run, call, effect, broken=broken)

    def _failed(self, waits: Waiting, what: str, answer: int, left: Left) -> Move:
        """Let a call fail; if it timed out, it has its effect all the same."""
        state, who, run, call, effect = waits
        ring, parts = self.ring, list(state)
        parts[ring.tail + LEFT] = ring.put_left(left)
        broken = None
        if what == "timeout":
            broken = ring.call(parts, call, effect, self._caller(who, run))
        after = ring.runs.answered(run, answer)
        step = ring.runs.step(after)
        self._go_on(parts, who, after)
        if isinstance(step, Done):
            broken = self._end(parts, who, run, step) or broken
        return Move(who, what, ring.settled(parts), run, call, effect, broken=broken)

    def _caller(self, who: int, run: int) -> int:
        if who in (REDRIVER, AROUND):
            member: int = self.ring.pool.values[run][2]
            return member
        return who

    def _go_on(self, parts: list[int], who: int, run: int) -> None:
        tail = self.ring.tail
        if who == AROUND:
            parts[tail + OUT] = self.ring.detours.with_run(parts[tail + OUT], run)
        elif who >= 0:
            parts[who * WIDTH + RUN] = run
        else:
            parts[tail + (REDRIVE if who == REDRIVER else OPERATOR)] = run

    def _end(self, parts: list[int], who: int, run: int, done: Done) -> str | None:
        """End a run: a batch's records are read as far as it says, what is redriven is done."""
        pool, shelf = self.ring.pool, self.ring.tail + SHELF
        if who == AROUND:
            tail = self.ring.tail
            parts[tail + OUT] = self.ring.detours.advanced(parts[tail + OUT], done.read)
        else:
            self._go_on(parts, who, NONE)
        if who >= 0:
            self._advance(parts, who, done)
        elif who == REDRIVER and not done.failed:
            (record,) = pool.values[run][3]
            left = tuple(one for one in pool.list_of(parts[shelf]) if one != record)
            parts[shelf] = pool.put_list(left)
        if done.failed and done.failed not in _EXPECTED:
            return f"a mistake: {done.failed}"
        return None

    def _advance(self, parts: list[int], member: int, done: Done) -> None:
        at, tail, pool = member * WIDTH, self.ring.tail, self.ring.pool
        records = pool.list_of(parts[at + UNREAD])
        parts[at + UNREAD] = pool.put_list(records[done.read :])
        if parts[tail + OUT]:
            out = self.ring.detours.delivered(parts[tail + OUT], member, done.read)
            parts[tail + OUT] = out
        if self.scope.remembers:
            past = (*pool.list_of(parts[at + PAST]), *records[: done.read])
            parts[at + PAST] = pool.put_list(past)
        if done.quarantined:
            shelf = pool.list_of(parts[tail + SHELF])
            new = [records[place] for place in done.quarantined if records[place] not in shelf]
            parts[tail + SHELF] = pool.put_list((*shelf, *new))

    # -- what goes wrong with a run -----------------------------------------------------------

    def _trouble(self, waits: Waiting, left: Left) -> Iterator[Move]:
        """Yield what can go wrong with a call.

        A function that dies matters only right behind a call that had an effect: what it reads
        after that is forgotten, and until it runs again it is as if it stood still.
        """
        _, who, _, call, effect = waits
        fewer, faults = left._replace(faults=left.faults - 1), self.ring.faults[left.faults]
        if effect.changes and "crash" in faults:
            yield self._dies(waits, fewer)
        if effect.changes and "timeout" in faults:
            yield self._failed(waits, "timeout", self._throttled, fewer)
        if "throttle" in faults:
            yield self._failed(waits, "throttle", self._throttled, fewer)
        if "quarantine" in faults and who != OPERATING and _puts_an_item(call):
            yield self._failed(waits, "quarantine", self._too_large, fewer)
        if who >= 0 and effect.done is not None and "redelivery" in faults:
            for read in range(effect.done.read):
                part = effect._replace(done=replace(effect.done, read=read))
                yield self._with(self._called(waits._replace(effect=part), "redelivery"), fewer)

    def _dies(self, waits: Waiting, left: Left) -> Move:
        """Let the function die behind a call."""
        state, who, run, call, effect = waits
        ring, parts = self.ring, list(state)
        broken = ring.call(parts, call, effect, self._caller(who, run))
        if who == AROUND:
            parts[ring.tail + OUT] = ring.detours.advanced(parts[ring.tail + OUT], 0)
        else:
            self._go_on(parts, who, NONE)
        parts[ring.tail + LEFT] = ring.put_left(left)
        return Move(who, "crash", ring.settled(parts), run, call, effect, broken=broken)

    def _with(self, move: Move, left: Left) -> Move:
        parts = list(move.state)
        parts[self.ring.tail + LEFT] = self.ring.put_left(left)
        return move._replace(state=tuple(parts))

    def _starts_over(self, state: State, member: int) -> Iterator[Move]:
        """Let a mapping start over, from anywhere in its stream."""
        ring, at = self.ring, member * WIDTH
        past = ring.pool.list_of(state[at + PAST])
        left = ring.left(state)
        for position in range(len(past)):
            parts = list(state)
            unread = (*past[position:], *ring.pool.list_of(state[at + UNREAD]))
            parts[at + UNREAD] = ring.pool.put_list(unread)
            again = ring.detours.again(state[ring.tail + OUT], member, len(past) - position)
            parts[ring.tail + OUT] = again
            parts[at + PAST] = ring.pool.put_list(past[:position])
            parts[at + RUN] = NONE
            parts[ring.tail + LEFT] = ring.put_left(left._replace(faults=left.faults - 1))
            if not self.scope.late_replays:
                parts[ring.tail + WANTED] = self.others.to_stay(state)
            what = f"starts over {position}"
            yield Move(member, what, ring.settled(parts), member=member)


def _puts_an_item(call: Call) -> bool:
    """Whether a call puts more than a stub, which always fits."""
    return call.method == "put" and DELETED not in call.arguments[1]
