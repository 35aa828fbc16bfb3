"""Execute BatchWriteItem requests, and refuse those that DynamoDB refuses.

moto executes most of these, and checks the keys of all others once more.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import (
    DynamoHandler,
    validate_put_has_empty_attrs,
    validate_put_has_empty_keys,
)

from local.moto_patches.tables import all_or_nothing

_MOST_REQUESTS = 25
_EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
    "contain an empty string value. Key: {}"
)


def _check(batches: Mapping[str, list[Any]], handler: DynamoHandler) -> None:
    """Raise moto's validation error if DynamoDB would refuse these requests."""
    if not batches or not all(batches.values()):
        raise MockValidationException(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            f"Member must have length between 1 and {_MOST_REQUESTS}, inclusive"
        )
    if sum(map(len, batches.values())) > _MOST_REQUESTS:
        raise MockValidationException("Too many items requested for the BatchWriteItem call")
    for name, requests in batches.items():
        table = handler.dynamodb_backend.get_table(name)
        keys = [_checked_key(table, request) for request in requests]
        if len({*keys}) < len(keys):
            raise MockValidationException("Provided list of item keys contains duplicates")


def _checked_key(table: Table, request: Mapping[str, Any]) -> tuple[DynamoType, ...]:
    """Return the key of a put or a delete, if the request is valid."""
    if request.keys() not in ({"PutRequest"}, {"DeleteRequest"}):
        raise MockValidationException(
            "Each request has to have either a PutRequest or a DeleteRequest"
        )
    put = request.get("PutRequest")
    attributes = put["Item"] if put else request["DeleteRequest"]["Key"]
    validate_put_has_empty_keys(attributes, table, custom_error_msg=_EMPTY_KEY)
    validate_put_has_empty_attrs(attributes, table)
    types: dict[str, str | None] = {table.hash_key_attr: table.hash_key_type}
    if table.range_key_attr:
        types[table.range_key_attr] = table.range_key_type
    named = {name: attributes[name] for name in attributes if not put or name in types}
    if {name: next(iter(value)) for name, value in named.items()} != types:
        raise MockValidationException("The provided key element does not match the schema")
    return tuple(DynamoType(attributes[name]) for name in types)


def _batch_write_item(handler: DynamoHandler) -> ActionResult:
    batches = handler.body["RequestItems"]
    _check(batches, handler)
    backend = handler.dynamodb_backend
    with all_or_nothing():
        for name, requests in batches.items():
            for request in requests:
                if "PutRequest" in request:
                    backend.put_item(name, request["PutRequest"]["Item"])
                else:
                    backend.delete_item(name, request["DeleteRequest"]["Key"])
    return ActionResult({"ItemCollectionMetrics": {}, "UnprocessedItems": {}})


@contextmanager
def batch_writes_of_dynamodb() -> Iterator[None]:
    """Execute the batches of writes that DynamoDB executes, while the context lasts."""
    with patch.object(DynamoHandler, "batch_write_item", _batch_write_item):
        yield
