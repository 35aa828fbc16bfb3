"""Refuse requests that name one item twice, also by numbers of different spelling.

moto compares the keys of a transaction and of a BatchGetItem as texts, and takes 1 and 1.0 for two
items in them, and for one in its tables.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any
from unittest.mock import patch

from moto.dynamodb.exceptions import MockValidationException, MultipleTransactionsException
from moto.dynamodb.responses import DynamoHandler

Identity = tuple[object, ...]


def identity(table: str, names: Iterable[str], values: Mapping[str, Any]) -> Identity:
    """Return a value that is equal for requests about one item, and for no others.

    `names` are the table's keys, and `values` an item, or as much of it as a request has.
    """
    return table, *(_comparable(values.get(name)) for name in names)


def _comparable(value: Any) -> object:
    if isinstance(value, Mapping) and isinstance(number := value.get("N"), str):
        try:
            return Decimal(number)
        except InvalidOperation:
            return number  # which is refused as no number
    return repr(value)


def _has_duplicates(named: Sequence[Identity]) -> bool:
    return len({*named}) < len(named)


def _check_transaction(handler: DynamoHandler) -> None:
    operations = [one for item in handler.body["TransactItems"] for one in item.values()]
    if _has_duplicates([_item_of(operation, handler) for operation in operations]):
        raise MultipleTransactionsException


def _item_of(operation: Mapping[str, Any], handler: DynamoHandler) -> Identity:
    name = operation["TableName"]
    keys = handler.dynamodb_backend.get_table(name).table_key_attrs
    return identity(name, keys, operation.get("Item") or operation.get("Key") or {})


def _check_batch(handler: DynamoHandler) -> None:
    for table, asked in handler.body["RequestItems"].items():
        keys = asked.get("Keys") or ()
        if _has_duplicates([identity(table, sorted(key), key) for key in keys]):
            raise MockValidationException("Provided list of item keys contains duplicates")


def _checked(
    operation: Callable[[DynamoHandler], Any], check: Callable[[DynamoHandler], None]
) -> Callable[[DynamoHandler], Any]:
    @functools.wraps(operation)
    def checked(handler: DynamoHandler) -> Any:
        check(handler)
        return operation(handler)

    return checked


@contextmanager
def items_named_once() -> Iterator[None]:
    """Refuse such requests before moto executes them, while the context lasts."""
    write = _checked(DynamoHandler.transact_write_items, _check_transaction)
    read = _checked(DynamoHandler.batch_get_item, _check_batch)
    with (
        patch.object(DynamoHandler, "transact_write_items", write),
        patch.object(DynamoHandler, "batch_get_item", read),
    ):
        yield
