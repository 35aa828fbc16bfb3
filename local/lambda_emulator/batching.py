"""Lambda's processing of a stream's records: batching, retries, bisecting and discarding.

Pure: reads no clock and calls nothing. A `Lane` is given new records and the results of
invocations, and returns what to invoke next. It follows AWS's documentation:
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Record = Mapping[str, Any]
"""A stream record, as Lambda gives it to the function (see `local.lambda_emulator.events`)."""

GiveUpReason = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]

FOR_EVER = -1
PAYLOAD_BYTES = 6_000_000
"""Maximum size of a batch: the payload limit of a synchronous invocation.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""
# AWS does not document how long it waits between retries.
_FIRST_BACKOFF = 0.25
_LONGEST_BACKOFF = 10.0


@dataclass(frozen=True)
class Policy:
    """Settings of an event source mapping. Times are in seconds; -1 means no limit."""

    batch_size: int = 100
    window: float = 0.0
    parallel: int = 1
    bisect: bool = False
    max_retries: int = FOR_EVER
    max_age: int = FOR_EVER
    reports_failures: bool = False


@dataclass(frozen=True)
class Batch:
    """Records to be delivered together.

    `failures` counts the failed invocations that used a retry, `invocations` all of them. The batch
    is not delivered before the time `not_before`.
    """

    records: tuple[Record, ...]
    failures: int = 0
    invocations: int = 0
    not_before: float = 0.0


@dataclass(frozen=True)
class AbandonedBatch:
    """A batch that is discarded, with the reason."""

    batch: Batch
    reason: GiveUpReason


def sequence_number(record: Record) -> str:
    """Return the record's sequence number."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def created_at(record: Record) -> float:
    """Return the time of the record's change, in seconds since 1970."""
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def first_failure(records: Sequence[Record], response: Any) -> int | None:
    """Return the index from which a batch must be delivered again, given a function's response.

    None means success: the response or its list of failures is empty, null or missing. Otherwise
    the lowest sequence number in the list counts; an identifier that is empty, null, missing or not
    in the batch means that the whole batch failed: 0.
    """
    failures = response.get("batchItemFailures") if isinstance(response, Mapping) else None
    if not failures:
        return None
    indexes = {sequence_number(record): index for index, record in enumerate(records)}
    return min(_index(failure, indexes) for failure in failures)


def _index(failure: Any, indexes: Mapping[str, int]) -> int:
    identifier = failure.get("itemIdentifier") if isinstance(failure, Mapping) else None
    return indexes.get(identifier, 0) if isinstance(identifier, str) else 0


def after_failure(batch: Batch, failed_at: int, policy: Policy, now: float) -> list[Batch]:
    """Return the batches to deliver, in order, after a batch failed at the index `failed_at`.

    The records before that index are done. With bisecting, a failure in the middle splits the batch
    there, and one at the start splits it in two halves; neither uses a retry.
    """
    rest = batch.records[failed_at:]
    tried = replace(batch, records=rest, invocations=batch.invocations + 1)
    if policy.bisect and failed_at > 0:
        return [tried]
    if policy.bisect and len(rest) > 1:
        half = (len(rest) + 1) // 2
        return [replace(tried, records=rest[:half]), replace(tried, records=rest[half:])]
    backoff = min(_FIRST_BACKOFF * 2**batch.failures, _LONGEST_BACKOFF)
    return [replace(tried, failures=batch.failures + 1, not_before=now + backoff)]


class Lane:
    """Records that must be delivered in order, and the state of their delivery."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._new: deque[Record] = deque()
        self._new_since = 0.0
        self._begun: deque[Batch] = deque()

    def add(self, records: Iterable[Record], now: float) -> None:
        """Add records that were just read from the stream."""
        if not self._new:
            self._new_since = now
        self._new.extend(records)

    def next(self, now: float) -> Batch | AbandonedBatch | None:
        """Return the batch to invoke the function with, one to discard, or None for now.

        It remains the lane's next batch until `finished` or `failed` is called.
        """
        if not self._begun:
            if not self._is_due(now):
                return None
            self._begun.append(self._next_batch())
            self._new_since = now
        return self._first(now)

    def _is_due(self, now: float) -> bool:
        enough = len(self._new) >= self._policy.batch_size
        return enough or (bool(self._new) and now >= self._new_since + self._policy.window)

    def _next_batch(self) -> Batch:
        records: list[Record] = []
        size = 0
        while self._new and len(records) < self._policy.batch_size:
            size += self._new[0]["dynamodb"].get("SizeBytes", 0)
            if records and size > PAYLOAD_BYTES:
                break
            records.append(self._new.popleft())
        return Batch(tuple(records))

    def _first(self, now: float) -> Batch | AbandonedBatch | None:
        batch = self._begun[0]
        expired = self._expired(batch, now)
        if expired:
            # Only the records that are too old are discarded; the others become another batch.
            self._begun[0] = replace(batch, records=batch.records[:expired])
            if expired < len(batch.records):
                self._begun.insert(1, replace(batch, records=batch.records[expired:]))
            return AbandonedBatch(self._begun[0], "RecordAgeExceeded")
        retries = self._policy.max_retries
        if FOR_EVER < retries < batch.failures:
            return AbandonedBatch(batch, "RetryAttemptsExhausted")
        return batch if now >= batch.not_before else None

    def _expired(self, batch: Batch, now: float) -> int:
        """Count the records at the start of the batch that exceed the maximum record age."""
        if self._policy.max_age == FOR_EVER:
            return 0
        oldest = now - self._policy.max_age
        valid = (i for i, record in enumerate(batch.records) if created_at(record) > oldest)
        return next(valid, len(batch.records))

    def finished(self) -> None:
        """Remove the next batch: it was delivered or discarded."""
        self._begun.popleft()

    def failed(self, failed_at: int, now: float) -> None:
        """Record that the next batch failed: deliver it again from index `failed_at`."""
        batch = self._begun.popleft()
        self._begun.extendleft(reversed(after_failure(batch, failed_at, self._policy, now)))

    def records(self) -> list[Record]:
        """Return the records that are not done, in order."""
        return [*(record for batch in self._begun for record in batch.records), *self._new]

    @property
    def waiting(self) -> int:
        """The number of records that are not done."""
        return len(self._new) + sum(len(batch.records) for batch in self._begun)

    @property
    def oldest(self) -> float | None:
        """When the first record that is not done was created, if there is one."""
        firsts = (batch.records[0] for batch in islice(self._begun, 1))
        first = next(firsts, None) or next(iter(self._new), None)
        return created_at(first) if first else None
