"""Every state of a scope, once, by breadth: the first failure of a kind has a shortest schedule."""

from __future__ import annotations

import struct
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from resource import RUSAGE_SELF, getrusage

from tests.exhaust.graph import Graph
from tests.exhaust.moves import Moves
from tests.exhaust.others import Move
from tests.exhaust.reduction import Reduction
from tests.exhaust.rest import Rest
from tests.exhaust.ring import Ring, State
from tests.exhaust.scope import Scope
from tests.exhaust.visited import Visited

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

    most_states: int = 100_000_000
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
        self._visited = Visited()
        self._waiting: deque[bytes] = deque()
        """States whose followers are not known yet, in the order of their numbers."""
        self._parents = array("I")
        self.states_at_rest: list[State] = []
        """All states in which nobody has anything to do."""
        self._graph = Graph()
        self._kinds: set[str] = set()
        self.result = Result(scope)

    def run(
        self, bounds: Bounds = Bounds(), on_progress: Callable[[Result, int], None] | None = None
    ) -> Result:
        """Run the scope to its end, or to its bounds.

        Args:
            bounds: when to stop before that.
            on_progress: is called with the result so far, and how many states wait.
        """
        begun, result = time.monotonic(), self.result
        self._number(self.ring.first(), 0)
        at = 0
        while self._waiting:
            if bounds.first_failure and result.failures:
                break
            if at % _LOOK_EVERY == 0:
                result.seconds = time.monotonic() - begun
                if on_progress is not None:
                    on_progress(result, len(self._waiting))
                if bounds.should_stop() or result.seconds > bounds.seconds:
                    break
                if len(self._visited) > bounds.most_states:
                    break
            self._expand(at, self._pack.unpack(self._waiting.popleft()))
            at += 1
        else:
            result.is_whole = True
            for error, state in self._graph.circles():
                self._fail(error, state)
        result.states, result.seconds = len(self._visited), time.monotonic() - begun
        result.peak_megabytes = getrusage(RUSAGE_SELF).ru_maxrss // _KILOBYTES
        return result

    def _expand(self, at: int, state: State) -> None:
        if self.ring.is_at_rest(state):
            self.result.at_rest += 1
            self.states_at_rest.append(state)
            error = self.rest.broken(state)
            if error is not None:
                self._fail(error, at)
                self._graph.add(())
                return
        hops = self.moves.of_hops(state)
        moves = None
        if self._reduction is not None:
            moves = self._reduction.few(state, hops, partial(self.moves.of_redrive, state))
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
        number = self._visited.number(key)
        if number == len(self._parents):
            self._parents.append(parent)
            self._waiting.append(key)
        return number

    def _fail(self, error: str, at: int, last: Move | None = None) -> None:
        """Note the first failure of a kind, with its schedule."""
        kind = error.split(":", maxsplit=1)[0]
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        self.result.failures.append(Failure(error, tuple(self._schedule(at, last)), self.scope))

    def _schedule(self, at: int, last: Move | None) -> list[int]:
        path = [at]
        while path[-1]:
            path.append(self._parents[path[-1]])
        state, places = self.ring.first(), []
        for number in path[-2::-1]:
            place, move = self._move_to(number, state)
            places.append(place)
            state = move.state
        if last is not None:
            moves = self.moves.all(state)
            same = ((move.state, move.broken) == (last.state, last.broken) for move in moves)
            places.append(next(place for place, is_last in enumerate(same) if is_last))
        return places

    def _move_to(self, number: int, state: State) -> tuple[int, Move]:
        """Return the move that leads from a state to the one of this number, and its place."""
        return next(
            (place, move)
            for place, move in enumerate(self.moves.all(state))
            if move.broken is None and self._visited.is_state(number, self._pack.pack(*move.state))
        )
