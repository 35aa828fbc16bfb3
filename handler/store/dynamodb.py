"""Interface to a member's table and tombstones, and its implementation on DynamoDB's API.

``Store`` has every call that a hop makes at a member. ``DynamoStore`` makes them at DynamoDB; the
simulation in tests/simulation has a store in memory.
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
    """Write if the item there has no version or one older than this."""

    version: Version
    or_absent: bool = True
    """Whether to write also if there is no item."""


@dataclass(frozen=True)
class IfVersionOlder:
    """Write only over an item with a version older than this."""

    version: Version


@dataclass(frozen=True)
class IfUnchanged:
    """Write if the item is as it was read: absent, or with the same version."""

    item: Item | None
    """The item that was read: None, or one with a version attribute, valid or not."""


Condition = IfOlder | IfVersionOlder | IfUnchanged


@dataclass(frozen=True)
class Written:
    """A successful write, with the item that it replaced; None: there was none."""

    replaced: Item | None


@dataclass(frozen=True)
class ConditionFailed:
    """A write whose condition failed, with the item that is there; None: there is none."""

    item: Item | None


class ItemTooLargeError(Exception):
    """An item over DynamoDB's 400 KB with the ring's attributes. No retry helps."""


@dataclass(frozen=True)
class MemberTables:
    """Names of a member's tables."""

    table: str
    tombstones: str | None
    """The tombstone table; None: the ring keeps no tombstones."""
    retention: int
    """Seconds that a tombstone is kept."""


class Store(Protocol):
    """Calls that a hop makes at one member. Every read is strongly consistent."""

    async def read(self, key: Key) -> Item | None:
        """Return the item with that key; None: there is none."""

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        """Write the whole item if the condition holds; return the item that was there.

        Raises:
            ItemTooLargeError: the item does not fit in DynamoDB's 400 KB.
        """

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        """Delete the item if it is the stub of that version."""

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        """Delete the item if it has no version or an older one; return the item that was there."""

    async def get_tombstone(self, key: Key) -> Write | None:
        """Return the key's last delete; None: there is none, or the ring keeps no tombstones."""

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        """Record a delete, unless the key has the same or a newer tombstone, which is returned."""


class DynamoStore:
    """Store on DynamoDB's API."""

    def __init__(
        self,
        call: DynamoDBApi,
        tables: MemberTables,
        now: Callable[[], int] = lambda: int(time.time()),
        gate: RequestGate = no_gate,
    ) -> None:
        """Make a store for one member.

        Args:
            call: makes one call of the API in the member's region.
            tables: the member's tables.
            now: returns the time, in seconds since the epoch.
            gate: limits concurrent requests.
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

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        """See Store."""
        return await self._write(
            "DeleteItem",
            TableName=self._table,
            Key=key,
            ConditionExpression="#version = :version AND #deleted = :true",
            ExpressionAttributeNames={"#version": VERSION, "#deleted": DELETED},
            ExpressionAttributeValues={":version": {"B": version}, ":true": {"BOOL": True}},
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
            Item=self._tombstone_item(delete),
            **_expression(key, IfOlder(delete.version)),
        )
        return parse_tombstone(outcome.item) if isinstance(outcome, ConditionFailed) else None

    def _tombstone_item(self, delete: Write) -> Item:
        """Make the item of a tombstone."""
        return {**delete.item, EXPIRES: {"N": str(self._now() + self._retention)}}

    async def _get(self, table: str, key: Key) -> Item | None:
        response = await self._request("GetItem", TableName=table, Key=key, ConsistentRead=True)
        found: Item | None = response.get("Item")
        return found

    async def _write(self, operation: str, **request: Any) -> Written | ConditionFailed:
        try:
            response = await self._request(
                operation, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                return ConditionFailed(error.response.get("Item"))  # type: ignore[arg-type]
            if code == "ValidationException" and "size has exceeded" in str(error):
                raise ItemTooLargeError(str(error)) from error
            raise
        return Written(response.get("Attributes"))

    async def _request(self, operation: str, **request: Any) -> Any:
        return await self._gate(partial(self._call, operation, request))


def parse_tombstone(item: Item | None) -> Write | None:
    """Return the delete that a tombstone's item records; None: there is none."""
    if item is None:
        return None
    return replicated_write(Image({name: value for name, value in item.items() if name != EXPIRES}))


def _expression(key: Key, condition: Condition) -> dict[str, Any]:
    """Make a condition's request parameters. Versions compare as bytes, see ``model.version``."""
    names = {"#version": VERSION}
    # Every item has its key attributes, so any of them shows whether there is one.
    with_key = {"#key": next(iter(key))}
    older = "#version < :version"
    match condition:
        case IfOlder(version, or_absent=True):
            return _parameters(f"attribute_not_exists(#version) OR {older}", names, {"B": version})
        case IfOlder(version):
            exists = f"attribute_exists(#key) AND (attribute_not_exists(#version) OR {older})"
            return _parameters(exists, names | with_key, {"B": version})
        case IfVersionOlder(version):
            return _parameters(older, names, {"B": version})
        case IfUnchanged(item):
            if item is None:
                return _parameters("attribute_not_exists(#key)", with_key)
            return _parameters("#version = :version", names, item[VERSION])


def _parameters(
    condition: str, names: dict[str, str], version: Item | None = None
) -> dict[str, Any]:
    values = {} if version is None else {"ExpressionAttributeValues": {":version": version}}
    return {"ConditionExpression": condition, "ExpressionAttributeNames": names, **values}
