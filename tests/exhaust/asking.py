"""A Store whose calls wait for their answers, and what a coroutine over such stores comes to."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from typing import Any

from handler.model.image import Item, Key, Write
from handler.model.version import Version
from handler.store.dynamodb import Condition, ConditionFailed, Store, Written


@dataclass(frozen=True)
class Call:
    """A store call that a coroutine waits for."""

    member: int
    method: str
    arguments: tuple[Any, ...]

    @property
    def is_of_tombstone(self) -> bool:
        """Whether the call is on the tombstone, rather than on the item."""
        return self.method in ("get_tombstone", "put_tombstone")

    @property
    def is_read(self) -> bool:
        """Whether the call changes nothing."""
        return self.method in ("get_tombstone", "read")


@dataclass(frozen=True)
class Done:
    """The end of a coroutine."""

    read: int = 0
    """With how many of a batch's records it is done."""
    quarantined: tuple[int, ...] = ()
    """The places of the records that it has put in the quarantine."""
    failed: str = ""
    """What made it fail, if anything did."""


class Asked(Awaitable[Any]):
    """What a store call awaits; its answer is sent, or thrown, in."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def knows(self) -> Any:
        """See ``tests.exhaust.frames``."""
        return [self.call.member, self.call.method, self.call.arguments]

    def __await__(self) -> Generator[Asked, Any, Any]:
        return (yield self)


class AskingStore(Store):
    """A Store whose calls are answered from outside."""

    def __init__(self, member: int, *, keeps_tombstones: bool) -> None:
        self._member = member
        self._keeps_tombstones = keeps_tombstones

    def knows(self) -> Any:
        """See ``tests.exhaust.frames``."""
        return ("store", self._member)

    async def _ask(self, method: str, *arguments: Any) -> Any:
        return await Asked(Call(self._member, method, arguments))

    async def read(self, key: Key) -> Item | None:
        found: Item | None = await self._ask("read", key)
        return found

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        outcome: Written | ConditionFailed = await self._ask("put", key, item, condition)
        return outcome

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        outcome: Written | ConditionFailed = await self._ask("delete_stub", key, version)
        return outcome

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        outcome: Written | ConditionFailed = await self._ask("delete_if_older", key, version)
        return outcome

    async def get_tombstone(self, key: Key) -> Write | None:
        kept: Write | None = (
            await self._ask("get_tombstone", key) if self._keeps_tombstones else None
        )
        return kept

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        if not self._keeps_tombstones:
            return None
        kept: Write | None = await self._ask("put_tombstone", key, delete)
        return kept
