"""Make moto's requests atomic: one that fails leaves no item and no stream record behind.

moto rolls back a transaction by replacing each table by an earlier copy. Stream readers keep the
old table, so they are cut off; and a copy of 20,000 items takes seconds. Other requests that fail
in the middle are not rolled back at all. DynamoDB's requests are atomic:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.responses import DynamoHandler

from local.moto_patches.streams import add_record

_OF_THE_BACKEND = (
    "update_item",
    "transact_write_items",
    "execute_statement",
    "execute_transaction",
)

_put_item = Table.put_item
_delete_item = Table.delete_item
_update_item = DynamoDBBackend.update_item
_transact_write_items = DynamoDBBackend.transact_write_items


class _Undo(threading.local):
    """Steps to undo the changes of this thread's request, oldest first."""

    def __init__(self) -> None:
        self.depth = 0
        self.steps: list[Callable[[], object]] = []

    def note(self, step: Callable[[], object]) -> None:
        """Record a step, inside a request that may have to be undone."""
        if self.depth:
            self.steps.append(step)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo the changes made inside the context if it fails; contexts can be nested."""
        mark = len(self.steps)
        self.depth += 1
        try:
            yield
        except BaseException:
            while len(self.steps) > mark:
                self.steps.pop()()
            raise
        finally:
            self.depth -= 1
            if not self.depth:
                self.steps.clear()


_undo = _Undo()
all_or_nothing = _undo.all_or_nothing
"""Context that undoes, if it fails, the changes made inside it."""


def _all_or_nothing(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def guarded(*args: Any, **more: Any) -> Any:
        with _undo.all_or_nothing():
            return operation(*args, **more)

    return guarded


def _place(table: Table, attributes: dict[str, Any]) -> tuple[dict[Any, Any], DynamoType] | None:
    """Return the dictionary that holds an item, and its key there; None for an invalid key."""
    try:
        first = DynamoType(attributes[table.hash_key_attr])
        hash(first)
        if not table.range_key_attr:
            return table.items, first
        second = DynamoType(attributes[table.range_key_attr])
        hash(second)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return None
    return table.items[first], second


def _note_item(place: tuple[dict[Any, Any], DynamoType] | None) -> Item | None:
    """Record a step that restores an item; return the item."""
    if place is None:
        return None
    items, key = place
    before: Item | None = items.get(key)
    if before is None:
        _undo.note(lambda: items.pop(key, None))
    else:
        _undo.note(lambda: items.__setitem__(key, before))
    return before


def _put(table: Table, item_attrs: dict[str, Any], *args: Any, **more: Any) -> Item:
    _note_item(_place(table, item_attrs))
    return _put_item(table, item_attrs, *args, **more)


def _delete(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
    place = (table.items[hash_key], range_key) if range_key else (table.items, hash_key)
    _note_item(place)
    return _delete_item(table, hash_key, range_key)


def _update(
    backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **more: Any
) -> Item:
    table = backend.get_table(table_name)
    place = _place(table, key)
    before = _note_item(place)
    if place and before is not None:
        # moto changes the item in place, so it gets a copy, and the original is kept.
        place[0][place[1]] = copy.deepcopy(before)
        return _update_item(backend, table_name, key, *args, **more)
    # moto first puts an item with only its key, with a stream record of its own.
    shard, table.stream_shard = table.stream_shard, None
    try:
        item = _update_item(backend, table_name, key, *args, **more)
    finally:
        table.stream_shard = shard
    if shard is not None:
        shard.add(None, item)
    return item


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    # moto's copies of the tables are the tables themselves.
    with patch.object(Table, "__deepcopy__", lambda table, _: table, create=True):
        _transact_write_items(backend, transact_items)


def _add_record(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    add_record(shard, old, new)
    _undo.note(shard.items.pop)


@contextmanager
def atomic_requests() -> Iterator[None]:
    """Undo the changes of failed requests, without replacing tables, while the context lasts."""
    with ExitStack() as changes:
        changes.enter_context(patch.object(Table, "put_item", _put))
        changes.enter_context(patch.object(Table, "delete_item", _delete))
        changes.enter_context(patch.object(DynamoDBBackend, "update_item", _update))
        changes.enter_context(patch.object(DynamoDBBackend, "transact_write_items", _transact))
        changes.enter_context(patch.object(StreamShard, "add", _add_record))
        for owner, name in (
            *((DynamoDBBackend, name) for name in _OF_THE_BACKEND),
            (DynamoHandler, "call_action"),
        ):
            changes.enter_context(patch.object(owner, name, _all_or_nothing(getattr(owner, name))))
        yield
