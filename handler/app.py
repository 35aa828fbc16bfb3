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

from handler.aws.api import Call
from handler.aws.clients import CALL_SECONDS, CONCURRENCY, make_call, make_client
from handler.batch import Report, Work, replicate_batch
from handler.config import Settings
from handler.errors import passes
from handler.heartbeat import Heart, is_call
from handler.log import log
from handler.metrics import Teller
from handler.protocol.replicate import Hop
from handler.quarantine import BucketQuarantine, Quarantine, Shelf
from handler.retry import Patience, PatientQuarantine, PatientStore
from handler.store.batching import BatchedStore
from handler.store.dynamodb import DynamoStore, Store, Tables

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
    if is_call(event):
        return _beat()
    function, records = _function(), _records(event)
    patience = Patience(
        lambda: context.get_remaining_time_in_millis() / 1000,
        passes,
        reserve=CALL_SECONDS + _ANSWER_SECONDS,
        at_once=CONCURRENCY,
    )
    hop = function.hop(patience)
    quarantine = PatientQuarantine(function.quarantine, patience)
    with _nothing_collected():
        report = _wait_for(replicate_batch(records, Work(hop, quarantine)))
    for line in function.teller.lines(len(records), report, patience, time.time()):
        log(line)
    return report.response()


def _beat() -> dict[str, list[dict[str, str]]]:
    """Write a beat, where the heart is on."""
    heart = _function().heart
    if heart is not None:
        _wait_for(heart.beat())
    return Report().response()


def _wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Do something in the loop that the function's connections belong to."""
    runner = _function().runner
    try:
        return runner.run(work)
    except BaseException:
        # Nothing of it may go on in the next invocation. This ends it, and the connections as well.
        runner.close()
        _function.cache_clear()
        raise


@contextmanager
def _nothing_collected() -> Iterator[None]:
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
class _Function:
    """What lives as long as the function's process."""

    settings: Settings
    runner: asyncio.Runner
    here: Call
    there: Call
    quarantine: Quarantine
    teller: Teller
    heart: Heart | None

    def hop(self, patience: Patience) -> Hop:
        """The hop of one invocation."""
        source = self._store(self.here, self.settings.source, patience)
        target = self._store(self.there, self.settings.target, patience)
        return self.settings.hop(source, target)

    def _store(self, call: Call, tables: Tables, patience: Patience) -> Store:
        make = BatchedStore if self.settings.batches else DynamoStore
        return PatientStore(make(call, tables, through=patience.request), patience)


@cache
def _function() -> _Function:
    settings = Settings.read(os.environ)
    here, there = settings.here, settings.there
    pool = ThreadPoolExecutor(CONCURRENCY)
    shelf = Shelf(settings.quarantine, settings.name, here.table)
    here_call = make_call(here.region, pool, None, settings.http)
    heartbeat = settings.heartbeat
    return _Function(
        settings,
        # A loop of its own: the thread's is left as it is.
        asyncio.Runner(loop_factory=asyncio.new_event_loop),
        here=here_call,
        there=make_call(there.region, pool, settings.target_access, settings.http),
        quarantine=BucketQuarantine(lambda: make_client("s3", here.region), pool, shelf),
        teller=Teller(settings.name, settings.logs_items),
        heart=None if heartbeat is None else Heart(here_call, here.table, heartbeat),
    )


def _records(event: Any) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise MalformedEventError(
            "the event has no list of Records, so it is no batch of a stream. Only the event "
            "source mapping of the hop should call this function."
        )
    return records
