"""A Store that writes and reads for many keys in one request.

A batch of statements carries 25 writes, each with its own condition and outcome, and costs what
the writes cost; but only what creates an item or takes it away can be said so. An INSERT is a put
where nothing stands, a DELETE takes the stub away. What replaces an item stays a PutItem: UPDATE
leaves attributes standing that it does not name (docs/decisions/0008-batched-writes.md).

Whatever a batch cannot say, or answers with too little, is asked again alone, in the way that
``DynamoStore`` has for it: every such call is conditional, so asking twice is harmless.

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

_MOST_STATEMENTS, _MOST_KEYS = 25, 100
_LONGEST = 8192
"""Letters of a statement:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementRequest.html"""
_LARGEST = 45_000
"""Letters of a statement's attributes, each of which is 12 bytes of JSON at the most: so that a
request stays below 16 MB, beyond which nothing of it is done. AWS names that limit for
BatchWriteItem, none for statements; servers that copy it answer with 413, or close the connection.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""

# Errors of a statement that say less than the same write alone: the first two not what stands
# there (an INSERT returns no item), the others not in the words that ``handler.errors`` knows.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_NEEDS_SINGLE_CALL = {"DuplicateItem", "ConditionalCheckFailed", "ValidationError"}

# One item of a wrong shape can refuse them all; alone, each has its own answer.
_WHOLE_BATCH_REFUSED = {"ValidationException", "SerializationException"}

_TEXT, _PATH = "'", '"'

Statement = Mapping[str, Any]
StatementBuilder = Callable[[str, tuple[str, ...]], str]
"""Says a statement about a table and some attributes by their names."""


class BatchingStore(DynamoStore):
    """A Store over DynamoDB's API that gathers what it can."""

    def __init__(self, *store: Any, **more: Any) -> None:
        """Take what DynamoStore takes."""
        super().__init__(*store, **more)
        self._statements: RequestBatcher[Statement, bool] = RequestBatcher(
            self._execute, _MOST_STATEMENTS, self._gate
        )
        self._keys: RequestBatcher[Key, Item | None] = RequestBatcher(
            self._get_tombstones, _MOST_KEYS, self._gate
        )

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See Store. A stub mostly takes the place of an item, so no INSERT is tried for it."""
        creates = isinstance(condition, IfOlder) and condition.or_absent and DELETED not in item
        if creates and await self._insert(self._table, item):
            return Written(None)
        return await super().put(key, item, condition)

    async def delete_stub(self, key: Key, version: Version) -> None:
        """See Store."""
        wanted = {**key, VERSION: {"S": version}, DELETED: {"BOOL": True}}
        if not await self._execute_statement(_deletion, self._table, wanted):
            await super().delete_stub(key, version)

    async def get_tombstone(self, key: Key) -> Write | None:
        """See Store."""
        if self._tombstones is None:
            return None
        try:
            return parse_tombstone(await self._keys.submit(key))
        except ClientError as error:
            if not _is_whole_batch_refused(error):
                raise
        return await super().get_tombstone(key)

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        if self._tombstones and await self._insert(self._tombstones, self._kept(delete)):
            return None
        return await super().put_tombstone(key, delete)

    async def _insert(self, table: str, item: Item) -> bool:
        return await self._execute_statement(_insertion, table, item)

    async def _execute_statement(self, say: StatementBuilder, table: str, attributes: Item) -> bool:
        """Execute a statement about some attributes; whether that settled it."""
        if len(repr(attributes)) > _LARGEST:
            return False
        text = say(table, tuple(attributes))
        if len(text) > _LONGEST:
            return False
        statement = {"Statement": text, "Parameters": list(attributes.values())}
        return await self._statements.submit(statement)

    async def _execute(self, statements: list[Statement]) -> list[bool | Exception]:
        """Execute some statements; of each, whether that settled it, or what went wrong."""
        try:
            answer = await self._call("BatchExecuteStatement", {"Statements": statements})
        except ClientError as error:
            if not _is_whole_batch_refused(error):
                raise
            return [False] * len(statements)
        return [_outcome(one.get("Error")) for one in answer["Responses"]]

    async def _get_tombstones(self, keys: list[Key]) -> list[Item | Exception | None]:
        """Read the tombstones of some keys."""
        assert self._tombstones is not None
        wanted = {_name(key): key for key in keys}
        asked = {self._tombstones: {"Keys": list(wanted.values()), "ConsistentRead": True}}
        answer = await self._call("BatchGetItem", {"RequestItems": asked})
        found = dict.fromkeys(wanted)
        left_out = answer.get("UnprocessedKeys", {}).get(self._tombstones, {}).get("Keys", ())
        found |= {_name(key): _error("ThrottlingException", "left out") for key in left_out}
        for item in answer["Responses"].get(self._tombstones, ()):
            found[_name({name: item[name] for name in keys[0]})] = item
        return [found[_name(key)] for key in keys]


def _is_whole_batch_refused(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _WHOLE_BATCH_REFUSED


def _outcome(error: Mapping[str, Any] | None) -> bool | Exception:
    if error is None:
        return True
    code = error.get("Code", "")
    return False if code in _NEEDS_SINGLE_CALL else _error(code, error.get("Message", ""))


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Batch")


@lru_cache(256)
def _insertion(table: str, names: tuple[str, ...]) -> str:
    attributes = ", ".join(f"{_quoted(name, _TEXT)}: ?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{attributes}}}'


@lru_cache(256)
def _deletion(table: str, names: tuple[str, ...]) -> str:
    condition = " AND ".join(f"{_quoted(name, _PATH)} = ?" for name in names)
    return f'DELETE FROM "{table}" WHERE {condition}'


def _quoted(name: str, mark: str) -> str:
    return f"{mark}{name.replace(mark, 2 * mark)}{mark}"


def _name(key: Key) -> tuple[tuple[str, str, Any], ...]:
    """A key as a value to find it by, however its numbers are spelled."""
    return tuple(
        (name, kind, _number(value) if kind == "N" else value)
        for name in sorted(key)
        for kind, value in key[name].items()
    )


def _number(text: str) -> Decimal | str:
    """What a text says, however it is spelled; a text that says no number will be refused."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text
