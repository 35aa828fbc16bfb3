"""Compare the members' tables item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handler.model.attribute_values import canonical_text
from handler.model.image import Image, application_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.ring import LocalMember

Item = dict[str, Any]
"""An item as DynamoDB's low-level API has it."""


@dataclass(frozen=True)
class ItemDifference:
    """A key whose copies differ: the copies by member, None where the item is missing."""

    key: Mapping[str, Any]
    reason: str
    copies: Mapping[str, Item | None]


def differences(members: Sequence[LocalMember]) -> list[ItemDifference]:
    """Compare the tables of all members (see `difference_reason`)."""
    names = _key_names(members[0])
    tables = {
        member.name: {_identity(item, names): item for item in _scan(member)} for member in members
    }
    origins = {member.name: (member.region, member.table) for member in members}
    found = []
    for identity in sorted(set().union(*tables.values())):
        copies = {name: table.get(identity) for name, table in tables.items()}
        reason = difference_reason(copies, origins)
        if reason:
            item = next(item for item in copies.values() if item)
            found.append(ItemDifference({name: item[name] for name in names}, reason, copies))
    return found


def difference_reason(
    copies: Mapping[str, Item | None], origins: Mapping[str, tuple[str, str]]
) -> str | None:
    """Return why the copies of an item differ, None if they are in sync.

    Their contents and the ring's attributes must be equal, and none may be the stub of a delete.
    The ring's attributes are not compared at the member where the item was last written: there the
    hops leave it as the application wrote it. `origins` has each member's region and table.
    """
    held = {name: item for name, item in copies.items() if item is not None}
    if len(held) < len(copies):
        return f"missing on {', '.join(name for name in copies if name not in held)}"
    stubs = [name for name, item in held.items() if "_repl_deleted" in item]
    if stubs:
        return f"the stub of a delete remains on {', '.join(stubs)}"
    if _distinct(map(application_attributes, held.values())) > 1:
        return "different contents"
    newest = max(held.values(), key=_version)
    origin = tuple(newest.get(name, {}).get("S") for name in _ORIGIN)
    replicas = [
        _without_backfill_mark(item) for name, item in held.items() if origins[name] != origin
    ]
    return "different versions" if _distinct(replicas) > 1 else None


_ORIGIN = ("_repl_source_region", "_repl_source_table")


def _without_backfill_mark(item: Item) -> Item:
    """Return the item without the attribute that a backfill sets for the next hop only."""
    return {name: value for name, value in item.items() if name != "_repl_known"}


def _version(item: Item) -> bytes:
    return Image(item).version or b""


def _distinct(items: Iterable[Item]) -> int:
    return len(set(map(canonical_text, items)))


def _identity(item: Item, names: Sequence[str]) -> str:
    return canonical_text({name: item[name] for name in names})


def _key_names(member: LocalMember) -> list[str]:
    schema = member.client.describe_table(TableName=member.table)["Table"]["KeySchema"]
    return [element["AttributeName"] for element in schema]


def _scan(member: LocalMember) -> Iterable[Item]:
    scan = member.client.get_paginator("scan")
    for page in scan.paginate(TableName=member.table, ConsistentRead=True):
        yield from page["Items"]
