"""Store for dry runs: reads from another store and keeps writes in memory."""

from __future__ import annotations

from typing import Any

from handler.model.attribute_values import canonical_text
from handler.model.image import DELETED, VERSION, Item, Key, Write
from handler.model.version import Version
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    IfOlder,
    IfUnchanged,
    IfVersionOlder,
    Store,
    Written,
)


class DryStore:
    """Store that reads through to another and keeps writes in memory instead of making them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._items: dict[str, Item | None] = {}
        self._tombstones: dict[str, Write] = {}
        self.writes = 0
        """Number of item writes that a real run would have made."""

    async def read(self, key: Key) -> Item | None:
        """See `Store`."""
        name = canonical_text(key)
        return self._items[name] if name in self._items else await self._store.read(key)

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See `Store`."""
        return await self._write(key, item, condition)

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See `Store`."""
        current = await self.read(key)
        if current is None or DELETED not in current or current[VERSION] != {"B": version}:
            return ConditionFailed(current)
        self._items[canonical_text(key)] = None
        return Written(None)

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See `Store`."""
        return await self._write(key, None, IfOlder(version))

    async def get_tombstone(self, key: Key) -> Write | None:
        """See `Store`."""
        return self._tombstones.get(canonical_text(key)) or await self._store.get_tombstone(key)

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See `Store`."""
        existing = await self.get_tombstone(key)
        if existing is not None and existing.version >= delete.version:
            return existing
        self._tombstones[canonical_text(key)] = delete
        return None

    async def _write(
        self, key: Key, item: Item | None, condition: Condition
    ) -> Written | ConditionFailed:
        current = await self.read(key)
        if not _is_met(condition, current):
            return ConditionFailed(current)
        self._items[canonical_text(key)] = item
        self.writes += 1
        return Written(current)


def _is_met(condition: Condition, current: Item | None) -> bool:
    match condition:
        case IfOlder(version, or_absent):
            if current is None:
                return or_absent
            return VERSION not in current or _is_older(current, version)
        case IfVersionOlder(version):
            return current is not None and _is_older(current, version)
        case IfUnchanged(item):
            if item is None or current is None:
                return item is current
            return bool(current.get(VERSION) == item[VERSION])


def _is_older(current: Item, version: Version) -> bool:
    value: Any = current.get(VERSION, {}).get("B")
    return isinstance(value, bytes) and value < version
