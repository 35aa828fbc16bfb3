"""The entry: Lambda calls ``handle`` with a batch of a table's stream, or for a heartbeat.

The way of the data: event -> records by key (batch) -> Changes, of writes in a row only one
(records, runs) -> what each calls for (decide), done at both ends (replicate, carry) -> their
Stores: a call is made again where it fails (patience), goes with those of other keys where it
can (batched, gather), and alone where it cannot (store), over connections that outlive the
invocation (direct, wire, signing, connections, answers), or by botocore's client (clients, keyed).
"""

import asyncio
import gc
import os
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

from handler.aws.api import DynamoDBApi
from handler.aws.clients import CALL_SECONDS, CONCURRENCY, make_api, make_client
from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.config import HopConfig
from handler.errors import is_transient
from handler.heartbeat import Heartbeat, is_heartbeat_event
from handler.log import log
from handler.metrics import BatchReporter
from handler.protocol.hop import Hop
from handler.quarantine import Quarantine, QuarantineLocation, S3Quarantine
from handler.retry import RetryBudget, RetryingQuarantine, RetryingStore
from handler.store.batching import BatchingStore
from handler.store.dynamodb import DynamoStore, MemberTables, Store

T = TypeVar("T")

_ANSWER_SECONDS = 2.0
"""For what is left to do when the last call has been answered."""


class MalformedEventError(Exception):
    """What the function was called with is no batch of a stream.

    Nothing of it is taken for done: Lambda calls again, and gives it to the failure destination in
    the end.
    """


class Context(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """How long until the function is stopped."""


def handle(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Replicate a batch, or write a beat; the answer names the records to be delivered again.

    Raises:
        MalformedEventError: the event is no batch of a stream.
    """
    if is_heartbeat_event(event):
        return _beat()
    function, records = _runtime(), _records(event)
    patience = RetryBudget(
        lambda: context.get_remaining_time_in_millis() / 1000,
        is_transient,
        reserve_seconds=CALL_SECONDS + _ANSWER_SECONDS,
        max_concurrency=CONCURRENCY,
    )
    hop = function.hop(patience)
    quarantine = RetryingQuarantine(function.quarantine, patience)
    with _gc_disabled():
        report = _run_in_loop(replicate_batch(records, BatchContext(hop, quarantine)))
    for line in function.teller.log_lines(len(records), report, patience, time.time()):
        log(line)
    return report.response()


def _beat() -> dict[str, list[dict[str, str]]]:
    """Write a beat, where the heart is on."""
    heart = _runtime().heart
    if heart is not None:
        _run_in_loop(heart.beat())
    return BatchReport().response()


def _run_in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Do something in the loop that the function's connections belong to."""
    runner = _runtime().runner
    try:
        return runner.run(work)
    except BaseException:
        # Nothing of it may go on in the next invocation. This ends it, and the connections as well.
        runner.close()
        _runtime.cache_clear()
        raise


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Let no garbage be looked for in a batch: nearly all of it lives until the end.

    Each look costs time for all that lives; and what has no circle in it goes at once in any case.
    A call that fails is an end to this: see ``Patience.call``.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class _Runtime:
    """What lives as long as the function's process."""

    settings: HopConfig
    runner: asyncio.Runner
    here: DynamoDBApi
    there: DynamoDBApi
    quarantine: Quarantine
    teller: BatchReporter
    heart: Heartbeat | None

    def hop(self, patience: RetryBudget) -> Hop:
        """The hop of one invocation."""
        source = self._store(self.here, self.settings.source, patience)
        target = self._store(self.there, self.settings.target, patience)
        return self.settings.hop(source, target)

    def _store(self, call: DynamoDBApi, tables: MemberTables, patience: RetryBudget) -> Store:
        make = BatchingStore if self.settings.batches else DynamoStore
        return RetryingStore(make(call, tables, gate=patience.limit), patience)


@cache
def _runtime() -> _Runtime:
    settings = HopConfig.read(os.environ)
    here, there = settings.source_replica, settings.target_replica
    pool = ThreadPoolExecutor(CONCURRENCY)
    shelf = QuarantineLocation(settings.quarantine, settings.name, here.table)
    here_call = make_api(here.region, pool, None, settings.http)
    heartbeat = settings.heartbeat
    return _Runtime(
        settings,
        # A loop of its own: the thread's is left as it is.
        asyncio.Runner(loop_factory=asyncio.new_event_loop),
        here=here_call,
        there=make_api(there.region, pool, settings.target_access, settings.http),
        quarantine=S3Quarantine(lambda: make_client("s3", here.region), pool, shelf),
        teller=BatchReporter(settings.name, settings.logs_items),
        heart=None if heartbeat is None else Heartbeat(here_call, here.table, heartbeat),
    )


def _records(event: Any) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise MalformedEventError(
            "the event has no list of Records, so it is no batch of a stream. Only the event "
            "source mapping of the hop should call this function."
        )
    return records
