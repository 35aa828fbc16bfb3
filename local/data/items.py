"""Parse and validate a line of a data file as a DynamoDB item. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from local.data.dynamodb_json import BadItemError, Value, from_dynamodb_json, from_plain
from local.data.item_size import LIMIT, item_size

if TYPE_CHECKING:
    from ring.settings.sections import TableSettings

Item = dict[str, Value]
"""An item as boto3's low-level client takes it."""

RESERVED = "_repl_"
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_DEEPEST = 32
_TOO_DEEP = f"nested too deeply: DynamoDB's limit is {_DEEPEST} levels"
_PARTITION_KEY_BYTES = 2048
_SORT_KEY_BYTES = 1024


@dataclass(frozen=True)
class Schema:
    """Names of a table's key attributes, partition key first, and types of key attributes.

    `types` includes the keys of indexes: if an item has such an attribute, it must have this type.
    """

    keys: tuple[str, ...]
    types: Mapping[str, str]

    @classmethod
    def from_settings(cls, table: TableSettings) -> Schema:
        """Return the schema by a stack's settings."""
        names = tuple(key.name for key in table.key_attributes)
        return cls(names, {key.name: key.type for _, key in table.all_keys()})

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Schema:
        """Return the schema of a described table."""
        attributes = table["AttributeDefinitions"]
        return cls(
            tuple(element["AttributeName"] for element in table["KeySchema"]),
            {attribute["AttributeName"]: attribute["AttributeType"] for attribute in attributes},
        )


def parse_line(line: bytes, schema: Schema) -> Item:
    """Parse an item: a plain JSON object, DynamoDB JSON, or a line of an export to S3.

    An export wraps DynamoDB JSON in {"Item": ...}. The partition key distinguishes the other two:
    it has a plain value, or an object with the value's type. Numbers keep all their digits. Raises
    `BadItemError`.
    """
    try:
        return _item(line, schema)
    except RecursionError as error:
        raise BadItemError(_TOO_DEEP) from error


def _item(line: bytes, schema: Schema) -> Item:
    item = _to_item(_parse(line), schema.keys[0])
    for name in item:
        _check_name(name)
    for name, limit in zip(schema.keys, (_PARTITION_KEY_BYTES, _SORT_KEY_BYTES), strict=False):
        _check_key(item, name, schema.types[name], limit)
    for name in schema.types.keys() & item.keys():
        _check_type(item, name, schema.types[name])
    for value in item.values():
        _check_depth(value)
    if (size := item_size(item)) > LIMIT:
        raise BadItemError(f"about {size:,} bytes; DynamoDB's limit is {LIMIT:,}")
    return item


def _parse(line: bytes) -> dict[str, Any]:
    try:
        value = _DECODER.decode(line.decode().rstrip("\r\n"))
        if b"\\u" in line:  # only an escape can be half of a surrogate pair
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeDecodeError as error:
        raise BadItemError(f"not UTF-8: {error}") from error
    except UnicodeEncodeError as error:
        raise BadItemError(
            f"\\u{ord(error.object[error.start]):04x} is half of a surrogate pair, which UTF-8 "
            "cannot represent"
        ) from error
    except json.JSONDecodeError as error:
        raise BadItemError(f"not JSON: {error.msg} at column {error.colno}") from error
    except InvalidOperation as error:
        raise BadItemError("a number is out of DynamoDB's range") from error
    if not isinstance(value, dict):
        raise BadItemError("not a JSON object")
    return value


def _refuse(constant: str) -> None:
    raise BadItemError(f"{constant} is not a number in DynamoDB")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)


def _to_item(line: dict[str, Any], partition_key: str) -> Item:
    exported = line.get("Item")
    if len(line) == 1 and isinstance(exported, dict) and partition_key != "Item":
        line = exported
    elif not isinstance(line.get(partition_key), dict):
        return {name: from_plain(value, name) for name, value in line.items()}
    return {name: from_dynamodb_json(value, name) for name, value in line.items()}


def _check_name(name: str) -> None:
    if not name:
        raise BadItemError("an attribute has an empty name")
    if name.startswith(RESERVED):
        raise BadItemError(
            f"{name}: attributes that start with {RESERVED} are reserved for the ring; remove them"
        )


def _check_key(item: Item, name: str, kind: str, limit: int) -> None:
    if name not in item:
        raise BadItemError(f"the key attribute {name} is missing")
    _check_type(item, name, kind)
    size = _bytes(item[name][kind])
    if kind != "N" and size > limit:
        raise BadItemError(f"{name}: a key of {size:,} bytes; DynamoDB's limit is {limit:,}")


def _check_type(item: Item, name: str, kind: str) -> None:
    """Check an attribute that is a key of the table or of an index."""
    ((found, content),) = item[name].items()
    if found != kind:
        hint = " (use DynamoDB JSON for binary values)" if kind == "B" else ""
        raise BadItemError(f"{name}: the key must have type {kind}, not {found}{hint}")
    if not content:
        raise BadItemError(f"{name}: a key cannot be empty")


def _check_depth(value: Value, level: int = 1) -> None:
    if level > _DEEPEST:
        raise BadItemError(_TOO_DEEP)
    ((kind, content),) = value.items()
    if kind in ("L", "M"):
        for part in content if kind == "L" else content.values():
            _check_depth(part, level + 1)


def _bytes(content: str | bytes) -> int:
    return len(content.encode() if isinstance(content, str) else content)
