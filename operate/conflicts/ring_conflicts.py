"""Conflicts of a ring, as functions of the ring."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from handler.model.image import Item
from operate.aws.errors import translate_aws_errors
from operate.conflicts.entries import ConflictEntry
from operate.conflicts.reading import Conflicts, read_conflicts
from operate.conflicts.resolving import (
    Resolution,
    member_to_write,
    open_conflicts,
    read_standing,
    resolve,
)
from operate.conflicts.standing import Standing
from operate.rings import DeployedRing

HOURS = 24.0


def logged_conflicts(
    ring: DeployedRing,
    hours: float = HOURS,
    *,
    only_open: bool = False,
    now: Callable[[], float] = time.time,
) -> Conflicts:
    """Return the conflicts that a ring's hops have logged in the last hours, the latest first.

    With `only_open`, those whose winner still stands, or may: that reads each item. Raises
    `OperateError`.
    """
    deployed, clients, until = ring.deployed(), ring.clients(), now()
    found = read_conflicts(deployed, clients, until - hours * 3600, until)
    if not only_open:
        return found
    entries, silent = open_conflicts(deployed, clients, found.entries)
    unread = {f"the items at {member}": why for member, why in silent.items()}
    return replace(found, entries=tuple(entries), unread={**found.unread, **unread})


def resolve_conflict(
    ring: DeployedRing,
    entry: ConflictEntry,
    item: Item | None,
    *,
    at: str | None = None,
    dry_run: bool = False,
) -> Resolution:
    """Write an item, or delete it for None, if what won the conflict still stands.

    `loser_of` is what the write that lost has left. `at` names the
    member to write at. Raises `OperateError`.
    """
    return resolve(ring.deployed(), ring.clients(), entry, item, at=at, dry_run=dry_run)


def table_to_write(ring: DeployedRing, entry: ConflictEntry, at: str | None) -> Mapping[str, Any]:
    """Describe the table at which a conflict would be resolved, as DynamoDB does.

    It has the order and the types of the keys; a log line has a key's values in any order. `at` is
    as for `resolve_conflict`. Raises `OperateError`.
    """
    deployed, clients = ring.deployed(), ring.clients()
    member = member_to_write(deployed, entry, at)
    with translate_aws_errors(member.name):
        client = clients.get(member.credentials, member.region, "dynamodb")
        table: Mapping[str, Any] = client.describe_table(TableName=member.table)["Table"]
    return table


def standing_at(ring: DeployedRing, entry: ConflictEntry) -> tuple[str, Standing]:
    """Return what has the key of a conflict at the member where it would be resolved, and its name.

    Raises `OperateError`.
    """
    deployed, clients = ring.deployed(), ring.clients()
    member = member_to_write(deployed, entry, None)
    with translate_aws_errors(member.name):
        client = clients.get(member.credentials, member.region, "dynamodb")
        return member.name, read_standing(client, member, entry.key)
