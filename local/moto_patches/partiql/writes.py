"""Writes of PartiQL statements on moto's tables, as DynamoDB documents them.

moto replaces an item that is there by an INSERT, and reads all tables for each statement.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    DynamodbException,
    MockValidationException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as StoredItem
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import (
    validate_put_has_empty_attrs,
    validate_put_has_empty_keys,
    validate_put_has_gsi_keys_set_to_none,
)

Item = Mapping[str, Any]


class DuplicateItemError(DynamodbException):
    """An INSERT of an item that is there."""

    def __init__(self) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#DuplicateItemException",
            "Duplicate primary key exists in table",
        )


class RefusedDeleteError(ConditionalCheckFailed):
    """A DELETE of an item that has other attributes."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


def insert(backend: DynamoDBBackend, table: Table, item: dict[str, Any]) -> None:
    """Create an item. Raises `DuplicateItemError` if there is one with its key."""
    validate_put_has_empty_keys(item, table)
    validate_put_has_empty_attrs(item, table)
    validate_put_has_gsi_keys_set_to_none(item, table)
    if {*table.table_key_attrs} <= item.keys() and _stored(backend, table, item) is not None:
        raise DuplicateItemError
    backend.put_item(table.name, item, overwrite=True)


def delete(backend: DynamoDBBackend, table: Table, values: Item) -> None:
    """Delete the item that has these values, its key among them."""
    keys = {*table.table_key_attrs}
    if not keys <= values.keys():
        raise MockValidationException(
            "Where clause does not contain a mandatory equality on all key attributes"
        )
    found = find(backend, table, values)
    if found is None:
        return  # as DynamoDB: nothing is deleted, and that is no error
    for name in values.keys() - keys:
        if name not in found or DynamoType(found[name]) != DynamoType(values[name]):
            raise RefusedDeleteError(found)
    backend.delete_item(table.name, {name: values[name] for name in keys})


def find(backend: DynamoDBBackend, table: Table, values: Item) -> Item | None:
    """Return the item with the key that is in some values."""
    item = _stored(backend, table, values)
    return None if item is None else item.to_json()["Attributes"]


def _stored(backend: DynamoDBBackend, table: Table, values: Item) -> StoredItem | None:
    return backend.get_item(table.name, {name: values[name] for name in table.table_key_attrs})
