"""Execute PartiQL statements of a few forms, and reject all others.

moto answers many of these wrongly, or with status 500: SDKs retry this several times, and then
report a Python error. Here the response is 400 with the reason, and nothing is executed.
`docs/explanation/servers.md` lists these statements.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.parsing import partiql

from local.moto_patches.partiql.forms import Statement, statement_of
from local.moto_patches.partiql.writes import RefusedDeleteError, write_statement
from local.moto_patches.tables import all_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 200

_MOST_STATEMENTS = 25
_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ResourceNotFoundException": "ResourceNotFound",
    "ValidationException": "ValidationError",
}
"""Codes of a statement's error in a batch, by those of a single request:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html"""

_execute_transaction = DynamoDBBackend.execute_transaction
_get_query_metadata = partiql.get_query_metadata


@contextmanager
def partiql_writes_and_refusals() -> Iterator[None]:
    """Execute writes with parameters, and reject what moto cannot, while the context lasts."""
    with ExitStack() as changes:
        for owner, name, change in (
            (DynamoDBBackend, "execute_statement", _statement),
            (DynamoDBBackend, "execute_transaction", _transaction),
            (DynamoDBBackend, "batch_execute_statement", _batch),
        ):
            changes.enter_context(patch.object(owner, name, change))
        yield


@contextmanager
def _errors_as_400(statement: str) -> Iterator[None]:
    try:
        yield
    except (JsonRESTError, ServiceException):
        raise
    except Exception as error:
        raise _refused(statement, f"moto fails ({error!r})") from error


def _refused(statement: str, reason: str) -> MockValidationException:
    shown = statement if len(statement) <= _SHOWN else f"{statement[:_SHOWN]}..."
    return MockValidationException(
        f"The local ring cannot execute this PartiQL statement: {shown} - {reason}, though "
        "DynamoDB may accept it. Nothing was executed. Use one of the forms in "
        "docs/explanation/servers.md, or GetItem, Query, PutItem, UpdateItem or DeleteItem."
    )


def _statement(
    backend: DynamoDBBackend, statement: str, parameters: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    if write := write_statement(statement):
        write.execute(backend, parameters)
        return []
    found = statement_of(statement)
    if found is None:
        raise _refused(statement, "it has none of the forms that are executed here")
    with _errors_as_400(statement):
        return found.execute(backend, parameters)


def _batch(backend: DynamoDBBackend, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Execute each statement by itself, if all of them can be."""
    if not 0 < len(statements) <= _MOST_STATEMENTS:
        raise MockValidationException(
            "1 validation error detected: Value at 'statements' failed to satisfy constraint: "
            f"Member must have length between 1 and {_MOST_STATEMENTS}, inclusive"
        )
    for statement in statements:
        if write_statement(statement["Statement"]) or statement_of(statement["Statement"]):
            continue
        with _errors_as_400(statement["Statement"]):
            _get_query_metadata(statement["Statement"])
    return [_one_of_batch(backend, statement) for statement in statements]


def _one_of_batch(backend: DynamoDBBackend, statement: dict[str, Any]) -> dict[str, Any]:
    text = statement["Statement"]
    named = write_statement(text) or statement_of(text)
    try:
        if isinstance(named, Statement):
            named.check_key(backend)
        items = _statement(backend, text, statement.get("Parameters", []))
    except JsonRESTError as error:
        code = _CODES.get(error.relative_error_type, error.relative_error_type)
        failed: dict[str, Any] = {"Code": code, "Message": error.message}
        returns_item = statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        if returns_item and isinstance(error, RefusedDeleteError):
            failed["Item"] = error.item
        return {"Error": failed}
    answer: dict[str, Any] = {"TableName": named.table} if named else {}
    return {**answer, "Item": items[0]} if items else answer


def _transaction(
    backend: DynamoDBBackend, statements: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Execute no statement of a transaction if one is rejected; moto executes those before it."""
    for statement in statements:
        if write_statement(statement["Statement"]):
            raise _refused(statement["Statement"], "it is part of a transaction")
    with all_or_nothing():
        return _execute_transaction(backend, statements)
