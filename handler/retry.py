"""Retry with exponential backoff and full jitter, bounded by the invocation's remaining time.

Calls are retried here, not in botocore: a wait there holds one of the pool's threads, knows nothing
of the function's remaining time, and ends after four attempts. Here all keys of a batch can wait at
once. That matters, since Lambda redelivers everything after the first failed record of a batch:
under heavy throttling a batch that gives up early is redelivered almost whole, over and over, and
each delivery pays for the records that were done before.
"""

import gc
import time
from asyncio import Semaphore, sleep
from collections.abc import Awaitable, Callable
from random import random
from typing import TypeVar

from handler.model.image import Item, Key, Write
from handler.model.version import Version
from handler.quarantine import Quarantine, QuarantinedRecord
from handler.store.dynamodb import Condition, ConditionFailed, Store, Written

T = TypeVar("T")

BACKOFF_BASE_SECONDS = 0.025
BACKOFF_MAX_SECONDS = 2.0
"""Each pause is drawn between zero and a bound, which doubles from the base up to the maximum:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""


INITIAL_CONCURRENCY = 32
"""Requests in progress at first, and calls of the quarantine at any time: each holds a thread."""

_IDLE_SHARE = 0.25
"""Share of a request's time for which the event loop has to wait before more may be in progress."""


class DeadlineExceededError(Exception):
    """Too little of the function's time is left to begin a request. Transient."""

    def __init__(self) -> None:
        super().__init__(
            "Too little of the function's time is left for another request. The record is "
            "delivered again."
        )


class RetryBudget:
    """Time, concurrency and retries of one invocation. Nothing begins in the reserved last seconds.

    A call in progress is always awaited: otherwise it would go on when Lambda thaws the process,
    after all that was done since.
    """

    def __init__(
        self,
        remaining: Callable[[], float],
        is_transient: Callable[[Exception], bool],
        *,
        reserve_seconds: float,
        max_concurrency: int,
        pause: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        """Make the budget of one invocation.

        Args:
            remaining: returns the seconds until the function is stopped.
            is_transient: returns whether an error may be retried.
            reserve_seconds: time for one call and the response of the function. If the function
                has less than twice that, half of its time is reserved.
            max_concurrency: requests that may be in progress. They begin as fewer
                (``INITIAL_CONCURRENCY``), and double with each round trip until one fails, or the
                processor is busy: each may need a new connection, whose TLS handshake takes
                milliseconds of it.
            pause: waits for a number of seconds; None: ``asyncio.sleep``.
        """
        self._remaining = remaining
        self._is_transient = is_transient
        self._reserve = min(reserve_seconds, remaining() / 2)
        self._concurrency = min(INITIAL_CONCURRENCY, max_concurrency)
        self._max_concurrency = max_concurrency
        self._gate = Semaphore(self._concurrency)
        self._pause = pause or sleep
        self.idle_seconds: Callable[[], float] = time.monotonic
        """Returns for how many seconds the event loop has waited so far; by default, as if it did
        nothing else."""
        self.calls = 0
        """Requests made, retries included."""
        self.retries = 0
        """Attempts that were retried; one request may have failed for many keys."""
        self.store_seconds = 0.0
        """Sum of the requests' durations, in seconds; many are in progress at the same time."""

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await an attempt, and repeat it while it fails with transient errors and time is left.

        Raises:
            Exception: the attempt's last error, if it is not transient or no time is left. That
                there is no time for another attempt says less than why the last one failed.
        """
        pause, failed = BACKOFF_BASE_SECONDS, None
        while True:
            try:
                return await attempt()
            except Exception as error:
                if failed is not None and isinstance(error, DeadlineExceededError):
                    raise failed from None
                wait = random() * pause
                if not self._is_transient(error) or self._remaining() - wait <= self._reserve:
                    raise
                failed = error
            self.retries += 1
            # Of a call without a response the SDK leaves reference cycles that keep the whole
            # request: in an outage they would fill the function's memory (see ``handler.app``).
            gc.enable()
            await self._pause(wait)
            pause = min(2 * pause, BACKOFF_MAX_SECONDS)

    async def limit(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make one request as soon as fewer than the maximum are in progress. A ``RequestGate``.

        Raises:
            DeadlineExceededError: too little time is left to make it.
            Exception: what the request raises.
        """
        async with self._gate:
            if self._remaining() <= self._reserve:
                raise DeadlineExceededError
            self.calls += 1
            began, idle_began = time.monotonic(), self.idle_seconds()
            try:
                result = await attempt()
            finally:
                seconds = time.monotonic() - began
                self.store_seconds += seconds
            if self.idle_seconds() - idle_began >= seconds * _IDLE_SHARE:
                self._allow_one_more()
            return result

    def _allow_one_more(self) -> None:
        """Let one more request be in progress, if all are that may be, and none was retried."""
        if self._gate.locked() and not self.retries and self._concurrency < self._max_concurrency:
            self._concurrency += 1
            self._gate.release()


class RetryingStore:
    """Store that retries another store's calls.

    A call that is retried may have taken effect the first time. To the protocol that is a record
    delivered again: it finds its own write and takes it for done.
    """

    def __init__(self, store: Store, budget: RetryBudget) -> None:
        self._store = store
        self._call = budget.retry

    async def read(self, key: Key) -> Item | None:
        """See Store."""
        return await self._call(lambda: self._store.read(key))

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See Store."""
        return await self._call(lambda: self._store.put(key, item, condition))

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        return await self._call(lambda: self._store.delete_stub(key, version))

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        return await self._call(lambda: self._store.delete_if_older(key, version))

    async def get_tombstone(self, key: Key) -> Write | None:
        """See Store."""
        return await self._call(lambda: self._store.get_tombstone(key))

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        return await self._call(lambda: self._store.put_tombstone(key, delete))


class RetryingQuarantine:
    """Quarantine that retries another quarantine's calls."""

    def __init__(self, quarantine: Quarantine, budget: RetryBudget) -> None:
        self._quarantine = quarantine
        self._budget = budget
        # A call that waited for a thread would begin later than the budget allows.
        self._threads = Semaphore(INITIAL_CONCURRENCY)

    async def put(self, quarantined: QuarantinedRecord) -> None:
        """See Quarantine."""
        await self._budget.retry(lambda: self._put(quarantined))

    async def _put(self, quarantined: QuarantinedRecord) -> None:
        async with self._threads:
            await self._budget.limit(lambda: self._quarantine.put(quarantined))
