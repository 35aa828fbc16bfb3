"""Resolve a conflict: one ordinary write at a member, if what won still stands there.

The write is an application's to the ring: the hop from that member gives it a version above that of
the item it replaces, and so it wins at all members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler.model.attribute_values import canonical_text
from handler.model.image import RESERVED, VERSION, Item, Key
from handler.store.dynamodb import parse_tombstone
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.conflicts.entries import ConflictEntry
from operate.conflicts.standing import Standing
from operate.deployed import Deployed, DeployedMember, member_index
from operate.errors import InvalidRequestError, OperationFailedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_AT_ONCE = 8
_MAX_COMPARED = 150
"""Attributes in a condition. An expression has 300 operators at most, and 150 attributes need 150
comparisons and 149 AND; as written here, they have 2.5 of the 4 KB that it may have.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


class ResolveOutcome(StrEnum):
    """What became of an attempt to resolve a conflict."""

    WRITTEN = "written"
    PLANNED = "planned"
    """It was a dry run; nothing was written."""
    CHANGED = "changed"
    """Something else than what won stands at the member; nothing was written."""


@dataclass(frozen=True)
class Resolution:
    """Result of an attempt to resolve a conflict.

    `item` is what was or would be written, None for a delete. `stands` is the item that stands at
    the member, or stood there before the write, with the ring's attributes; None: none.
    `overwritten` are the names of attributes that somebody added, or of those beyond the condition
    changed or removed, between read and write; `stands` has what was there.
    """

    outcome: ResolveOutcome
    member: str
    item: Item | None
    stands: Item | None
    overwritten: tuple[str, ...] = ()


def resolve(  # noqa: PLR0913 - keywords, each with a default
    deployed: Deployed,
    clients: ClientPool,
    entry: ConflictEntry,
    item: Item | None,
    *,
    at: str | None = None,
    dry_run: bool = False,
) -> Resolution:
    """Write an item, or delete it for None, at a member, if what won still stands there.

    `at` names the member. Default: that of the write that lost, where a copy of the winner stands,
    whose version the new one will follow.

    Raises:
        InvalidRequestError: `item` has another key or the ring's attributes; there is no such
            member.
        OperateError: a call failed.
    """
    _check(entry, item)
    member = member_to_write(deployed, entry, at)
    with translate_aws_errors(member.name):
        client: DynamoDBClient = clients.get(member.credentials, member.region, "dynamodb")
        found = read_standing(client, member, entry.key)
        if not found.is_winner(entry):
            return Resolution(ResolveOutcome.CHANGED, member.name, item, found.item)
        if dry_run:
            return Resolution(ResolveOutcome.PLANNED, member.name, item, found.item)
        return _write(client, member, entry.key, item, found.item)


def open_conflicts(
    deployed: Deployed, clients: ClientPool, entries: Sequence[ConflictEntry]
) -> tuple[list[ConflictEntry], Mapping[str, str]]:
    """Return the conflicts whose winner still stands, in the same order.

    Reads one item and one tombstone for each. A conflict that a member cannot answer for counts as
    open; the second mapping says why, by the member's name.
    """
    unread: dict[str, str] = {}

    def is_open(entry: ConflictEntry) -> bool:
        member = member_to_write(deployed, entry, None)
        if member.name in unread:
            return True
        try:
            with translate_aws_errors():
                client = clients.get(member.credentials, member.region, "dynamodb", brief=True)
                return read_standing(client, member, entry.key).is_winner(entry)
        except OperationFailedError as error:
            unread[member.name] = str(error)
            return True

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        stand = list(pool.map(is_open, entries))
    return [entry for entry, stands in zip(entries, stand, strict=True) if stands], unread


def read_standing(client: DynamoDBClient, member: DeployedMember, key: Key) -> Standing:
    """Read what a member has of a key, consistently. Raises botocore's errors."""

    def read(table: str) -> Item | None:
        found: Any = client.get_item(TableName=table, Key=dict(key), ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    # The tombstone first: a delete between both reads leaves no item.
    tombstone = parse_tombstone(read(member.tombstones)) if member.tombstones else None
    return Standing(read(member.table), tombstone)


def _check(entry: ConflictEntry, item: Item | None) -> None:
    if item is None:
        return
    if not entry.key.items() <= item.items():
        raise InvalidRequestError(
            f"The item has another key than the conflict, which is {dict(entry.key)}."
        )
    if reserved := sorted(name for name in item if name.startswith(RESERVED)):
        raise InvalidRequestError(
            f"The item has {', '.join(reserved)}: the ring's own attributes begin with "
            f"`{RESERVED}`. Leave them out."
        )


def member_to_write(deployed: Deployed, entry: ConflictEntry, at: str | None) -> DeployedMember:
    """Return the member where a conflict is resolved: that of a name, or the best one.

    Raises `InvalidRequestError`.
    """
    usable = [member for member in deployed.members if member.name not in deployed.held]
    if at is not None:
        named = deployed.members[member_index([one.name for one in deployed.members], at)]
        if named not in usable:
            raise InvalidRequestError(f"{at} is bypassed: choose another member with --at.")
        return named
    if not usable:
        raise InvalidRequestError("No member is deployed.")
    by_replica = {member.replica: member for member in usable}
    others = [member for member in usable if member.replica != entry.won.version.replica]
    return by_replica.get(entry.lost.version.replica) or (others or usable)[0]


def _write(
    client: DynamoDBClient,
    member: DeployedMember,
    key: Key,
    item: Item | None,
    stands: Item | None,
) -> Resolution:
    request: dict[str, Any] = {
        "TableName": member.table,
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        **_unchanged(key, stands),
    }
    try:
        if item is None:
            replaced: Any = client.delete_item(Key=dict(key), **request)
        else:
            replaced = client.put_item(Item=dict(item), **request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        now: Any = error.response.get("Item")
        return Resolution(ResolveOutcome.CHANGED, member.name, item, now)
    before: Item = replaced.get("Attributes") or {}
    changed = _changed_attributes(stands or {}, before)
    return Resolution(ResolveOutcome.WRITTEN, member.name, item, before or None, changed)


def _changed_attributes(read: Item, replaced: Item) -> tuple[str, ...]:
    """Return the names of attributes that differ between the item as read and as replaced."""

    def value(item: Item, name: str) -> str | None:
        return canonical_text({name: item[name]}) if name in item else None

    names = sorted(read.keys() | replaced.keys())
    return tuple(name for name in names if value(read, name) != value(replaced, name))


def _unchanged(key: Key, stands: Item | None) -> Mapping[str, Any]:
    """Return the condition that an item is as it was read, as parameters of a request.

    Its version alone does not say so: UpdateItem leaves it in place. No condition finds attributes
    that were added since, and this one compares no more than `_MAX_COMPARED`; the response has all
    that were replaced.
    """
    if stands is None:
        return {
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": next(iter(key))},
        }
    first = [name for name in (VERSION,) if name in stands]
    names = [*first, *(name for name in stands if name not in first)][:_MAX_COMPARED]
    return {
        "ConditionExpression": " AND ".join(f"#a{n} = :a{n}" for n in range(len(names))),
        "ExpressionAttributeNames": {f"#a{n}": name for n, name in enumerate(names)},
        "ExpressionAttributeValues": {f":a{n}": stands[name] for n, name in enumerate(names)},
    }
