"""Scan a table in a time that grows with its pages, not with their square.

For each page, moto sorts all items by comparing values that it converts in each comparison, then
compares each item of the earlier pages with the start key, and copies what it returns value by
value. A check of 20,000 items would take minutes. A parallel scan fails for binary keys in moto.
"""

from __future__ import annotations

import copy
import threading
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import table as tables
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_START_KEY, _INDEX = 2, 4
"""Places of parameters of `Table.scan`."""

_is_text_within_segment = Item.is_within_segment


class _Page(threading.local):
    """The start key of this thread's scan of a table."""

    start: Mapping[str, Any] | None = None


_page = _Page()


def _sort_key(item: Item) -> Any:
    """Return what moto sorts by, converted once."""
    first = item.hash_key.cast_value
    return (first, item.range_key.cast_value) if item.range_key else first


def _all_items(table: Table) -> list[Item]:
    """Return a table's items in moto's order; in a scan, those after its start key."""
    items: Any = table.items.values()
    if table.range_key_attr:
        items = (item for partition in items for item in partition.values())
    ordered = sorted(items, key=_sort_key)
    if _page.start is None:
        return ordered
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    values = tuple(DynamoType(_page.start[name]).cast_value for name in names)
    start = values if table.range_key_attr else values[0]
    return ordered[bisect_right(ordered, start, key=_sort_key) :]


def _is_within_segment(item: Item, segments: Any) -> bool:
    """Return whether an item is in a segment of a parallel scan, by a checksum of its key."""
    key, (segment, total) = item.hash_key.value, segments
    if segment is None or not isinstance(key, bytes):
        return _is_text_within_segment(item, segments)
    return bool(zlib.crc32(key) % total == segment)


def _argument(place: int, name: str, args: tuple[Any, ...], more: dict[str, Any]) -> Any:
    return more.get(name, args[place] if len(args) > place else None)


@contextmanager
def scans_by_page() -> Iterator[None]:
    """Find the start of a page at once, and copy no items, while the context lasts."""
    scan = Table.scan  # with other patches

    def scan_page(table: Table, *args: Any, **more: Any) -> Any:
        if _argument(_INDEX, "index_name", args, more) is None:
            _page.start = _argument(_START_KEY, "exclusive_start_key", args, more) or None
        try:
            return scan(table, *args, **more)
        finally:
            _page.start = None

    with ExitStack() as changes:
        changes.enter_context(patch.object(Table, "scan", scan_page))
        changes.enter_context(patch.object(Table, "all_items", _all_items))
        changes.enter_context(patch.object(Item, "is_within_segment", _is_within_segment))
        copies = SimpleNamespace(copy=copy.copy, deepcopy=_deepcopy)
        changes.enter_context(patch.object(tables, "copy", copies))
        yield


def _deepcopy(value: Any) -> Any:
    """Copy anything but found items: these are only read, as documents of the response."""
    if type(value) is Item:
        return value
    if type(value) is list and all(type(entry) is Item for entry in value):
        return list(value)
    return copy.deepcopy(value)
