"""Every decision of a run comes from here, so that a run can be replayed and made shorter."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """A source of decisions: drawn under a seed, or played back from a list.

    A list that is too short goes on with zeros, and every use takes zero for the plainest
    choice; so any list is a run, and cutting pieces out of one makes simpler runs.
    """

    def __init__(self, seed: int | None = None, replay: Sequence[int] = ()) -> None:
        self._random = None if seed is None else random.Random(seed)
        self._replay = iter(replay)
        self.made: list[int] = []

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        if self._random is not None:
            made = int(self._random.random() * n)
        else:
            made = min(next(self._replay, 0), n - 1)
        self.made.append(made)
        return made

    def one_of(self, options: Sequence[T]) -> T:
        """One of the options; the first is the plainest."""
        return options[self.below(len(options))]

    def one_in(self, n: int) -> bool:
        """Yes, once in n times; never where n is 0."""
        return n > 0 and self.below(n) == n - 1

    def some_of(self, options: Sequence[T]) -> list[T]:
        """About half of the options; none of them is the plainest."""
        return [option for option in options if self.below(2)]
