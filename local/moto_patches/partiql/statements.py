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
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    DynamodbException,
    MockValidationException,
    MultipleTransactionsException,
    TransactionCanceledException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.parsing import partiql

from local.moto_patches.partiql.forms import Statement, statement_of
from local.moto_patches.partiql.writes import DuplicateItemError, RefusedDeleteError
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
    found = _form(statement)
    with all_or_nothing(), _errors_as_400(statement):
        return found.execute(backend, parameters)


def _batch(backend: DynamoDBBackend, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Execute each statement by itself, if all of them can be."""
    if not 0 < len(statements) <= _MOST_STATEMENTS:
        raise MockValidationException(
            "1 validation error detected: Value at 'statements' failed to satisfy constraint: "
            f"Member must have length between 1 and {_MOST_STATEMENTS}, inclusive"
        )
    for statement in statements:
        if statement_of(statement["Statement"]):
            continue
        with _errors_as_400(statement["Statement"]):
            _get_query_metadata(statement["Statement"])
    return [_one_of_batch(backend, statement) for statement in statements]


def _one_of_batch(backend: DynamoDBBackend, statement: dict[str, Any]) -> dict[str, Any]:
    text = statement["Statement"]
    named = statement_of(text)
    try:
        if named is not None:
            named.check_key(backend, "BatchExecuteStatement")
        items = _statement(backend, text, statement.get("Parameters", []))
    except JsonRESTError as error:
        code = _CODES.get(error.relative_error_type, error.relative_error_type)
        failed: dict[str, Any] = {"Code": code, "Message": error.message}
        if item := _item_of(statement, error):
            failed["Item"] = item
        return {"Error": failed}
    answer: dict[str, Any] = {"TableName": named.table} if named else {}
    return {**answer, "Item": items[0]} if items else answer


def _transaction(
    backend: DynamoDBBackend, statements: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Execute all statements of a transaction, or none of them and say why of each."""
    _check_transaction(backend, statements)
    answers: list[dict[str, Any]] = []
    reasons: list[tuple[str | None, str | None, Any]] = []
    with all_or_nothing():
        for statement in statements:
            try:
                items = _statement(backend, statement["Statement"], statement.get("Parameters", []))
                answers += [{"Item": item} for item in items]
                reasons.append((None, None, None))
            except (ConditionalCheckFailed, DuplicateItemError) as error:
                reasons.append(_reason(statement, error))
        if any(code for code, _, _ in reasons):
            raise TransactionCanceledException(reasons)
    return answers


def _check_transaction(backend: DynamoDBBackend, statements: list[dict[str, Any]]) -> None:
    """Raise moto's error for what no transaction may be.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.transactions.html
    """
    forms = [_form(statement["Statement"]) for statement in statements]
    if len({form.kind == "SELECT" for form in forms}) > 1:
        raise MockValidationException(
            "A transaction has statements that read, or statements that write, and not both."
        )
    items = set()
    for form, statement in zip(forms, statements, strict=True):
        form.check_key(backend, "ExecuteTransaction")
        items.add(form.item(backend, statement.get("Parameters", [])))
    if len(items) < len(statements):
        raise MultipleTransactionsException


def _form(text: str) -> Statement:
    found = statement_of(text)
    if found is None:
        raise _refused(text, "it has none of the forms that are executed here")
    return found


def _reason(statement: dict[str, Any], error: DynamodbException) -> tuple[str, str, Any]:
    """Return the code, message and item of why a statement cancels its transaction."""
    code = _CODES[error.relative_error_type]
    return code, error.message, _item_of(statement, error)


def _item_of(statement: dict[str, Any], error: Exception) -> Any:
    """Return the item that a refused DELETE leaves, if the statement asks for it."""
    asked = statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return error.item if asked and isinstance(error, RefusedDeleteError) else None
