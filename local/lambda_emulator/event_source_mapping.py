"""An event source mapping that behaves as Lambda's does for a DynamoDB stream.

What to deliver when is decided in `local.lambda_emulator.batching`; here records are read, the
function is called, and what is given up goes to its destination. A mapping is one thread, whatever
its parallelisation factor: a local function has one worker, so its lanes take turns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from local.lambda_emulator.batching import (
    AbandonedBatch,
    Batch,
    Lane,
    Policy,
    Record,
    created_at,
    first_failure,
)
from local.lambda_emulator.events import event_of, partition_key, to_event_record
from local.lambda_emulator.function import FunctionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.lambda_emulator.failure_destination import FailureDestination

IDLE_SECONDS = 0.25
"""Between two looks at a stream where there was nothing: Lambda's base rate of 4 a second.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""
_READ_AHEAD = 10_000
_log = logging.getLogger(__name__)

Function = Callable[[Any], Any]
"""Called with an event. Returns the answer, or raises `FunctionError`."""


class Reader(Protocol):
    """Reads a stream's records in order, each once (see `local.lambda_emulator.stream_reader`)."""

    arn: str
    partition_key: str

    def read(self) -> Sequence[Mapping[str, Any]]:
        """Return the next records, or none."""


class Watcher:
    """Is told what a mapping does; this one lets it pass."""

    def polled(self, records: int) -> None:
        """Take in that so many records were read."""

    def invoking(self, records: int, age: float) -> None:
        """Take in that the function is invoked; `age` is the last record's, in seconds."""

    def given_up(self, records: int, *, delivered: bool) -> None:
        """Take in that records were given up, and whether the destination has them."""


@dataclass(frozen=True)
class Stats:
    """What a mapping did so far. Times are in seconds since 1970.

    `batches` counts the invocations and `failures` those that delivered less than everything;
    `records` counts the records delivered and `given_up` those that never will be. `waiting` were
    read and are not done; the first of them was created at `oldest`. `trouble` is the last error
    of the mapping itself, until it works again. `result` is how the last invocation ended.
    """

    batches: int = 0
    records: int = 0
    failures: int = 0
    given_up: int = 0
    last_activity: float | None = None
    waiting: int = 0
    oldest: float | None = None
    trouble: str | None = None
    result: str = "No records processed"


class EventMapping:
    """Delivers the records of a stream to a function.

    `step` does one round of work and is all that a test with a clock of its own needs; `start`
    goes round in a thread until `close`. Times are in seconds; `now` tells the time of day.
    """

    def __init__(
        self,
        reader: Reader,
        function: Function,
        policy: Policy,
        destination: FailureDestination | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.watcher = Watcher()
        self._reader = reader
        self._page: Sequence[Mapping[str, Any]] = ()
        """Records that were read and are not in their lanes yet."""
        self._function = function
        self._policy = policy
        self._destination = destination
        self._now = now
        self._lanes = [Lane(policy) for _ in range(policy.parallel)]
        self._stats = Stats()
        self._lock = threading.Lock()  # held while a round of work is done
        self._wake = threading.Event()
        self._ended = False
        self._paused = False
        self._enabled = True
        self._drained_at: float | None = None
        self._worked_at = 0.0
        self._thread: threading.Thread | None = None

    def step(self) -> bool:
        """Read what is new and let each lane deliver a batch. Tells whether there was any work."""
        with self._lock:
            if self.rest:
                return False
            began = time.monotonic()
            try:
                read = self._read()
            finally:
                # A stream that cannot be read holds up nothing that was read from it before.
                worked = [self._advance(lane) for lane in self._lanes]
            self._drained_at = None if read or self._stats.waiting else began
            return read or any(worked)

    def _read(self) -> bool:
        """Take new records in. Tells whether there were any."""
        if self._stats.waiting >= _READ_AHEAD:
            return False
        # The reader has gone on: should a record be none that can be handed over, all are kept.
        if not self._page:
            self._page = self._reader.read()
            if self._page:
                self.watcher.polled(len(self._page))
        events = [to_event_record(record, self._reader.arn) for record in self._page]
        self._hand_over(events)
        self._page = ()
        return bool(events)

    def _hand_over(self, events: Sequence[Record]) -> None:
        """Put records into their lanes."""
        # Records of one key share a lane, so they stay in order.
        keys = [partition_key(event, self._reader.partition_key) for event in events]
        now = self._now()
        for key, event in zip(keys, events, strict=True):
            self._lanes[crc32(key.encode()) % len(self._lanes)].add([event], now)
        self._measure()

    def _advance(self, lane: Lane) -> bool:
        """Deliver or give up the lane's next batch. Tells whether there was one."""
        match lane.next(self._now()):
            case Batch() as batch:
                self._deliver(batch, lane)
            case AbandonedBatch() as given_up:
                self._give_up(given_up, lane)
            case None:
                return False
        self._count(last_activity=self._now())
        self._measure()
        self._worked_at = time.monotonic()
        return True

    def _deliver(self, batch: Batch, lane: Lane) -> None:
        failed_at = self._invoke(batch)
        stats = self._stats
        done = len(batch.records) if failed_at is None else failed_at
        self._count(batches=stats.batches + 1, records=stats.records + done)
        if failed_at is None:
            lane.finished()
        else:
            lane.failed(failed_at, self._now())
            self._count(failures=stats.failures + 1)

    def _invoke(self, batch: Batch) -> int | None:
        """Return where the batch failed, or None."""
        age = max(0.0, self._now() - created_at(batch.records[-1]))
        self.watcher.invoking(len(batch.records), age)
        try:
            answer = self._function(event_of(batch.records))
        except FunctionError as error:
            _log.info("A batch of %d failed: %s", len(batch.records), error)
            self._count(result="PROBLEM: Function call failed")
            return 0
        self._count(result="OK")
        return first_failure(batch.records, answer) if self._policy.reports_failures else None

    def _give_up(self, given_up: AbandonedBatch, lane: Lane) -> None:
        records = len(given_up.batch.records)
        if self._destination is not None:
            try:
                self._destination.take(given_up, self._now())
            except Exception:
                self.watcher.given_up(records, delivered=False)
                raise
            self.watcher.given_up(records, delivered=True)
        lane.finished()
        self._count(given_up=self._stats.given_up + records)

    def _count(self, **changes: Any) -> None:
        self._stats = replace(self._stats, **changes)

    def _measure(self) -> None:
        oldest = [lane.oldest for lane in self._lanes]
        self._count(
            waiting=sum(lane.waiting for lane in self._lanes),
            oldest=min((when for when in oldest if when is not None), default=None),
        )

    def change(self, function: Function, policy: Policy) -> None:
        """Deliver to a function by a policy from now on; returns when no invocation is running.

        What was read and is not done is delivered anew.
        """
        with self._lock:
            waiting = [record for lane in self._lanes for record in lane.records()]
            self._function = function
            self._policy = policy
            self._lanes = [Lane(policy) for _ in range(policy.parallel)]
            self._hand_over(waiting)

    @property
    def source(self) -> str:
        """The ARN of the stream that it reads."""
        return self._reader.arn

    def stats(self) -> Stats:
        """Return what was done so far and what is waiting."""
        return self._stats

    def start(self, idle: float = IDLE_SECONDS) -> None:
        """Deliver in a thread of its own, looking for new records every `idle` seconds.

        One that was started is left as it is.
        """
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, args=(idle,), name="mapping", daemon=True)
        self._thread.start()

    def _run(self, idle: float) -> None:
        while not self._ended:
            if not self._try_step():
                self._wake.wait(idle)
                self._wake.clear()

    def _try_step(self) -> bool:
        """Do a round of work that must not end the thread. Tells whether to go on at once."""
        try:
            worked = self.step()
        except Exception as error:
            _log.debug("A round of work failed.", exc_info=True)
            self._count(trouble=f"{type(error).__name__}: {error}")
            return False
        self._count(trouble=None)
        return worked

    def look(self) -> None:
        """Look at the stream now rather than when it is time."""
        self._wake.set()

    def was_quiet_after(self, moment: float) -> bool | None:
        """Tell whether there was nothing to do after a `moment` (of `time.monotonic`).

        True: the stream was looked at since, was drained, and nothing was delivered since.
        False: something was delivered since. None: it is not known yet.
        """
        # In this order: whatever was delivered before the stream was found drained is seen.
        drained_at = self._drained_at
        if self._worked_at > moment:
            return False
        return True if drained_at is not None and drained_at > moment else None

    def pause(self) -> None:
        """Deliver nothing until `resume`. Returns when no invocation is running."""
        self._paused = True
        self.settle()

    def settle(self) -> None:
        """Wait for the invocation that is running, if there is one."""
        with self._lock:
            self._drained_at = None

    def resume(self) -> None:
        """Deliver again."""
        self._paused = False
        self._wake.set()

    def enable(self) -> None:
        """Go on where `disable` stopped."""
        self._enabled = True
        self._wake.set()

    def disable(self) -> None:
        """Begin no further round of work until `enable`, and keep the place in the stream."""
        self._enabled = False

    @property
    def rest(self) -> str:
        """Why nothing is delivered: deleted, disabled or paused; empty if it is."""
        if self._ended:
            return "deleted"
        if not self._enabled:
            return "disabled"
        return "paused" if self._paused else ""

    @property
    def state(self) -> str:
        """Its state, as Lambda names it."""
        if self._enabled:
            return "Enabled"
        return "Disabling" if self._lock.locked() else "Disabled"

    @property
    def is_paused(self) -> bool:
        """Whether it was told to deliver nothing."""
        return bool(self.rest)

    def stop(self) -> None:
        """Begin no further round of work, ever."""
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """Stop, and wait for the invocation that is running."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
