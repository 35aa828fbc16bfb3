"""Entry point: Lambda calls ``handle`` with a batch of a table's stream, or for a heartbeat.

From the event to the table, by module:

- ``batch`` checks the records (``envelope``), groups them by key, and reports failures
  (``errors``);
- ``model.records`` parses each into a change, and ``protocol.coalesce`` merges consecutive writes;
- ``protocol.replicate`` decides on a change and applies it (``protocol.decide``, ``.apply``);
- ``store.batching`` combines calls of many keys, ``store.dynamodb`` makes them one by one, and
  ``retry`` repeats those that fail with transient errors;
- ``aws.http_client`` sends them on connections that outlive the invocation, or ``aws.clients``
  has botocore's client send them.
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
from handler.aws.clients import (
    CALL_SECONDS,
    CONCURRENCY,
    make_api,
    make_client,
    max_concurrency,
)
from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.config import HopConfig
from handler.errors import is_transient
from handler.event_loop import MeteredSelector, make_runner
from handler.heartbeat import Heartbeat, is_heartbeat_event
from handler.log import log
from handler.metrics import BatchReporter
from handler.protocol.hop import Hop
from handler.quarantine import Quarantine, QuarantineLocation, S3Quarantine
from handler.retry import RetryBudget, RetryingQuarantine, RetryingStore
from handler.store.batching import BatchingStore
from handler.store.dynamodb import DynamoStore, MemberTables, Store

T = TypeVar("T")

_RESPONSE_SECONDS = 2.0
"""Time for the function's own work after the last response."""


class MalformedEventError(Exception):
    """An event that is no batch of a stream.

    No record counts as done: Lambda retries, and in the end sends it to the failure destination.
    """


class Context(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is stopped."""


def handle(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Replicate a batch, or write a heartbeat.

    Args:
        event: a batch of stream records, or ``{"beat": ...}``.
        context: Lambda's.

    Returns:
        Lambda's partial batch response, which names the records to be delivered again.

    Raises:
        MalformedEventError: the event is no batch of a stream.
        HopConfigError: the function's environment is invalid.
    """
    if is_heartbeat_event(event):
        return _write_heartbeat()
    runtime, records = _runtime(), _records(event)
    budget = RetryBudget(
        lambda: context.get_remaining_time_in_millis() / 1000,
        is_transient,
        reserve_seconds=CALL_SECONDS + _RESPONSE_SECONDS,
        max_concurrency=max_concurrency(runtime.source_api, runtime.target_api),
    )
    budget.idle_seconds = lambda: runtime.selector.idle_seconds
    hop = runtime.hop(budget)
    quarantine = RetryingQuarantine(runtime.quarantine, budget)
    with _gc_disabled():
        report = _run_in_loop(replicate_batch(records, BatchContext(hop, quarantine)))
    for line in runtime.reporter.log_lines(len(records), report, budget, time.time()):
        log(line)
    return report.response()


def _write_heartbeat() -> dict[str, list[dict[str, str]]]:
    """Write a heartbeat, if they are on."""
    heartbeat = _runtime().heartbeat
    if heartbeat is not None:
        _run_in_loop(heartbeat.beat())
    return BatchReport().response()


def _run_in_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the event loop that the function's connections belong to."""
    runner = _runtime().runner
    try:
        return runner.run(coroutine)
    except BaseException:
        # No task may go on in the next invocation. This ends them, and the connections as well.
        runner.close()
        _runtime.cache_clear()
        raise


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the cyclic garbage collector while a batch runs.

    Almost everything lives until the end, and reference counting frees the rest. The first call
    that fails enables it again: see ``RetryBudget.retry``.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True)
class _Runtime:
    """Objects that live as long as the function's process."""

    config: HopConfig
    selector: MeteredSelector
    runner: asyncio.Runner
    source_api: DynamoDBApi
    target_api: DynamoDBApi
    quarantine: Quarantine
    reporter: BatchReporter
    heartbeat: Heartbeat | None

    def hop(self, budget: RetryBudget) -> Hop:
        """Make the hop of one invocation."""
        source = self._store(self.source_api, self.config.source, budget)
        target = self._store(self.target_api, self.config.target, budget)
        return self.config.hop(source, target)

    def _store(self, api: DynamoDBApi, tables: MemberTables, budget: RetryBudget) -> Store:
        make = BatchingStore if self.config.batches else DynamoStore
        return RetryingStore(make(api, tables, gate=budget.limit), budget)


@cache
def _runtime() -> _Runtime:
    config = HopConfig.read(os.environ)
    source, target = config.source_replica, config.target_replica
    pool = ThreadPoolExecutor(CONCURRENCY)
    location = QuarantineLocation(
        config.quarantine, config.name, source.table, config.quarantine_owner
    )
    source_api = make_api(source.region, pool, None, config.http)
    key, selector = config.heartbeat, MeteredSelector()
    return _Runtime(
        config,
        selector,
        make_runner(selector),
        source_api=source_api,
        target_api=make_api(target.region, pool, config.target_access, config.http),
        quarantine=S3Quarantine(lambda: make_client("s3", source.region), pool, location),
        reporter=BatchReporter(config.name, config.logs_items),
        heartbeat=None if key is None else Heartbeat(source_api, source.table, key),
    )


def _records(event: Any) -> list[Any]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise MalformedEventError(
            "Event has no `Records` list: not a DynamoDB Streams batch. Only the event source "
            "mapping of the hop should invoke this function."
        )
    return records
