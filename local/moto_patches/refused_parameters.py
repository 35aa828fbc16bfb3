"""Refuse parameters that moto ignores or gives another meaning, before it does anything.

They are those that expressions have replaced, and the projection of TransactGetItems:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.responses import DynamoHandler

_INSTEAD = {
    "AttributeUpdates": "UpdateExpression",
    "AttributesToGet": "ProjectionExpression",
    "ConditionalOperator": "AND and OR in an expression",
    "Expected": "ConditionExpression",
    "QueryFilter": "FilterExpression",
    "ScanFilter": "FilterExpression",
}
"""By what to replace each of the parameters that were there before expressions."""
_OPERATIONS = ("get_item", "put_item", "update_item", "delete_item", "query", "scan")


def _refused(name: str, instead: str) -> MockValidationException:
    return MockValidationException(
        f"The local ring does not execute {name}, which moto would ignore or misread, though "
        f"DynamoDB accepts it. No item was changed. Use {instead} instead "
        "(docs/explanation/servers.md)."
    )


def _check_parameters(body: Mapping[str, Any]) -> None:
    for name in sorted(body.keys() & _INSTEAD.keys()):
        raise _refused(name, _INSTEAD[name])


def _check_tables(body: Mapping[str, Any]) -> None:
    for table in body["RequestItems"].values():
        _check_parameters(table)


def _check_gets(body: Mapping[str, Any]) -> None:
    if any("ProjectionExpression" in entry["Get"] for entry in body["TransactItems"]):
        raise _refused(
            "the ProjectionExpression of a TransactGetItems", "whole items, or BatchGetItem"
        )


def _checked(
    operation: Callable[[DynamoHandler], Any], check: Callable[[Mapping[str, Any]], None]
) -> Callable[[DynamoHandler], Any]:
    @functools.wraps(operation)
    def checked(handler: DynamoHandler) -> Any:
        check(handler.body)
        return operation(handler)

    return checked


@contextmanager
def unknown_parameters_refused() -> Iterator[None]:
    """Refuse requests with parameters that moto does not act upon, while the context lasts."""
    checks = dict.fromkeys(_OPERATIONS, _check_parameters) | {
        "batch_get_item": _check_tables,
        "transact_get_items": _check_gets,
    }
    with ExitStack() as changes:
        for name, check in checks.items():
            ours = _checked(getattr(DynamoHandler, name), check)
            changes.enter_context(patch.object(DynamoHandler, name, ours))
        yield
