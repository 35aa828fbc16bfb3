"""Redrive quarantined records and abandoned batches, with the handler's own code.

Safe while the ring runs, and repeatable: newer writes stay, since versions decide, as when a stream
is read again. Only a delete whose tombstone has expired leaves no trace, so entries older than the
retention of tombstones are held back by default.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handler.aws.api import BotocoreApi
from handler.aws.clients import CONCURRENCY
from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.config import HopConfig
from handler.envelope import WrongStreamError
from handler.log import format_error
from handler.quarantine import QuarantinedRecord, QuarantineLocation, S3Quarantine
from handler.retry import RetryBudget, RetryingStore
from handler.store.dynamodb import DynamoStore
from operate.dry_run import DryStore
from operate.ordered_pool import run_in_order
from operate.quarantine.bucket import Entry, QuarantineBucket
from operate.quarantine.patience import Patience
from operate.stop import Stop
from ring.text import counted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_STOPPED = "stopped before all of it was replayed"


class RedriveOutcome(StrEnum):
    """What became of an entry, or would become of it."""

    DONE = "done"
    """Applied, or found superseded by what is newer; removed from the quarantine."""
    HELD = "held"
    """Not replayed: older than deletes are remembered."""
    FAILED = "failed"
    """It failed again, all of it or a part; still in the quarantine."""
    LEFT = "left"
    """Not replayed: it was stopped before."""


@dataclass(frozen=True)
class RedriveResult:
    """An entry, what became of it, and why, for a person."""

    entry: Entry
    outcome: RedriveOutcome
    why: str
    again: int = 0
    """How many of its records were quarantined again, each as an entry of its own."""

    @property
    def stays(self) -> bool:
        """Whether anything of it is in the quarantine still."""
        return self.outcome is not RedriveOutcome.DONE or self.again > 0


@dataclass(frozen=True)
class RedriveOptions:
    """Options of a redrive."""

    dry_run: bool
    """Only read, to see what would become of each entry. Whether a table takes an item can only be
    seen by writing it."""
    ignore_retention: bool = False
    """Also replay what is older than deletes are remembered: a deleted item can come back."""
    now: Callable[[], float] = time.time
    """Returns the time, in seconds since the epoch."""
    stop: Stop = field(default_factory=Stop)
    """Request to begin no other entry, and in a batch of Lambda's no other key: such a batch stays
    whole, and is replayed again."""


@dataclass(frozen=True)
class HopAccess:
    """A hop, with clients of the operator's own that reach both its ends."""

    settings: HopConfig
    s3: S3Client
    here: DynamoDBClient
    there: DynamoDBClient

    @property
    def bucket(self) -> QuarantineBucket:
        """The hop's quarantine."""
        settings = self.settings
        return QuarantineBucket(
            self.s3,
            settings.quarantine,
            settings.name,
            settings.source_replica.table,
            settings.quarantine_owner,
        )


def redrive(
    reach: HopAccess, entries: Iterable[Entry], options: RedriveOptions
) -> Iterator[RedriveResult]:
    """Redrive entries of one hop's quarantine, in the order given.

    Each is redriven when its result is requested, so only as many are in memory as the caller
    keeps.
    """
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        redriver = _Redriver(reach, pool, options)
        for entry in entries:
            if options.stop.is_asked:
                return
            yield redriver.redrive(entry)


@dataclass(frozen=True)
class _Redriver:
    reach: HopAccess
    pool: ThreadPoolExecutor
    options: RedriveOptions

    def redrive(self, entry: Entry) -> RedriveResult:
        if not entry.records:
            return RedriveResult(
                entry, RedriveOutcome.FAILED, f"there is no record in it: {entry.error}"
            )
        if not self.options.ignore_retention and self._is_too_old(entry):
            return RedriveResult(entry, RedriveOutcome.HELD, self._why_held(entry))
        if self.options.dry_run:
            return self._predict(entry)
        report, is_whole = asyncio.run(self._replay(entry))
        if not is_whole:
            return RedriveResult(entry, RedriveOutcome.LEFT, _STOPPED)
        return self._judge(entry, report)

    def _is_too_old(self, entry: Entry) -> bool:
        made = entry.written_at
        return made is None or self.options.now() - made >= self.reach.settings.source.retention

    def _why_held(self, entry: Entry) -> str:
        days = self.reach.settings.source.retention // (24 * 60 * 60)
        known = (
            f"deletes are remembered for {counted(days, 'day')}"
            if days
            else "deletes are not remembered"
        )
        age = "it does not say when it was made" if entry.written_at is None else "this is older"
        return (
            f"{known}, and {age}: if its item was deleted since, it would come back. Compare the "
            "item, and then redrive it with --ignore-retention."
        )

    async def _replay(self, entry: Entry) -> tuple[BatchReport, bool]:
        """Replay an entry's records; return their report, and whether all were replayed."""
        patience = Patience()
        source, target = self._stores(patience)
        settings = self.reach.settings
        location = QuarantineLocation(
            settings.quarantine, entry.hop, entry.table, settings.quarantine_owner
        )
        # A batch of Lambda's is removed when each bad record in it is an entry of its own.
        quarantine = (
            S3Quarantine(lambda: self.reach.s3, self.pool, location)
            if entry.is_lambda_failure
            else _NoQuarantine()
        )
        context = BatchContext(settings.hop(source, target), quarantine, patience.replay)
        return await _replay_records(entry, context, self.options.stop)

    async def _pretend(self, entry: Entry, stop: Stop) -> tuple[BatchReport, bool, int, int]:
        """Return what `_replay` would, and the number of writes at the source and the target."""
        patience = Patience()
        source, target = map(DryStore, self._stores(patience))
        hop = self.reach.settings.hop(source, target)
        context = BatchContext(hop, _NoQuarantine(), patience.replay)
        report, is_whole = await _replay_records(entry, context, stop)
        return report, is_whole, source.writes, target.writes

    def _predict(self, entry: Entry) -> RedriveResult:
        report, is_whole, here, there = asyncio.run(self._pretend(entry, self.options.stop))
        if not is_whole:
            return RedriveResult(entry, RedriveOutcome.LEFT, _STOPPED)
        if troubles := _troubles(report):
            return RedriveResult(entry, RedriveOutcome.FAILED, troubles)
        region = self.reach.settings.target_replica.region
        why = f"{_counts(report)}: {counted(there, 'write')} at {region}, {here} here"
        return RedriveResult(entry, RedriveOutcome.DONE, why)

    def _judge(self, entry: Entry, report: BatchReport) -> RedriveResult:
        troubles = _troubles(report)
        if report.unprocessed:
            return RedriveResult(entry, RedriveOutcome.FAILED, troubles)
        if report.quarantined and not entry.is_lambda_failure:
            # A table looks at an item's size before it looks at the condition.
            would, _, *writes = asyncio.run(self._pretend(entry, Stop()))
            if any(writes) or _troubles(would):
                return RedriveResult(entry, RedriveOutcome.FAILED, troubles)
            report, troubles = would, ""
        again = f"; quarantined by itself: {troubles}" if troubles else ""
        done = RedriveResult(
            entry, RedriveOutcome.DONE, _counts(report) + again, len(report.quarantined)
        )
        return self._removed(done)

    def _removed(self, done: RedriveResult) -> RedriveResult:
        """Remove an entry that was replayed. To replay it once more does no harm."""
        try:
            self.reach.bucket.remove(done.entry.id)
        except (ClientError, BotoCoreError) as error:
            why = f"{done.why}; it is still in the quarantine: {format_error(error)}"
            return replace(done, outcome=RedriveOutcome.FAILED, why=why)
        return done

    def _stores(self, patience: Patience) -> tuple[RetryingStore, RetryingStore]:
        settings = self.reach.settings
        budget = RetryBudget(
            patience.remaining,
            patience.note_error,
            reserve_seconds=0.0,
            max_concurrency=CONCURRENCY,
        )
        reach, pool = self.reach, self.pool
        source = DynamoStore(BotocoreApi(reach.here, pool), settings.source, gate=budget.limit)
        target = DynamoStore(BotocoreApi(reach.there, pool), settings.target, gate=budget.limit)
        return RetryingStore(source, budget), RetryingStore(target, budget)


class _NoQuarantine:
    """Quarantine that stores nothing: the record is in an entry already."""

    async def put(self, quarantined: QuarantinedRecord) -> None:
        """See Quarantine."""


async def _replay_records(
    entry: Entry, context: BatchContext, stop: Stop
) -> tuple[BatchReport, bool]:
    """Replay an entry's records; return their report, and whether a stop left none out."""
    is_whole = True

    async def until_stopped(keys: Iterable[Awaitable[None]]) -> None:
        nonlocal is_whole
        waiting = list(keys)
        begun = len(await run_in_order(waiting, _replay_key, stop, CONCURRENCY))
        is_whole = begun == len(waiting)
        for key in waiting[begun:]:
            if isinstance(key, Coroutine):  # else Python complains that it was never awaited
                key.close()

    report = await replicate_batch(entry.records, context, until_stopped)
    return report, is_whole


async def _replay_key(key: Awaitable[None]) -> None:
    await key


def _counts(report: BatchReport) -> str:
    return ", ".join(f"{number} {did}" for did, number in report.counts.items()) or "nothing"


def _troubles(report: BatchReport) -> str:
    quarantined = [record.error for record in report.quarantined]
    failed = [_reason(failure.error) for failure in report.failures]
    return "; ".join(dict.fromkeys([*quarantined, *failed]))


def _reason(error: Exception) -> str:
    """Describe an error. The handler's words about a wrong stream are about a hop that reads it."""
    if isinstance(error, WrongStreamError):
        return (
            f"{type(error).__name__}: {error.problem}. No record of this entry was replayed: it "
            "stays in the quarantine. Check and repair what it changes, then discard it."
        )
    return format_error(error)
