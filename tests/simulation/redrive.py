"""Records that hops quarantined, and an operator who redrives them while the ring runs."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from handler.model.records import Record, read_change
from handler.protocol.apply import ContendedError
from handler.protocol.hop import Hop
from handler.protocol.replay import replay
from handler.quarantine import QuarantinedRecord
from handler.store.dynamodb import ItemTooLargeError
from tests.simulation.choices import Choices


@dataclass
class Shelf:
    """Quarantined records that were not redriven yet, each with its hop."""

    lost: list[tuple[Hop, Record]] = field(default_factory=list)


@dataclass(frozen=True)
class ShelfOf:
    """A hop's Quarantine. Keeping a record twice is the same as once."""

    hop: Hop
    shelf: Shelf

    async def put(self, lost: QuarantinedRecord) -> None:
        if (self.hop, lost.record) not in self.shelf.lost:
            self.shelf.lost.append((self.hop, lost.record))


class Redrive:
    """Plays one record after the other, in any order; its calls lie between those of the hops."""

    def __init__(self, shelf: Shelf, choices: Choices) -> None:
        self._shelf = shelf
        self._choices = choices
        self._played: tuple[Hop, Record] | None = None
        self._work: Coroutine[Any, Any, Any] | None = None
        self.wanted = 0
        """How many records are yet to be played."""
        self.still_until = 0
        self.loses_answer = False

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._work is None and not (self.wanted and self._shelf.lost)

    def step(self) -> None:
        """Begin with a record, or go on to the next store call."""
        if self._work is None:
            lost = self._shelf.lost
            self._played = hop, record = lost[self._choices.below(len(lost))]
            self._work = replay(read_change(record), hop)
        try:
            self._work.send(None)
        except StopIteration:
            if self._played in self._shelf.lost:
                self._shelf.lost.remove(self._played)
        except (OSError, ItemTooLargeError, ContendedError):
            pass  # it stays where it is
        else:
            return
        self._work = None
        self.wanted -= 1
