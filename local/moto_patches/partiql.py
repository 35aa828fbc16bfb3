"""Reject PartiQL statements that moto's parser cannot handle.

moto answers them with status 500: SDKs retry this several times, and then report a Python error.
Here the response is 400 with the reason, and nothing of the request is executed.
`docs/explanation/servers.md` lists these statements.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.parsing import partiql

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 200

_execute_statement = DynamoDBBackend.execute_statement
_execute_transaction = DynamoDBBackend.execute_transaction
_get_query_metadata = partiql.get_query_metadata
_query = partiql.query


@contextmanager
def partiql_errors_as_400() -> Iterator[None]:
    """Reject statements that moto's parser cannot handle, while the context lasts."""
    with ExitStack() as changes:
        for owner, name, change in (
            (DynamoDBBackend, "execute_statement", _statement),
            (DynamoDBBackend, "execute_transaction", _transaction),
            (partiql, "get_query_metadata", _metadata),
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
        shown = statement if len(statement) <= _SHOWN else f"{statement[:_SHOWN]}..."
        raise MockValidationException(
            f"The local ring cannot execute this PartiQL statement: {shown} - moto's parser fails "
            f"({error!r}), though DynamoDB may accept it. Nothing was executed. Use blanks around "
            "`=` and `?` for the values of an UPDATE (docs/explanation/servers.md), or GetItem, "
            "Query, PutItem, UpdateItem or DeleteItem."
        ) from error


def _statement(
    backend: DynamoDBBackend, statement: str, parameters: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    with _errors_as_400(statement):
        return _execute_statement(backend, statement, parameters)


def _transaction(
    backend: DynamoDBBackend, statements: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Execute no statement of a transaction if one is rejected; moto executes those before it."""
    with patch.object(partiql, "query", _without_writes):
        _execute_transaction(backend, deepcopy(statements))
    return _execute_transaction(backend, statements)


def _without_writes(*args: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    items, _ = _query(*args)
    return items, {}


def _metadata(statement: str) -> Any:
    """Describe a statement of a batch, with table names without quotes."""
    with _errors_as_400(statement):
        found = _get_query_metadata(statement)
    found._tables = {word: name.strip('"') for word, name in found._tables.items()}
    return found
