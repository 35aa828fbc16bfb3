"""Check that a ring deployed by the engine replicates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from local.compare import differences
from local.running_ring import LocalMember, RunningRing
from ring.settings.members import members_of
from ring.settings.settings import Settings
from tests.engine.stacks import Engine, EngineStack

PATIENCE = 300.0
"""Timeout in seconds: a busy machine replicates slowly."""
_numbers = count()


@contextmanager
def running(stack: EngineStack) -> Iterator[RunningRing]:
    """Yield a ring without hops, and close it at the end of the context."""
    ring = RunningRing(Settings.parse(stack.settings), idle=0.2)
    try:
        yield ring
    finally:
        ring.close()


def joined(ring: RunningRing) -> list[LocalMember]:
    """Return the members whose state is `in`."""
    states = {member.name: member.state for member in members_of(ring.settings)}
    return [member for member in ring.members.values() if states[member.name] == "in"]


def check_replication(engine: Engine, stack: EngineStack, ring: RunningRing) -> None:
    """Run a deployment, and check that an item written at each member reaches all of them."""
    engine.run(stack, ring)
    members = joined(ring)
    keys = [f"seen-{next(_numbers)}" for _ in members]
    for key, member in zip(keys, members, strict=True):
        member.client.put_item(TableName=member.table, Item={"id": {"S": key}})
    ring.wait_until_quiet(PATIENCE)
    for member in members:
        assert set(keys) <= keys_at(member)
    assert differences(members) == []


def keys_at(member: LocalMember) -> set[str]:
    """Return the keys of a member's items."""
    pages: Any = member.client.get_paginator("scan").paginate(TableName=member.table)
    return {item["id"]["S"] for page in pages for item in page["Items"]}
