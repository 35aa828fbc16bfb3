"""Members that answer as a test of a batch wants them to."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from handler.batch import BatchContext, BatchReport, replicate_batch
from handler.model.image import Item, Key, Write
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.quarantine import QuarantinedRecord
from handler.store.dynamodb import Condition, ConditionFailed, Written

PATIENCE = 60.0
"""Seconds after which a test that waits for two calls at once has failed."""


async def _at_once(_: str) -> None:
    """Answer a put at once."""


class EmptyStore:
    """A Store of a member that holds nothing and takes what it is given.

    ``meet`` is awaited within each put, with the text of the item's key.
    """

    def __init__(self, meet: Callable[[str], Awaitable[None]] = _at_once) -> None:
        self._meet = meet
        self._busy: Counter[str] = Counter()
        self.puts: list[tuple[str, str]] = []
        """Key and value of each put, in the order in which they began."""
        self.most_at_once: Counter[str] = Counter()
        """For each key the most puts that were in flight at one moment."""

    async def read(self, key: Key) -> Item | None:
        return None

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        name = key["k"]["S"]
        self.puts.append((name, item["v"]["S"]))
        self._busy[name] += 1
        self.most_at_once[name] = max(self.most_at_once[name], self._busy[name])
        try:
            await self._meet(name)
        finally:
            self._busy[name] -= 1
        return Written(replaced=None)

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        raise AssertionError("no test of a batch deletes")

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        raise AssertionError("no test of a batch deletes")

    async def get_tombstone(self, key: Key) -> Write | None:
        return None

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        raise AssertionError("no test of a batch deletes")


class ListQuarantine:
    """A Quarantine that is a list, or that fails with the error it is given."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.kept: list[QuarantinedRecord] = []

    async def put(self, lost: QuarantinedRecord) -> None:
        if self._error is not None:
            raise self._error
        self.kept.append(lost)


def work(
    records: list[Any], target: EmptyStore, quarantine: ListQuarantine | None = None
) -> BatchReport:
    """Let a hop to that target work on a batch."""
    here, there = (
        ReplicaId("aaaaaaaa", "us-east-1", "orders"),
        ReplicaId("bbbbbbbb", "eu-west-1", "orders"),
    )
    hop = Hop(here, there, EmptyStore(), target, uses_tombstones=False, replicates_expiry=False)
    kept = quarantine or ListQuarantine()

    async def in_time() -> BatchReport:
        async with asyncio.timeout(PATIENCE):
            return await replicate_batch(records, BatchContext(hop, kept))

    return asyncio.run(in_time())
