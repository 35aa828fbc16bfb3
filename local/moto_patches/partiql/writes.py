"""PartiQL statements that write one item with parameters, executed on moto's tables.

moto's parser takes no parameter in an INSERT or a DELETE, replaces an item that is there, and reads
all tables for each statement. Two forms are executed here as DynamoDB documents them:

    INSERT INTO "table" VALUE {'name': ?, ...}
    DELETE FROM "table" WHERE "name" = ? AND ...   (a simple name needs no quotes)

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    DynamodbException,
    MockValidationException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import (
    validate_put_has_empty_attrs,
    validate_put_has_empty_keys,
    validate_put_has_gsi_keys_set_to_none,
)

_TABLE = r'"(?P<table>[\w.-]+)"'
_NAME_IN_TEXT = r"'((?:[^']|'')+)'"
_NAME_IN_PATH = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
_ATTRIBUTE = rf"{_NAME_IN_TEXT}\s*:\s*\?"
_COMPARISON = rf"({_NAME_IN_PATH})\s*=\s*\?"
_INSERT = re.compile(
    rf"\s*INSERT\s+INTO\s+{_TABLE}\s+VALUE\s*"
    rf"\{{(?P<rest>\s*{_ATTRIBUTE}(?:\s*,\s*{_ATTRIBUTE})*\s*)\}}\s*",
    re.IGNORECASE,
)
_DELETE = re.compile(
    rf"\s*DELETE\s+FROM\s+{_TABLE}\s+WHERE\s+"
    rf"(?P<rest>{_COMPARISON}(?:\s+AND\s+{_COMPARISON})*)\s*",
    re.IGNORECASE,
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


@dataclass(frozen=True)
class WriteStatement:
    """A statement of one of the two forms. `names` are those of its parameters, in order."""

    kind: Literal["INSERT", "DELETE"]
    table: str
    names: tuple[str, ...]

    def execute(self, backend: DynamoDBBackend, parameters: Sequence[Any]) -> None:
        """Execute it. Raises moto's errors, `DuplicateItemError` among them."""
        if len(parameters) != len(self.names):
            raise MockValidationException(
                "Number of parameters in request and statement don't match."
            )
        table = backend.get_table(self.table)
        attributes = dict(zip(self.names, parameters, strict=True))
        if self.kind == "INSERT":
            insert(backend, table, attributes)
        else:
            delete(backend, table, attributes)


@lru_cache(maxsize=1000)
def write_statement(text: str) -> WriteStatement | None:
    """Parse a statement; None if it has neither form."""
    if found := _INSERT.fullmatch(text):
        names = [name.replace("''", "'") for name in re.findall(_ATTRIBUTE, found["rest"])]
        return _statement("INSERT", found["table"], names)
    if found := _DELETE.fullmatch(text):
        names = [_unquoted(name) for name in re.findall(_COMPARISON, found["rest"])]
        return _statement("DELETE", found["table"], names)
    return None


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _statement(
    kind: Literal["INSERT", "DELETE"], table: str, names: Sequence[str]
) -> WriteStatement | None:
    """Return a statement; None if a name occurs twice, which says nothing about one item."""
    return WriteStatement(kind, table, tuple(names)) if len({*names}) == len(names) else None


def insert(backend: DynamoDBBackend, table: Table, item: dict[str, Any]) -> None:
    """Create an item. Raises `DuplicateItemError` if there is one with its key."""
    validate_put_has_empty_keys(item, table)
    validate_put_has_empty_attrs(item, table)
    validate_put_has_gsi_keys_set_to_none(item, table)
    if {*table.table_key_attrs} <= item.keys() and find(backend, table, item) is not None:
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
    key = {name: values[name] for name in table.table_key_attrs}
    item = backend.get_item(table.name, key)
    return None if item is None else item.to_json()["Attributes"]
