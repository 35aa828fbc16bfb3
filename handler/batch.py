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
from handler.errors import Kind, kind_of, reason_of
from handler.heartbeat import beaten_at
from handler.log import told
from handler.model.records import Change, Record, read_change
from handler.protocol.coalesce import Run, runs
from handler.protocol.replicate import Conflict, Did, Hop, Outcome, replicate
from handler.quarantine import Lost, Quarantine

Concurrently = Callable[[Iterable[Awaitable[None]]], Awaitable[Any]]

WHOLE_BATCH = ""
"""Instead of a record's number in the answer: all of the batch is delivered again."""


@dataclass(frozen=True)
class Failure:
    """What stopped a key."""

    record: str
    """Sequence number of the record that failed; ``WHOLE_BATCH`` where it has none."""
    error: Exception
    kind: Kind


@dataclass(frozen=True)
class Quarantined:
    """A record that was set aside."""

    record: str
    reason: str
    error: str


@dataclass
class Report:
    """What became of a batch."""

    counts: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    """One for each key that was stopped, or a single one for a batch that the hop cannot take."""
    undone: list[str] = field(default_factory=list)
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
        return {"batchItemFailures": [{"itemIdentifier": number} for number in self.undone]}

    def add(self, outcome: Outcome, now: float, beaten: float | None = None) -> None:
        """Take in what became of a change; ``beaten`` is when it was made, if it is a heartbeat."""
        self.counts[outcome.did] += 1
        if outcome.conflict is not None:
            self.conflicts.append(outcome.conflict)
        if outcome.made is not None:
            made = outcome.made if beaten is None else beaten
            self._times(outcome.did, beaten is not None).append(max(0.0, now - made))

    def _times(self, did: Did, is_beat: bool) -> list[float]:
        if did is Did.LAP:
            return self.beat_laps if is_beat else self.laps
        return self.beat_lags if is_beat else self.lags


@dataclass(frozen=True)
class Work:
    """What is done for the records of a batch."""

    hop: Hop
    quarantine: Quarantine
    carry: Callable[[Change, Hop], Awaitable[Outcome]] = replicate
    """What is done for one change; a redrive's is ``replay``."""
    now: Callable[[], float] = time.time
    """The time, in seconds since the epoch."""


async def side_by_side(keys: Iterable[Awaitable[None]]) -> None:
    """Await all keys of a batch at once."""
    await asyncio.gather(*keys)


async def replicate_batch(
    records: Sequence[Record], work: Work, concurrently: Concurrently = side_by_side
) -> Report:
    """Do it for the records of one invocation.

    A record that fails stops its own key and no other. One that shows a fault of the hop stops them
    all. ``concurrently`` awaits all that it is given.
    """
    try:
        check_records(records, work.hop.here)
    except WrongStreamError as error:
        return _all_kept(records, error)
    batch = _Batch(work, Report())
    await concurrently([batch.replicate_key(of) for of in _by_key(records)])
    return batch.report


def _all_kept(records: Sequence[Record], error: WrongStreamError) -> Report:
    """Leave the whole batch in the stream."""
    failure = Failure(_number(error.record), error, kind_of(error))
    return Report(failures=[failure], undone=[WHOLE_BATCH] * len(records))


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
    work: Work
    report: Report

    async def replicate_key(self, records: list[Record]) -> None:
        done = 0
        for run in runs(records):
            try:
                await self._replicate_run(run)
            except Exception as error:
                undone = [_number(record) for record in records[done:]]
                self.report.failures.append(Failure(undone[0], error, kind_of(error)))
                self.report.undone.extend(undone)
                return
            done += len(run.records)

    async def _replicate_run(self, run: Run) -> None:
        if run.change is not None and len(run.records) > 1:
            try:
                outcome = await self.work.carry(run.change, self.work.hop)
            except Exception as error:
                if kind_of(error) is not Kind.LASTING:
                    raise
            else:
                self.report.add(outcome, self.work.now(), beaten_at(run.change))
                self.report.counts[Did.NOTHING] += len(run.records) - 1
                return
        # Also of a run that is refused: it may be the last of its items alone that is.
        for record in run.records:
            await self._replicate_record(record)

    async def _replicate_record(self, record: Record) -> None:
        try:
            change = read_change(record)
            outcome = await self.work.carry(change, self.work.hop)
        except Exception as error:
            if kind_of(error) is not Kind.LASTING:
                raise
            lost = Lost(record, reason_of(error), told(error))
            await self.work.quarantine.set_aside(lost)
            self.report.quarantined.append(Quarantined(_number(record), lost.reason, lost.error))
            return
        self.report.add(outcome, self.work.now(), beaten_at(change))


def _number(record: Record) -> str:
    try:
        number = record["dynamodb"]["SequenceNumber"]
    except (KeyError, TypeError):
        return WHOLE_BATCH
    return number if isinstance(number, str) else WHOLE_BATCH
