"""How long an invocation may go on, and how it tries again what failed for the moment.

Calls wait here, not in botocore: a wait there holds one of the pool's threads, knows nothing of
the time that the function has left, and ends after four tries. Here all keys of a batch can wait
at once. That matters, since Lambda delivers again all that lies behind the first record of a batch
that failed: under heavy throttling a batch that gives up quickly is delivered almost whole, again
and again, and each delivery costs what it finds done already.
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
"""Seconds. A pause is drawn from zero up to the first, then twice that, and so on to the longest:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""


class DeadlineExceededError(Exception):
    """The function's time is nearly over: what is not begun now is delivered again."""

    def __init__(self) -> None:
        super().__init__("the function's time is nearly over; the record is delivered again")


class RetryBudget:
    """What one invocation has of it. No request begins in the last ``reserve`` seconds.

    A call that is under way is always waited for: one that was left to itself would go on when
    Lambda thaws the process, behind all that was done since.
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
        """Take the function's clock and the judgement of errors.

        Args:
            remaining: the seconds until the function is stopped.
            is_transient: whether an error is one of the moment.
            reserve_seconds: seconds that a call may take, and the answer after it. Of a function
                that has less than twice that, half its time.
            max_concurrency: how many requests may be under way.
            pause: what waits for so many seconds.
        """
        self._remaining = remaining
        self._is_transient = is_transient
        self._reserve = min(reserve_seconds, remaining() / 2)
        self._gate = Semaphore(max_concurrency)
        self._pause = pause or sleep
        self.calls = 0
        """How many requests were made, the repeated ones included."""
        self.retries = 0
        """How often something was tried again; in one request, each of many may have failed."""
        self.seconds = 0.0
        """How long the requests took, all together; many are under way at the same time."""

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do something, and do it again for as long as it fails for the moment and time is left.

        Raises:
            Exception: what it raised, if that does not pass or did not pass in time.
        """
        pause = BACKOFF_BASE_SECONDS
        while True:
            try:
                return await attempt()
            except Exception as error:
                wait = random() * pause
                if not self._is_transient(error) or self._remaining() - wait <= self._reserve:
                    raise
            self.retries += 1
            # Of a call without an answer the SDK leaves circles, with the whole request in them: in
            # an outage they would fill the function's memory (see ``handler.app``).
            gc.enable()
            await self._pause(wait)
            pause = min(2 * pause, BACKOFF_MAX_SECONDS)

    async def limit(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make one request, when not too many are under way; see ``store.request_batcher.Through``.

        Raises:
            DeadlineExceededError: there was no time to make it.
        """
        async with self._gate:
            if self._remaining() <= self._reserve:
                raise DeadlineExceededError
            self.calls += 1
            began = time.monotonic()
            try:
                return await attempt()
            finally:
                self.seconds += time.monotonic() - began


class RetryingStore:
    """A Store whose calls are made with patience.

    A call that is made again may have taken effect the first time. To the protocol that is a
    record delivered again: its own write stands there, and is taken for done.
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

    async def delete_stub(self, key: Key, version: Version) -> None:
        """See Store."""
        await self._call(lambda: self._store.delete_stub(key, version))

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
    """A Quarantine whose calls are made with patience."""

    def __init__(self, quarantine: Quarantine, budget: RetryBudget) -> None:
        self._quarantine = quarantine
        self._patience = budget

    async def put(self, lost: QuarantinedRecord) -> None:
        """See Quarantine."""
        request = self._patience.limit
        await self._patience.retry(lambda: request(lambda: self._quarantine.put(lost)))
