"""A schedule in a form that a person can follow: every store call in a line, and as a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from handler.model.image import Item
from handler.store.dynamodb import Written
from tests.exhaust.asking import Call
from tests.exhaust.moves import Moves
from tests.exhaust.others import APPLICATION, AROUND, OPERATING, OUTSIDE, REDRIVER, Move
from tests.exhaust.rest import Rest
from tests.exhaust.ring import TOMB, UNREAD, WIDTH, Ring, State, answered
from tests.exhaust.scope import Scope
from tests.simulation.member import SimulatedStore
from tests.simulation.trace import TracedStore, format_item

_BY_NAME = {
    REDRIVER: "redrive",
    OPERATING: "operator",
    APPLICATION: "application",
    AROUND: "hop around",
}


@dataclass
class Story:
    """What happened, and how it ended."""

    lines: list[str] = field(default_factory=list)
    arrows: list[str] = field(default_factory=list)
    error: str | None = None

    def diagram(self) -> str:
        """Return the schedule as a sequence diagram in Mermaid, without what was only read."""
        return "\n".join(["sequenceDiagram", *(f"    {arrow}" for arrow in self.arrows)])


def story_of(scope: Scope, schedule: Sequence[int]) -> Story:
    """Play a schedule again, and write its story; names stay what they are.

    Raises:
        ValueError: a number of the schedule is none of a move.
    """
    return _Writer(scope).write(schedule)


class _Writer:
    def __init__(self, scope: Scope) -> None:
        self._ring = Ring(replace(scope, forgets=False), keeps_names=True)
        self._moves = Moves(self._ring)
        self._story = Story()
        members = [f"participant M{place} as region-{place}" for place in self._ring.members]
        hops = [
            f"participant H{place} as hop {place} to {(place + 1) % scope.members}"
            for place in self._ring.members
        ]
        pairs = [one for pair in zip(members, hops, strict=True) for one in pair]
        others = [actor for faults, actor in _ACTORS.items() if not faults.isdisjoint(scope.faults)]
        self._story.arrows += ["actor A as application", *pairs, *others]

    def write(self, schedule: Sequence[int]) -> Story:
        state = self._ring.first()
        for step, place in enumerate(schedule):
            moves = self._moves.all(state)
            if place >= len(moves):
                raise ValueError(f"step {step + 1} is {place}, and there are {len(moves)} moves")
            move = moves[place]
            self._add(state, move)
            state = move.state
            self._ring.use_up(state)
            self._story.error = move.broken
        if self._story.error is None and self._ring.is_at_rest(state):
            self._story.error = Rest(self._ring, self._moves).broken(state)
        self._story.lines += self._ending(state)
        if self._story.error is not None:
            error = self._story.error
            self._arrow(f"Note over M0: {error if len(error) < 80 else error.split(':')[0]}")
        return self._story

    def _add(self, state: State, move: Move) -> None:
        if move.who == APPLICATION:
            self._add_write(move)
        elif move.who == OUTSIDE or move.call is None:
            self._add_strike(move)
        else:
            self._add_call(state, move, move.call)

    def _add_write(self, move: Move) -> None:
        item = format_item(self._plain(move.state, move.member))
        second = self._ring.left(move.state).second
        when = f" in second {second}" if self._ring.scope.later else ""
        unread = self._ring.pool.list_of(move.state[move.member * WIDTH + UNREAD])
        number = self._ring.pool.values[unread[-1]][4] if unread and move.what != "hold" else None
        record = f", record #{number}" if number else ""
        self._line(f"application: {move.what} in region-{move.member}{when}: {item}{record}")
        new = "" if item == "nothing" else f": {_short(item)}"
        self._arrow(f"A->>M{move.member}: {move.what}{when}{new}")

    def _add_strike(self, move: Move) -> None:
        who = f"hop {move.who}" if move.who >= 0 else _BY_NAME.get(move.who, "")
        member = f" (region-{move.member})" if move.member >= 0 else ""
        what = "reads a record, and has nothing to do" if move.what == "reads" else move.what
        self._line(f"    {who}: {what}{member}" if who else f"{what}{member}")
        over = f"H{move.who}" if move.who >= 0 else f"M{max(move.member, 0)}"
        if move.what != "reads":
            self._arrow(f"Note over {over}: {what}{member}")

    def _add_call(self, state: State, move: Move, call: Call) -> None:
        lines: list[str] = []
        at = call.member * WIDTH
        member = self._ring.simulated(call, state[at], state[at + TOMB])
        store = TracedStore(SimulatedStore(member, keeps_tombstones=True), member, lines.append)
        answer = answered(store, call)
        what = lines[0].split(": ", 1)[1]
        who = f"hop {move.who}" if move.who >= 0 else _BY_NAME[move.who]
        self._line(f"    {who}: {what}{_FAULTS.get(move.what, '')}")
        if call.is_read and move.what not in _FAULTS:
            return
        actor = f"H{move.who}" if move.who >= 0 else "D" if move.who == AROUND else "O"
        asked = _short(what.split(": ")[0].removesuffix(f" in {member.name}"))
        self._arrow(f"{actor}->>M{call.member}: {asked}")
        self._arrow(f"M{call.member}-->>{actor}: {_answer(answer)}")
        if move.what in _FAULTS:
            self._arrow(f"Note over {actor}: {_FAULTS[move.what].strip(' ,')}")

    def _plain(self, state: State, member: int) -> Item | None:
        return self._ring.item(state, member)

    def _ending(self, state: State) -> list[str]:
        ends = [
            f"region-{place} has {format_item(self._plain(state, place))}"
            for place in self._ring.members
        ]
        return ["", *ends, *([self._story.error] if self._story.error else [])]

    def _line(self, text: str) -> None:
        self._story.lines.append(text)

    def _arrow(self, text: str) -> None:
        self._story.arrows.append(text.replace(";", ",").replace("#", "-"))


_ACTORS = {
    frozenset({"quarantine", "repair", "backfill", "empty"}): "actor O as operator",
    frozenset({"bypass"}): "participant D as hop around",
}
_FAULTS = {
    "crash": ", and the function dies",
    "timeout": ", and the answer is lost",
    "throttle": ", but is throttled, which has no effect",
    "quarantine": ", but the table refuses it as too large, and the record is quarantined",
    "redelivery": ", and what it has done is delivered again",
}


def _short(text: str) -> str:
    return text.replace(" of k0", "").replace("k0 ", "").replace("'", "")


def _answer(answer: Any) -> str:
    if isinstance(answer, Written):
        return "done"
    if answer is None:
        return "nothing"
    item = getattr(answer, "item", answer)
    item_text = _short(format_item(item)) if item is not None else "nothing there"
    return f"refused: {item_text}" if type(answer).__name__ == "Refusal" else item_text
