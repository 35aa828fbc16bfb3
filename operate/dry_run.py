"""A Store that reads what is there and only pretends to write."""

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
    """Over a Store whose reads it makes; what would be written, it remembers instead."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._items: dict[str, Item | None] = {}
        self._tombstones: dict[str, Write] = {}
        self.writes = 0
        """How many writes of items there would have been."""

    async def read(self, key: Key) -> Item | None:
        """See Store."""
        name = canonical_text(key)
        return self._items[name] if name in self._items else await self._store.read(key)

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See Store."""
        return await self._write(key, item, condition)

    async def delete_stub(self, key: Key, version: Version) -> None:
        """See Store."""
        standing = await self.read(key)
        if standing is not None and DELETED in standing and standing[VERSION] == {"S": version}:
            self._items[canonical_text(key)] = None

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        return await self._write(key, None, IfOlder(version))

    async def get_tombstone(self, key: Key) -> Write | None:
        """See Store."""
        return self._tombstones.get(canonical_text(key)) or await self._store.get_tombstone(key)

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        kept = await self.get_tombstone(key)
        if kept is not None and kept.version >= delete.version:
            return kept
        self._tombstones[canonical_text(key)] = delete
        return None

    async def _write(
        self, key: Key, item: Item | None, condition: Condition
    ) -> Written | ConditionFailed:
        standing = await self.read(key)
        if not _holds(condition, standing):
            return ConditionFailed(standing)
        self._items[canonical_text(key)] = item
        self.writes += 1
        return Written(standing)


def _holds(condition: Condition, standing: Item | None) -> bool:
    match condition:
        case IfOlder(version, or_absent):
            if standing is None:
                return or_absent
            return VERSION not in standing or _is_older(standing, version)
        case IfVersionOlder(version):
            return standing is not None and _is_older(standing, version)
        case IfUnchanged(item):
            if item is None or standing is None:
                return item is standing
            return bool(standing.get(VERSION) == item[VERSION])


def _is_older(standing: Item, version: Version) -> bool:
    text: Any = standing.get(VERSION, {}).get("S")
    return isinstance(text, str) and text < version
