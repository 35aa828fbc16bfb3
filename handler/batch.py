"""Replicate a batch of records: in order within a key, concurrently across keys.

Failures stop one key each. They are returned in Lambda's partial batch response:
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from handler.envelope import WrongStreamError, check_records
from handler.errors import FailureKind, classify, quarantine_reason
from handler.heartbeat import heartbeat_time
from handler.log import format_error
from handler.model.records import Change, Record, read_change
from handler.protocol.coalesce import CoalescedChange, coalesce
from handler.protocol.hop import Action, Conflict, Hop, Outcome
from handler.protocol.replicate import replicate
from handler.quarantine import Quarantine, QuarantinedRecord

AwaitAll = Callable[[Iterable[Awaitable[None]]], Awaitable[Any]]

WHOLE_BATCH = ""
"""In place of a sequence number in the response: the whole batch is delivered again."""


@dataclass(frozen=True)
class Failure:
    """Error that stopped a key."""

    record: str
    """Sequence number of the record that failed; ``WHOLE_BATCH`` where it has none."""
    error: Exception
    kind: FailureKind


@dataclass
class BatchReport:
    """Results of a batch."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)
    quarantined: list[QuarantinedRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    """One for each key that was stopped, or a single one for a batch refused whole."""
    unprocessed: list[str] = field(default_factory=list)
    """Sequence numbers of the records that are to be delivered again."""
    lags: list[float] = field(default_factory=list)
    """Of each write that was applied at the next member: seconds since it was made at its origin,
    by two regions' clocks."""
    laps: list[float] = field(default_factory=list)
    """The same of each write that has completed its lap."""
    heartbeat_lags: list[float] = field(default_factory=list)
    """Lags of heartbeats, which ``lags`` does not have."""
    heartbeat_laps: list[float] = field(default_factory=list)
    """Laps of heartbeats, which ``laps`` does not have."""

    def response(self) -> dict[str, list[dict[str, str]]]:
        """Return Lambda's partial batch response: its lowest sequence number is the checkpoint."""
        return {"batchItemFailures": [{"itemIdentifier": number} for number in self.unprocessed]}

    def add(self, outcome: Outcome, now: float, heartbeat_at: float | None = None) -> None:
        """Add the outcome of a change.

        Args:
            outcome: what the hop did.
            now: the time, in seconds since the epoch.
            heartbeat_at: when the heartbeat was written, in seconds since the epoch; None: the
                change is no heartbeat.
        """
        self.counts[outcome.action] += 1
        self.conflicts.extend(outcome.conflicts)
        if outcome.written_at is not None:
            is_heartbeat = heartbeat_at is not None
            written_at = outcome.written_at if heartbeat_at is None else heartbeat_at
            self._durations(outcome.action, is_heartbeat).append(max(0.0, now - written_at))

    def _durations(self, action: Action, is_heartbeat: bool) -> list[float]:
        if action is Action.LAP_COMPLETED:
            return self.heartbeat_laps if is_heartbeat else self.laps
        return self.heartbeat_lags if is_heartbeat else self.lags


@dataclass(frozen=True)
class BatchContext:
    """Hop and quarantine that a batch is processed with."""

    hop: Hop
    quarantine: Quarantine
    replicate_change: Callable[[Change, Hop], Awaitable[Outcome]] = replicate
    """Replicates one change; a redrive uses ``protocol.replay.replay``."""
    now: Callable[[], float] = time.time
    """Returns the time, in seconds since the epoch."""


async def gather_keys(keys: Iterable[Awaitable[None]]) -> None:
    """Await all keys of a batch at once."""
    await asyncio.gather(*keys)


async def replicate_batch(
    records: Sequence[Record], context: BatchContext, await_all: AwaitAll = gather_keys
) -> BatchReport:
    """Replicate the records of one invocation.

    A record that fails stops its own key and no other. A record from another stream stops the whole
    batch: something is wrong with the hop.

    Args:
        records: in the order of the stream.
        context: what they are processed with.
        await_all: awaits the keys' coroutines, concurrently or not.
    """
    try:
        check_records(records, context.hop.source_replica)
    except WrongStreamError as error:
        return _keep_all(records, error)
    batch = _Batch(context, BatchReport())
    await await_all([batch.replicate_key(of_key) for of_key in _by_key(records)])
    return batch.report


def _keep_all(records: Sequence[Record], error: WrongStreamError) -> BatchReport:
    """Leave the whole batch in the stream."""
    failure = Failure(sequence_number(error.record), error, classify(error))
    return BatchReport(failures=[failure], unprocessed=[WHOLE_BATCH] * len(records))


def _by_key(records: Sequence[Record]) -> Iterable[list[Record]]:
    keys: dict[str, list[Record]] = {}
    for record in records:
        keys.setdefault(_key(record), []).append(record)
    return keys.values()


def _key(record: Record) -> str:
    """Return a text that is equal for records of one item; malformed keys share one text."""
    try:
        return json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
    except (ValueError, RecursionError):
        return ""


@dataclass(frozen=True)
class _Batch:
    context: BatchContext
    report: BatchReport

    async def replicate_key(self, records: list[Record]) -> None:
        done = 0
        for coalesced in coalesce(records):
            try:
                await self._replicate_coalesced(coalesced)
            except Exception as error:
                undone = [sequence_number(record) for record in records[done:]]
                self.report.failures.append(Failure(undone[0], error, classify(error)))
                self.report.unprocessed.extend(undone)
                return
            done += len(coalesced.records)

    async def _replicate_coalesced(self, coalesced: CoalescedChange) -> None:
        change, records = coalesced.change, coalesced.records
        if change is not None and len(records) > 1:
            try:
                outcome = await self.context.replicate_change(change, self.context.hop)
            except Exception as error:
                if classify(error) is not FailureKind.PERMANENT:
                    raise
            else:
                self.report.add(outcome, self.context.now(), heartbeat_time(change))
                self.report.counts[Action.IGNORED] += len(records) - 1
                return
        # A coalesced change may be refused for its last item alone: so each record is tried.
        for record in records:
            await self._replicate_record(record)

    async def _replicate_record(self, record: Record) -> None:
        try:
            change = read_change(record)
            outcome = await self.context.replicate_change(change, self.context.hop)
        except Exception as error:
            if classify(error) is not FailureKind.PERMANENT:
                raise
            quarantined = QuarantinedRecord(record, quarantine_reason(error), format_error(error))
            await self.context.quarantine.put(quarantined)
            self.report.quarantined.append(quarantined)
            return
        self.report.add(outcome, self.context.now(), heartbeat_time(change))


def sequence_number(record: Record) -> str:
    """Return a record's sequence number, or ``WHOLE_BATCH`` if it has none."""
    try:
        number = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return WHOLE_BATCH
    return number if isinstance(number, str) else WHOLE_BATCH
