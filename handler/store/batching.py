"""A Store that writes and reads for many keys in one request.

A batch of PartiQL statements takes 25 writes, each with its own condition and outcome, and costs
what the writes cost; but it can only create items (INSERT, if there is none) and delete stubs
(DELETE). What replaces an item stays a PutItem, since UPDATE keeps attributes that it does not name
(docs/decisions/0008-batched-writes.md).

A write that a statement cannot express, or whose outcome says too little, is made by a single call
of ``DynamoStore``. Every such call is conditional, so making it twice is harmless.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError

from handler.model.image import DELETED, VERSION, Item, Key, Write
from handler.model.version import Version
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    DynamoStore,
    IfOlder,
    Written,
    parse_tombstone,
)
from handler.store.request_batcher import RequestBatcher

_MAX_STATEMENTS, _MAX_KEYS = 25, 100
_MAX_STATEMENT_LENGTH = 8192
"""Characters of a statement:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementRequest.html"""
_MAX_ATTRIBUTES_LENGTH = 45_000
"""Characters of a statement's attributes, at most 12 bytes of JSON each: so a request stays below
16 MB, above which it is rejected as a whole. AWS documents that limit for BatchWriteItem, none for
statements; servers that copy DynamoDB respond with 413, or close the connection.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""

# Errors of a statement that say less than those of a single call: the first two lack the item that
# is there (an INSERT returns none), the third the message that ``handler.errors`` classifies.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_NEEDS_SINGLE_CALL = {"DuplicateItem", "ConditionalCheckFailed", "ValidationError"}

# One invalid item can fail a whole batch, and so can the size of them all. In single calls, each
# item has its own response.
_WHOLE_BATCH_REJECTED = {
    "ItemCollectionSizeLimitExceededException",
    "SerializationException",
    "ValidationException",
}
_TOO_LARGE = 413
"""HTTP's Content Too Large."""

_TEXT_QUOTE, _PATH_QUOTE = "'", '"'

Statement = Mapping[str, Any]
Response = Mapping[str, Any]
"""The response to a statement: with ``Item``, if it returns one."""
StatementBuilder = Callable[[str, tuple[str, ...]], str]
"""Makes the text of a statement from a table's name and the names of attributes."""


class BatchingStore(DynamoStore):
    """Store on DynamoDB's API that batches the calls that can be batched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """See DynamoStore."""
        super().__init__(*args, **kwargs)
        self._statements: RequestBatcher[Statement, Response | None] = RequestBatcher(
            self._execute, _MAX_STATEMENTS, self._gate
        )
        self._keys: RequestBatcher[Key, Item | None] = RequestBatcher(
            self._get_tombstones, _MAX_KEYS, self._gate
        )

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See Store. A stub mostly replaces an item, so no INSERT is tried for it."""
        creates = isinstance(condition, IfOlder) and condition.or_absent and DELETED not in item
        if creates and await self._insert(self._table, item):
            return Written(None)
        return await super().put(key, item, condition)

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        stub = {**key, VERSION: {"B": version}, DELETED: {"BOOL": True}}
        deleted = await self._execute_statement(_delete_statement, self._table, stub)
        if deleted is None:
            return await super().delete_stub(key, version)
        return Written(None) if "Item" in deleted else ConditionFailed(None)

    async def get_tombstone(self, key: Key) -> Write | None:
        """See Store."""
        if self._tombstones is None:
            return None
        try:
            return parse_tombstone(await self._keys.submit(key))
        except ClientError as error:
            if not _is_whole_batch_rejected(error):
                raise
        return await super().get_tombstone(key)

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        if self._tombstones and await self._insert(self._tombstones, self._tombstone_item(delete)):
            return None
        return await super().put_tombstone(key, delete)

    async def _insert(self, table: str, item: Item) -> bool:
        return await self._execute_statement(_insert_statement, table, item) is not None

    async def _execute_statement(
        self, build: StatementBuilder, table: str, attributes: Item
    ) -> Response | None:
        """Execute a statement on attributes; None if a single call has to be made instead."""
        if len(repr(attributes)) > _MAX_ATTRIBUTES_LENGTH:
            return None
        text = build(table, tuple(attributes))
        if len(text) > _MAX_STATEMENT_LENGTH:
            return None
        statement = {"Statement": text, "Parameters": list(attributes.values())}
        return await self._statements.submit(statement)

    async def _execute(self, statements: list[Statement]) -> list[Response | Exception | None]:
        """Execute statements; of each, an error, or None if a single call has to replace it."""
        try:
            response = await self._call("BatchExecuteStatement", {"Statements": statements})
        except ClientError as error:
            if not _is_whole_batch_rejected(error):
                raise
            return [None] * len(statements)
        return [_outcome(result) for result in response["Responses"]]

    async def _get_tombstones(self, keys: list[Key]) -> list[Item | Exception | None]:
        """Read the tombstones of keys; of each, the item, None, or an error if it was not read."""
        assert self._tombstones is not None
        by_identity = {_identity(key): key for key in keys}
        request = {self._tombstones: {"Keys": list(by_identity.values()), "ConsistentRead": True}}
        response = await self._call("BatchGetItem", {"RequestItems": request})
        found = dict.fromkeys(by_identity)
        left_out = response.get("UnprocessedKeys", {}).get(self._tombstones, {}).get("Keys", ())
        found |= {_identity(key): _error("ThrottlingException", "left out") for key in left_out}
        for item in response["Responses"].get(self._tombstones, ()):
            found[_identity({name: item[name] for name in keys[0]})] = item
        return [found[_identity(key)] for key in keys]


def _is_whole_batch_rejected(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return error.response["Error"]["Code"] in _WHOLE_BATCH_REJECTED or status == _TOO_LARGE


def _outcome(response: Response) -> Response | Exception | None:
    error = response.get("Error")
    if error is None:
        return response
    code = error.get("Code", "")
    return None if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Batch")


@lru_cache(256)
def _insert_statement(table: str, names: tuple[str, ...]) -> str:
    attributes = ", ".join(f"{_quoted(name, _TEXT_QUOTE)}: ?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{attributes}}}'


@lru_cache(256)
def _delete_statement(table: str, names: tuple[str, ...]) -> str:
    """Return a DELETE whose response has the item: where there is none, it succeeds, too.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html;
    in a batch: https://github.com/paritysuite/dynamodb-conformance/pull/103
    """
    condition = " AND ".join(f"{_quoted(name, _PATH_QUOTE)} = ?" for name in names)
    return f'DELETE FROM "{table}" WHERE {condition} RETURNING ALL OLD *'


def _quoted(name: str, quote: str) -> str:
    return f"{quote}{name.replace(quote, 2 * quote)}{quote}"


def _identity(key: Key) -> tuple[tuple[str, str, Any], ...]:
    """Return a hashable value that is equal for equal keys, however their numbers are spelled."""
    return tuple(
        (name, kind, _number(value) if kind == "N" else value)
        for name in sorted(key)
        for kind, value in key[name].items()
    )


def _number(text: str) -> Decimal | str:
    """Return a number's value; a text that is no number stays one, and DynamoDB rejects it."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text
