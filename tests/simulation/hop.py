"""A hop of the simulated ring: the real handler over a stream, one step at a time."""

from collections.abc import Awaitable, Coroutine, Generator, Iterable
from typing import Any, NamedTuple

from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.model.records import Record
from handler.protocol.hop import Hop
from tests.simulation.choices import Choices
from tests.simulation.member import Member, Turn
from tests.simulation.redrive import Shelf, ShelfOf
from tests.simulation.siblings import Siblings


class _Together:
    """What ``concurrently`` awaits: the scheduler runs the keys of a batch side by side."""

    def __init__(self, work: Iterable[Awaitable[None]]) -> None:
        self.work = list(work)

    def __await__(self) -> Generator["_Together", None, None]:
        yield self


class Kept(NamedTuple):
    """Quarantine and log of all hops of a run."""

    shelf: Shelf
    siblings: Siblings


class Mapping:
    """Feeds a member's stream to the handler, as Lambda's event source mapping does."""

    def __init__(
        self, source: Member, hop: Hop, choices: Choices, batch_size: int, kept: Kept
    ) -> None:
        self.hop = hop
        self.source = source
        self.position = 0
        """How many records of the stream are done with."""
        self.still_until = 0
        """The world's step up to which this hop stands still."""
        self.loses_answer = False
        """Whether the function's next response is lost."""
        self._choices = choices
        self._batch_size = batch_size
        self._work = BatchContext(hop, ShelfOf(hop, kept.shelf))
        self._siblings = kept.siblings
        self._batch: list[Record] = []
        self._invocation: Coroutine[Any, None, BatchReport] | None = None
        self._keys: list[Coroutine[Any, None, None]] = []

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._invocation is None and self.position == len(self.source.stream)

    def step(self) -> None:
        """Start an invocation, or take one key of it to its next store call."""
        if self._invocation is None:
            self._start()
            return
        key = self._keys[self._choices.below(len(self._keys)) if len(self._keys) > 1 else 0]
        self._advance(key)
        if not self._keys:
            self._finish()

    def crash(self) -> None:
        """The function dies where it stands; what it was given will be delivered again."""
        if self._invocation is not None:
            for key in self._keys:
                key.close()
            self._invocation.close()
            self._invocation, self._keys = None, []

    def start_over(self, at: int) -> None:
        """Deliver again from a place in the stream: at most once is promised by nobody."""
        self.crash()
        self.position = min(self.position, max(at, self.source.horizon))

    def restart_at_end(self) -> None:
        """Start at the end: the stream was replaced, and its unread records are lost."""
        self.crash()
        self.position = len(self.source.stream)

    def lose_next(self) -> bool:
        """Pass over the next record, if one waits and none is being worked on."""
        if self._invocation is not None or self.is_idle:
            return False
        self.position += 1
        return True

    def _start(self) -> None:
        size = 1 + self._choices.below(self._batch_size)
        self._batch = list(self.source.stream[self.position : self.position + size])
        self._invocation = replicate_batch(self._batch, self._work, _Together)
        together = self._invocation.send(None)
        assert isinstance(together, _Together)
        self._keys = list(together.work)  # type: ignore[arg-type]
        for key in list(self._keys):  # each up to its first store call
            self._advance(key)
        if not self._keys:
            self._finish()

    def _advance(self, key: Coroutine[Any, None, None]) -> None:
        try:
            awaited = key.send(None)
            assert isinstance(awaited, Turn)
        except StopIteration:
            self._keys.remove(key)

    def _finish(self) -> None:
        assert self._invocation is not None
        try:
            self._invocation.send(None)
        except StopIteration as stop:
            self._siblings.report(stop.value.conflicts)
            failed = [int(f["itemIdentifier"]) for f in stop.value.response()["batchItemFailures"]]
            done = min(failed) - 1 - self.position if failed else len(self._batch)
            if self.loses_answer:
                done = self._choices.below(done + 1)
            self.position += done
        self._invocation, self.loses_answer = None, False
