"""Every state of a scope, once, by breadth: the first failure of a kind has a shortest schedule."""

from __future__ import annotations

import struct
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from resource import RUSAGE_SELF, getrusage

from tests.exhaust.graph import Graph
from tests.exhaust.moves import Moves
from tests.exhaust.others import Move
from tests.exhaust.reduction import Reduction
from tests.exhaust.rest import Rest
from tests.exhaust.ring import Ring, State
from tests.exhaust.scope import Scope

_LOOK_EVERY = 2_000
_KILOBYTES = 1024 * 1024 if sys.platform == "darwin" else 1024
"""What the system's unit of memory is, against a megabyte."""


@dataclass(frozen=True)
class Failure:
    """A promise that was broken, and the shortest schedule to it."""

    error: str
    schedule: tuple[int, ...]
    """Which of its moves each state goes on by."""
    scope: Scope

    @property
    def kind(self) -> str:
        """Which promise it was."""
        return self.error.split(":", maxsplit=1)[0]


@dataclass
class Result:
    """What a scope came to."""

    scope: Scope
    states: int = 0
    moves: int = 0
    at_rest: int = 0
    seconds: float = 0.0
    peak_megabytes: int = 0
    """The most memory that the process has had so far."""
    is_whole: bool = False
    """Whether the scope was run to its end."""
    failures: list[Failure] = field(default_factory=list)
    """The first of each kind."""


def _never() -> bool:
    """Never stop. No lambda: the bounds are sent to other processes."""
    return False


@dataclass(frozen=True)
class Bounds:
    """When to stop before the end of a scope."""

    most_states: int = 30_000_000
    seconds: float = float("inf")
    first_failure: bool = False
    should_stop: Callable[[], bool] = _never


class Search:
    """Looks at all states that a scope has."""

    def __init__(self, scope: Scope, *, reduced: bool = True) -> None:
        self.scope = scope
        self.ring = Ring(scope)
        self.moves = Moves(self.ring)
        self.rest = Rest(self.ring, self.moves)
        self._reduction = Reduction(self.ring) if reduced else None
        self._pack = struct.Struct(f"{len(self.ring.first())}I")
        self._index: dict[bytes, int] = {}
        self._keys: list[bytes] = []
        self._parents = array("I")
        self._graph = Graph()
        self._kinds: set[str] = set()
        self.result = Result(scope)

    def run(
        self, bounds: Bounds = Bounds(), on_progress: Callable[[Result, int], None] | None = None
    ) -> Result:
        """Run the scope to its end, or to its bounds.

        Args:
            bounds: when to stop before that.
            on_progress: is told of the result so far, and how many states wait.
        """
        begun, result = time.monotonic(), self.result
        self._number(self.ring.first(), 0)
        at = 0
        while at < len(self._keys):
            if bounds.first_failure and result.failures:
                break
            if at % _LOOK_EVERY == 0:
                result.seconds = time.monotonic() - begun
                if on_progress is not None:
                    on_progress(result, len(self._keys) - at)
                if bounds.should_stop() or result.seconds > bounds.seconds:
                    break
                if len(self._keys) > bounds.most_states:
                    break
            self._expand(at)
            at += 1
        else:
            result.is_whole = True
            for error, state in self._graph.circles():
                self._fail(error, state)
        result.states, result.seconds = len(self._keys), time.monotonic() - begun
        result.peak_megabytes = getrusage(RUSAGE_SELF).ru_maxrss // _KILOBYTES
        return result

    def state(self, at: int) -> State:
        """Return a state by its number."""
        return self._pack.unpack(self._keys[at])

    def states_at_rest(self) -> set[State]:
        """Return all states in which nobody has anything to do."""
        states = (self.state(at) for at in range(len(self._keys)))
        return {state for state in states if self.ring.is_at_rest(state)}

    def _expand(self, at: int) -> None:
        state = self._pack.unpack(self._keys[at])
        if self.ring.is_at_rest(state):
            self.result.at_rest += 1
            error = self.rest.broken(state)
            if error is not None:
                self._fail(error, at)
                self._graph.add(())
                return
        hops = self.moves.of_hops(state)
        moves = None if self._reduction is None else self._reduction.few(state, hops)
        followers = None if moves is None else self._follow(at, moves)
        if followers is None or all(one <= at for one in followers):
            moves = self.moves.all(state, hops)
            followers = self._follow(at, moves)
            if not moves and not self.ring.is_at_rest(state):
                self._fail("stuck: somebody has something to do, and cannot", at)
        self._graph.add(followers)

    def _follow(self, at: int, moves: list[Move]) -> list[int]:
        """Return the numbers of the states that moves lead to."""
        self.result.moves += len(moves)
        followers = []
        for move in moves:
            if move.broken is not None:
                self._fail(move.broken, at, move)
            else:
                followers.append(self._number(move.state, at))
        return followers

    def _number(self, state: State, parent: int) -> int:
        key = self._pack.pack(*state)
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self._keys)
            self._keys.append(key)
            self._parents.append(parent)
        return found

    def _fail(self, error: str, at: int, last: Move | None = None) -> None:
        """Note the first failure of a kind, with its schedule."""
        kind = error.split(":", maxsplit=1)[0]
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        self.result.failures.append(Failure(error, tuple(self._schedule(at, last)), self.scope))

    def _schedule(self, at: int, last: Move | None) -> list[int]:
        places = []
        if last is not None:
            places.append(self._place(at, last.state, last.broken))
        while at:
            parent = self._parents[at]
            places.append(self._place(parent, self.state(at), None))
            at = parent
        return places[::-1]

    def _place(self, at: int, state: State, broken: str | None) -> int:
        moves = self.moves.all(self.state(at))
        return next(
            place
            for place, move in enumerate(moves)
            if move.state == state and move.broken == broken
        )
