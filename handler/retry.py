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
from handler.quarantine import Lost, Quarantine
from handler.store.dynamodb import Condition, Refusal, Store, Written

T = TypeVar("T")

FIRST_PAUSE = 0.025
LONGEST_PAUSE = 2.0
"""Seconds. A pause is drawn from zero up to the first, then twice that, and so on to the longest:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/"""


class OutOfTimeError(Exception):
    """The function's time is nearly over: what is not begun now is delivered again."""

    def __init__(self) -> None:
        super().__init__("the function's time is nearly over; the record is delivered again")


class Patience:
    """What one invocation has of it. No request begins in the last ``reserve`` seconds.

    A call that is under way is always waited for: one that was left to itself would go on when
    Lambda thaws the process, behind all that was done since.
    """

    def __init__(
        self,
        left: Callable[[], float],
        passes: Callable[[Exception], bool],
        *,
        reserve: float,
        at_once: int,
        pause: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        """Take the function's clock and the judgement of errors.

        Args:
            left: the seconds until the function is stopped.
            passes: whether an error is one of the moment.
            reserve: seconds that a call may take, and the answer after it. Of a function that
                has less than twice that, half its time.
            at_once: how many requests may be under way.
            pause: what waits for so many seconds.
        """
        self._left = left
        self._passes = passes
        self._reserve = min(reserve, left() / 2)
        self._gate = Semaphore(at_once)
        self._pause = pause or sleep
        self.calls = 0
        """How many requests were made, the repeated ones included."""
        self.retries = 0
        """How often something was tried again; in one request, each of many may have failed."""
        self.seconds = 0.0
        """How long the requests took, all together; many are under way at the same time."""

    async def call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do something, and do it again for as long as it fails for the moment and time is left.

        Raises:
            Exception: what it raised, if that does not pass or did not pass in time.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await attempt()
            except Exception as error:
                wait = random() * pause
                if not self._passes(error) or self._left() - wait <= self._reserve:
                    raise
            self.retries += 1
            # Of a call without an answer the SDK leaves circles, with the whole request in them: in
            # an outage they would fill the function's memory (see ``handler.app``).
            gc.enable()
            await self._pause(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def request(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make one request, when not too many are under way; see ``store.request_batcher.Through``.

        Raises:
            OutOfTimeError: there was no time to make it.
        """
        async with self._gate:
            if self._left() <= self._reserve:
                raise OutOfTimeError
            self.calls += 1
            began = time.monotonic()
            try:
                return await attempt()
            finally:
                self.seconds += time.monotonic() - began


class PatientStore:
    """A Store whose calls are made with patience.

    A call that is made again may have taken effect the first time. To the protocol that is a
    record delivered again: its own write stands there, and is taken for done.
    """

    def __init__(self, store: Store, patience: Patience) -> None:
        self._store = store
        self._call = patience.call

    async def read(self, key: Key) -> Item | None:
        """See Store."""
        return await self._call(lambda: self._store.read(key))

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | Refusal:
        """See Store."""
        return await self._call(lambda: self._store.put(key, item, condition))

    async def remove_stub(self, key: Key, version: Version) -> None:
        """See Store."""
        await self._call(lambda: self._store.remove_stub(key, version))

    async def remove_older(self, key: Key, version: Version) -> Written | Refusal:
        """See Store."""
        return await self._call(lambda: self._store.remove_older(key, version))

    async def tombstone(self, key: Key) -> Write | None:
        """See Store."""
        return await self._call(lambda: self._store.tombstone(key))

    async def bury(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        return await self._call(lambda: self._store.bury(key, delete))


class PatientQuarantine:
    """A Quarantine whose calls are made with patience."""

    def __init__(self, quarantine: Quarantine, patience: Patience) -> None:
        self._quarantine = quarantine
        self._patience = patience

    async def set_aside(self, lost: Lost) -> None:
        """See Quarantine."""
        request = self._patience.request
        await self._patience.call(lambda: request(lambda: self._quarantine.set_aside(lost)))
