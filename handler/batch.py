"""A batch of records: in order within a key, concurrently across keys, failures by key.

The answer follows Lambda's partial batch response:
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

Concurrently = Callable[[Iterable[Awaitable[None]]], Awaitable[Any]]

WHOLE_BATCH = ""
"""Instead of a record's number in the answer: all of the batch is delivered again."""


@dataclass(frozen=True)
class Failure:
    """What stopped a key."""

    record: str
    """Sequence number of the record that failed; ``WHOLE_BATCH`` where it has none."""
    error: Exception
    kind: FailureKind


@dataclass(frozen=True)
class Quarantined:
    """A record that was set aside."""

    record: str
    reason: str
    error: str


@dataclass
class BatchReport:
    """What became of a batch."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    """One for each key that was stopped, or a single one for a batch that the hop cannot take."""
    unprocessed: list[str] = field(default_factory=list)
    """Sequence numbers of the records to be delivered again."""
    lags: list[float] = field(default_factory=list)
    """Of each write that was brought to the next member: seconds since it was made at its origin,
    by two regions' clocks."""
    laps: list[float] = field(default_factory=list)
    """Of each write that has been everywhere: the same."""

    beat_lags: list[float] = field(default_factory=list)
    beat_laps: list[float] = field(default_factory=list)
    """The same of heartbeats, which are in neither of the others."""

    def response(self) -> dict[str, list[dict[str, str]]]:
        """Lambda's partial batch response: the lowest number named becomes the checkpoint."""
        return {"batchItemFailures": [{"itemIdentifier": number} for number in self.unprocessed]}

    def add(self, outcome: Outcome, now: float, beaten: float | None = None) -> None:
        """Take in what became of a change; ``beaten`` is when it was made, if it is a heartbeat."""
        self.counts[outcome.action] += 1
        if outcome.conflict is not None:
            self.conflicts.append(outcome.conflict)
        if outcome.written_at is not None:
            made = outcome.written_at if beaten is None else beaten
            self._times(outcome.action, beaten is not None).append(max(0.0, now - made))

    def _times(self, did: Action, is_beat: bool) -> list[float]:
        if did is Action.LAP_COMPLETED:
            return self.beat_laps if is_beat else self.laps
        return self.beat_lags if is_beat else self.lags


@dataclass(frozen=True)
class BatchContext:
    """What is done for the records of a batch."""

    hop: Hop
    quarantine: Quarantine
    apply: Callable[[Change, Hop], Awaitable[Outcome]] = replicate
    """What is done for one change; a redrive's is ``replay``."""
    now: Callable[[], float] = time.time
    """The time, in seconds since the epoch."""


async def gather_keys(keys: Iterable[Awaitable[None]]) -> None:
    """Await all keys of a batch at once."""
    await asyncio.gather(*keys)


async def replicate_batch(
    records: Sequence[Record], work: BatchContext, concurrently: Concurrently = gather_keys
) -> BatchReport:
    """Do it for the records of one invocation.

    A record that fails stops its own key and no other. One that shows a fault of the hop stops them
    all. ``concurrently`` awaits all that it is given.
    """
    try:
        check_records(records, work.hop.source_replica)
    except WrongStreamError as error:
        return _keep_all(records, error)
    batch = _Batch(work, BatchReport())
    await concurrently([batch.replicate_key(of) for of in _by_key(records)])
    return batch.report


def _keep_all(records: Sequence[Record], error: WrongStreamError) -> BatchReport:
    """Leave the whole batch in the stream."""
    failure = Failure(_number(error.record), error, classify(error))
    return BatchReport(failures=[failure], unprocessed=[WHOLE_BATCH] * len(records))


def _by_key(records: Sequence[Record]) -> Iterable[list[Record]]:
    keys: dict[str, list[Record]] = {}
    for record in records:
        keys.setdefault(_key(record), []).append(record)
    return keys.values()


def _key(record: Record) -> str:
    """What records of one item have in common; keys that are no keys are one of their own."""
    try:
        return json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
    except (ValueError, RecursionError):
        return ""


@dataclass(frozen=True)
class _Batch:
    work: BatchContext
    report: BatchReport

    async def replicate_key(self, records: list[Record]) -> None:
        done = 0
        for run in coalesce(records):
            try:
                await self._replicate_run(run)
            except Exception as error:
                undone = [_number(record) for record in records[done:]]
                self.report.failures.append(Failure(undone[0], error, classify(error)))
                self.report.unprocessed.extend(undone)
                return
            done += len(run.records)

    async def _replicate_run(self, run: CoalescedChange) -> None:
        if run.change is not None and len(run.records) > 1:
            try:
                outcome = await self.work.apply(run.change, self.work.hop)
            except Exception as error:
                if classify(error) is not FailureKind.PERMANENT:
                    raise
            else:
                self.report.add(outcome, self.work.now(), heartbeat_time(run.change))
                self.report.counts[Action.IGNORED] += len(run.records) - 1
                return
        # Also of a run that is refused: it may be the last of its items alone that is.
        for record in run.records:
            await self._replicate_record(record)

    async def _replicate_record(self, record: Record) -> None:
        try:
            change = read_change(record)
            outcome = await self.work.apply(change, self.work.hop)
        except Exception as error:
            if classify(error) is not FailureKind.PERMANENT:
                raise
            lost = QuarantinedRecord(record, quarantine_reason(error), format_error(error))
            await self.work.quarantine.put(lost)
            self.report.quarantined.append(Quarantined(_number(record), lost.reason, lost.error))
            return
        self.report.add(outcome, self.work.now(), heartbeat_time(change))


def _number(record: Record) -> str:
    try:
        number = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return WHOLE_BATCH
    return number if isinstance(number, str) else WHOLE_BATCH
