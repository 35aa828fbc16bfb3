"""The states of a scope and what leads from one to the next: nothing may go in a circle."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence


class Graph:
    """What follows each state, in the order of the states' numbers.

    Where there is no circle, every schedule ends. It ends in a state from which nothing leads on,
    and the search sees to it that nobody has anything to do there; so a state at rest can be
    reached from everywhere, and nothing circulates.
    """

    def __init__(self) -> None:
        self._from = array("Q", [0])
        self._to = array("I")

    def add(self, followers: Sequence[int]) -> None:
        """Add what follows the next state."""
        self._to.extend(followers)
        self._from.append(len(self._to))

    def followers(self, state: int) -> array[int]:
        """Return what follows a state."""
        return self._to[self._from[state] : self._from[state + 1]]

    def circles(self) -> Iterator[tuple[str, int]]:
        """Yield the first state of a circle, if there is one.

        States that nothing leads to are taken away, until none is left, or only circles and what
        they lead to.
        """
        count = len(self._from) - 1
        leading = array("I", bytes(4 * count))
        for to in self._to:
            leading[to] += 1
        free = [state for state in range(count) if not leading[state]]
        gone = 0
        while free:
            gone += 1
            for to in self.followers(free.pop()):
                leading[to] -= 1
                if not leading[to]:
                    free.append(to)
        if gone < count:
            left = (state for state in range(count) if leading[state])
            at = next(state for state in left if self._comes_back(state))
            yield "something circulates: this state comes again and again", at

    def _comes_back(self, state: int) -> bool:
        seen: set[int] = set()
        todo = [*self.followers(state)]
        while todo:
            at = todo.pop()
            if at == state:
                return True
            if at not in seen:
                seen.add(at)
                todo += self.followers(at)
        return False
