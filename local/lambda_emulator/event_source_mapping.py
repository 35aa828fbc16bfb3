"""An event source mapping that behaves like Lambda's for a DynamoDB stream.

`local.lambda_emulator.batching` decides what to deliver when; this module reads records, invokes
the function, and sends discarded batches to the failure destination. A mapping is one thread, at
any parallelization factor: a local function has one worker, so its lanes take turns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
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
from local.lambda_emulator.delayed_reader import DelayedReader
from local.lambda_emulator.events import event_of, partition_key, to_event_record
from local.lambda_emulator.mapping_stats import MappingObserver, Stats
from local.lambda_emulator.worker_process import FunctionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.lambda_emulator.failure_destination import FailureDestination
    from local.lambda_emulator.stream_reader import Reader

IDLE_SECONDS = 0.25
"""Interval between two polls of an empty stream: Lambda's base rate of 4 per second.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""
_READ_AHEAD = 10_000
_log = logging.getLogger(__name__)

Function = Callable[[Any], Any]
"""Called with an event. Returns the response, or raises `FunctionError`."""


class EventMapping:
    """Deliver the records of a stream to a function.

    `step` does one round of work; `start` repeats it in a thread until `close`. Times are in
    seconds; `now` returns the time since 1970.
    """

    def __init__(
        self,
        reader: Reader,
        function: Function,
        policy: Policy,
        destination: FailureDestination | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.observer = MappingObserver()
        self.reader = DelayedReader(reader, now)
        self._page: Sequence[Mapping[str, Any]] = ()
        """Records that were read but are not in their lanes yet."""
        self._function = function
        self._policy = policy
        self._destination = destination
        self._now = now
        self._lanes = [Lane(policy) for _ in range(policy.parallel)]
        self._stats = Stats()
        self._lock = threading.Lock()  # held during a round of work
        self._wake = threading.Event()
        self._ended = False
        self._paused = False
        self.lost = False  # its region is down
        self._enabled = True
        self._drained_at: float | None = None
        self._worked_at = 0.0
        self._thread: threading.Thread | None = None

    def step(self) -> bool:
        """Read new records and let each lane deliver a batch. Returns whether there was work."""
        with self._lock:
            if self.stopped_by:
                return False
            began = time.monotonic()
            try:
                read = self._read()
            finally:
                # Records that were already read are delivered even if the stream cannot be read.
                worked = [self._advance(lane) for lane in self._lanes]
            self._drained_at = None if read or self._stats.waiting else began
            return read or any(worked)

    def _read(self) -> bool:
        """Read new records into the lanes. Returns whether there were any."""
        if self._stats.waiting >= _READ_AHEAD:
            return False
        # A page is kept until all of it is in the lanes: the reader does not return it again.
        if not self._page:
            self._page = self.reader.read()
            if self._page:
                self.observer.polled(self._page)
        events = [to_event_record(record, self.reader.arn) for record in self._page]
        self._distribute(events)
        self._page = ()
        return bool(events)

    def _distribute(self, events: Sequence[Record]) -> None:
        """Add records to their lanes; records of one key share a lane, so they stay in order."""
        now = self._now()
        if len(self._lanes) == 1:
            self._lanes[0].add(events, now)
        else:
            keys = [partition_key(event, self.reader.partition_key) for event in events]
            for key, event in zip(keys, events, strict=True):
                self._lanes[crc32(key.encode()) % len(self._lanes)].add([event], now)
        self._update_waiting()

    def _advance(self, lane: Lane) -> bool:
        """Deliver or discard the lane's next batch. Returns whether there was one."""
        if self.lost:  # since this round began: nothing that runs in its region begins any more
            return False
        match lane.next(self._now()):
            case Batch() as batch:
                self._deliver(batch, lane)
            case AbandonedBatch() as abandoned:
                self._discard(abandoned, lane)
            case None:
                return False
        self._count(last_activity=self._now())
        self._update_waiting()
        self._worked_at = time.monotonic()
        return True

    def _deliver(self, batch: Batch, lane: Lane) -> None:
        failed_at = self._invoke(batch)
        stats = self._stats
        done = len(batch.records) if failed_at is None else failed_at
        self._count(batches=stats.batches + 1, records=stats.records + done)
        self.observer.delivered(batch.records[:done])
        if failed_at is None:
            lane.finished()
        else:
            lane.failed(failed_at, self._now())
            self._count(failures=stats.failures + 1)

    def _invoke(self, batch: Batch) -> int | None:
        """Invoke the function; return the index of the first failed record, or None."""
        age = max(0.0, self._now() - created_at(batch.records[-1]))
        self.observer.invoking(len(batch.records), age)
        try:
            response = self._function(event_of(batch.records))
        except FunctionError as error:
            _log.info("A batch of %d failed: %s", len(batch.records), error)
            self._count(result="PROBLEM: Function call failed")
            return 0
        self._count(result="OK")
        return first_failure(batch.records, response) if self._policy.reports_failures else None

    def _discard(self, abandoned: AbandonedBatch, lane: Lane) -> None:
        records = abandoned.batch.records
        if self._destination is not None:
            try:
                self._destination.take(abandoned, self._now())
            except Exception:
                self.observer.discarded(records, delivered=False)
                raise
            self.observer.discarded(records, delivered=True)
        lane.finished()
        self._count(given_up=self._stats.given_up + len(records))

    def _count(self, **changes: Any) -> None:
        self._stats = replace(self._stats, **changes)

    def _update_waiting(self) -> None:
        oldest = [*(lane.oldest for lane in self._lanes), self.reader.oldest]
        self._count(
            waiting=sum(lane.waiting for lane in self._lanes) + len(self.reader.held),
            oldest=min((when for when in oldest if when is not None), default=None),
        )

    def change(self, function: Function, policy: Policy) -> None:
        """Switch to another function and policy; returns when no invocation is running.

        Records that were read but are not done are delivered again, to the new function.
        """
        with self._lock:
            waiting = [record for lane in self._lanes for record in lane.records()]
            self._function = function
            self._policy = policy
            self._lanes = [Lane(policy) for _ in range(policy.parallel)]
            self._distribute(waiting)

    @property
    def source(self) -> str:
        """ARN of the stream."""
        return self.reader.arn

    def stats(self) -> Stats:
        """Return the current statistics."""
        return self._stats

    def start(self, idle: float = IDLE_SECONDS) -> None:
        """Deliver in a background thread that polls an empty stream every `idle` seconds.

        Does nothing if the thread is already running.
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
        """Do a round of work and catch its errors. Returns whether to go on at once."""
        try:
            worked = self.step()
        except Exception as error:
            _log.debug("A round of work failed.", exc_info=True)
            self._count(trouble=f"{type(error).__name__}: {error}")
            return False
        self._count(trouble=None)
        return worked

    def poll_now(self) -> None:
        """Poll the stream without waiting for the interval to end."""
        self._wake.set()

    def was_quiet_after(self, moment: float) -> bool | None:
        """Return whether there was nothing to do after a `moment` (of `time.monotonic`).

        True: the stream was polled since and found drained, and nothing was delivered since.
        False: something was delivered since. None: unknown yet.
        """
        # In this order, so that a delivery before the stream was found drained is not missed.
        drained_at = self._drained_at
        if self._worked_at > moment:
            return False
        return True if drained_at is not None and drained_at > moment else None

    def pause(self) -> None:
        """Stop delivering until `resume`. Returns when no invocation is running."""
        self._paused = True
        self.settle()

    def settle(self) -> None:
        """Wait for a running invocation to end."""
        with self._lock:
            self._drained_at = None

    def resume(self) -> None:
        """Continue delivering."""
        self._paused = False
        self._wake.set()

    def enable(self) -> None:
        """Continue where `disable` stopped."""
        self._enabled = True
        self._wake.set()

    def disable(self) -> None:
        """Stop delivering until `enable`, keeping the position in the stream."""
        self._enabled = False

    @property
    def stopped_by(self) -> str:
        """Why nothing is delivered: "deleted", "outage", "disabled" or "paused"; or nothing."""
        if self._ended:
            return "deleted"
        if self.lost:
            return "outage"
        if not self._enabled:
            return "disabled"
        return "paused" if self._paused else ""

    @property
    def state(self) -> str:
        """State by Lambda's names."""
        if self._enabled:
            return "Enabled"
        return "Disabling" if self._lock.locked() else "Disabled"

    @property
    def is_paused(self) -> bool:
        """Whether nothing is delivered."""
        return bool(self.stopped_by)

    def stop(self) -> None:
        """Stop delivering for good."""
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """Stop, and wait for a running invocation to end."""
        self.stop()
        if self._thread is not None:
            self._thread.join()
