"""One member's table and its tombstones, as the protocol sees them: every conditional write.

``Store`` is the whole of what a hop does to a member. ``DynamoStore`` is the real one; the
simulation has one in memory.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import ClientError

from handler.aws.api import DynamoDBApi
from handler.model.image import DELETED, VERSION, Image, Item, Key, Write, replicated_write
from handler.model.version import Version
from handler.store.request_batcher import RequestGate, no_gate

EXPIRES = "_repl_expires"


@dataclass(frozen=True)
class IfOlder:
    """Write if what stands there has no version or one older than this."""

    version: Version
    or_absent: bool = True
    """Whether to write also where nothing stands."""


@dataclass(frozen=True)
class IfVersionOlder:
    """Write only over a version older than this."""

    version: Version


@dataclass(frozen=True)
class IfUnchanged:
    """Write if the key still is as it was read: absent, or with the version that it had."""

    item: Item | None
    """What was read: None, or an item that has a version attribute, whatever it holds."""


Condition = IfOlder | IfVersionOlder | IfUnchanged


@dataclass(frozen=True)
class Written:
    """A write that was made, and what it replaced (None: nothing)."""

    replaced: Item | None


@dataclass(frozen=True)
class ConditionFailed:
    """A write that was refused, and what stood there instead (None: nothing)."""

    item: Item | None


class ItemTooLargeError(Exception):
    """With the ring's attributes the item is over DynamoDB's 400 KB; no retry will help."""


@dataclass(frozen=True)
class MemberTables:
    """The tables of one member, by name."""

    table: str
    tombstones: str | None
    """The tombstone table; None where none is kept."""
    retention: int
    """How long a tombstone is kept, in seconds."""


class Store(Protocol):
    """What a hop does to one member. Every read is strongly consistent."""

    async def read(self, key: Key) -> Item | None:
        """The item with that key."""

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """Write the whole item if the condition holds; say in any case what stood there.

        Raises:
            ItemTooLargeError: the item does not fit.
        """

    async def delete_stub(self, key: Key, version: Version) -> None:
        """Delete the item if it still is the stub of that version."""

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """Delete the item if it has no version or an older one; say what stood there."""

    async def get_tombstone(self, key: Key) -> Write | None:
        """The key's last delete; None also where no tombstones are kept."""

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """Keep a delete, unless the key has a newer or the same tombstone, which is returned."""


class DynamoStore:
    """A Store over DynamoDB's API."""

    def __init__(
        self,
        call: DynamoDBApi,
        tables: MemberTables,
        now: Callable[[], int] = lambda: int(time.time()),
        gate: RequestGate = no_gate,
    ) -> None:
        """Take what calls DynamoDB in the member's region, and the tables there.

        Args:
            call: makes one call of the API.
            tables: the member's tables.
            now: the time, in seconds since the epoch.
            gate: what lets a request begin.
        """
        self._call = call
        self._table = tables.table
        self._tombstones = tables.tombstones
        self._retention = tables.retention
        self._now = now
        self._gate = gate

    async def read(self, key: Key) -> Item | None:
        """See Store."""
        return await self._get(self._table, key)

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """See Store."""
        return await self._write(
            "PutItem",
            TableName=self._table,
            Item=item,
            ReturnValues="ALL_OLD",
            **_expression(key, condition),
        )

    async def delete_stub(self, key: Key, version: Version) -> None:
        """See Store."""
        await self._write(
            "DeleteItem",
            TableName=self._table,
            Key=key,
            ConditionExpression="#version = :version AND #deleted = :true",
            ExpressionAttributeNames={"#version": VERSION, "#deleted": DELETED},
            ExpressionAttributeValues={":version": {"S": version}, ":true": {"BOOL": True}},
        )

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        return await self._write(
            "DeleteItem",
            TableName=self._table,
            Key=key,
            ReturnValues="ALL_OLD",
            **_expression(key, IfOlder(version)),
        )

    async def get_tombstone(self, key: Key) -> Write | None:
        """See Store."""
        if self._tombstones is None:
            return None
        return parse_tombstone(await self._get(self._tombstones, key))

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """See Store."""
        if self._tombstones is None:
            return None
        outcome = await self._write(
            "PutItem",
            TableName=self._tombstones,
            Item=self._kept(delete),
            **_expression(key, IfOlder(delete.version)),
        )
        return parse_tombstone(outcome.item) if isinstance(outcome, ConditionFailed) else None

    def _kept(self, delete: Write) -> Item:
        """The tombstone as it stands in the table."""
        return {**delete.item, EXPIRES: {"N": str(self._now() + self._retention)}}

    async def _get(self, table: str, key: Key) -> Item | None:
        answer = await self._ask("GetItem", TableName=table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    async def _write(self, operation: str, **request: Any) -> Written | ConditionFailed:
        try:
            answer = await self._ask(
                operation, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                return ConditionFailed(error.response.get("Item"))  # type: ignore[arg-type]
            if code == "ValidationException" and "size has exceeded" in str(error):
                raise ItemTooLargeError(str(error)) from error
            raise
        return Written(answer.get("Attributes"))

    async def _ask(self, operation: str, **request: Any) -> Any:
        return await self._gate(partial(self._call, operation, request))


def parse_tombstone(kept: Item | None) -> Write | None:
    """The delete that a tombstone, as it stands in the table, remembers."""
    if kept is None:
        return None
    return replicated_write(Image({name: value for name, value in kept.items() if name != EXPIRES}))


def _expression(key: Key, condition: Condition) -> dict[str, Any]:
    """The condition as DynamoDB takes it; versions compare as texts, see ``model.version``."""
    names = {"#version": VERSION}
    # Whatever item stands there has its key attributes, so any of them tells whether one does.
    with_key = {"#key": next(iter(key))}
    older = "#version < :version"
    match condition:
        case IfOlder(version, or_absent=True):
            return _request(f"attribute_not_exists(#version) OR {older}", names, {"S": version})
        case IfOlder(version):
            exists = f"attribute_exists(#key) AND (attribute_not_exists(#version) OR {older})"
            return _request(exists, names | with_key, {"S": version})
        case IfVersionOlder(version):
            return _request(older, names, {"S": version})
        case IfUnchanged(item):
            if item is None:
                return _request("attribute_not_exists(#key)", with_key)
            return _request("#version = :version", names, item[VERSION])


def _request(condition: str, names: dict[str, str], version: Item | None = None) -> dict[str, Any]:
    values = {} if version is None else {"ExpressionAttributeValues": {":version": version}}
    return {"ConditionExpression": condition, "ExpressionAttributeNames": names, **values}
