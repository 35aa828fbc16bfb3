"""Refusals of the PartiQL statements at which moto's parser fails.

moto answers those with 500, which SDKs take for the service's own fault: they try again and again,
and tell the name of a Python error in the end. Here they are answered with 400 and the reason, and
nothing of the request is done. `docs/stores.md` says which statements these are.
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
    """Refuse what moto's parser does not understand, for as long as the context lasts."""
    with ExitStack() as changes:
        for place, name, change in (
            (DynamoDBBackend, "execute_statement", _statement),
            (DynamoDBBackend, "execute_transaction", _transaction),
            (partiql, "get_query_metadata", _metadata),
        ):
            changes.enter_context(patch.object(place, name, change))
        yield


@contextmanager
def _refusing(statement: str) -> Iterator[None]:
    try:
        yield
    except (JsonRESTError, ServiceException):
        raise
    except Exception as error:
        shown = statement if len(statement) <= _SHOWN else f"{statement[:_SHOWN]}..."
        raise MockValidationException(
            f"The local ring cannot do this PartiQL statement, and did nothing of it: {shown} - "
            f"moto's parser fails at it ({error!r}); DynamoDB may take it. It wants blanks around "
            "`=`, and values of an UPDATE as `?` (docs/stores.md). Or use GetItem, Query, PutItem, "
            "UpdateItem or DeleteItem."
        ) from error


def _statement(
    backend: DynamoDBBackend, statement: str, parameters: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    with _refusing(statement):
        return _execute_statement(backend, statement, parameters)


def _transaction(
    backend: DynamoDBBackend, statements: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Do nothing of a transaction if one of its statements is refused; moto did those before it."""
    with patch.object(partiql, "query", _without_writes):
        _execute_transaction(backend, deepcopy(statements))
    return _execute_transaction(backend, statements)


def _without_writes(*asked: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    found, _ = _query(*asked)
    return found, {}


def _metadata(statement: str) -> Any:
    """Describe a statement of a batch, with the tables' names as they are without quotes."""
    with _refusing(statement):
        found = _get_query_metadata(statement)
    found._tables = {word: name.strip('"') for word, name in found._tables.items()}
    return found
