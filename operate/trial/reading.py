"""Read what the members of a trial's ring have, and wait until it is what was expected."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from handler.model.image import application_attributes
from operate.deployed import DeployedMember
from operate.trial.context import Trial
from operate.trial.items import Item, text_of
from operate.trial.plan import PARTITION_KEY, SORT_KEY
from ring.text import counted

_SHOWN = 3
Contents = Mapping[str, Item]
"""Items of a group, by their sort key."""


@dataclass(frozen=True)
class Difference:
    """Keys of a group in which a member is not as expected."""

    member: str
    lacking: Sequence[str] = ()
    other: Sequence[str] = ()
    unexpected: Sequence[str] = ()

    @property
    def keys(self) -> set[str]:
        """All of them."""
        return {*self.lacking, *self.other, *self.unexpected}

    def __str__(self) -> str:
        parts = (
            ("lacks", self.lacking),
            ("has another content of", self.other),
            ("has, and should not", self.unexpected),
        )
        texts = [f"{what} {_some(keys)}" for what, keys in parts if keys]
        return f"{self.member} {'; '.join(texts)}"


@dataclass(frozen=True)
class Arrival:
    """When a group was as expected at all members, or what differed to the end."""

    seconds: float
    differences: Sequence[Difference] = field(default_factory=tuple)

    @property
    def is_complete(self) -> bool:
        """Whether all members were as expected."""
        return not self.differences

    def text(self, what: str) -> str:
        """Return it in words."""
        if self.is_complete:
            return f"{what} at all members after {self.seconds:.1f} s"
        return f"after {self.seconds:.0f} s: " + ". ".join(map(str, self.differences))


def read_group(trial: Trial, group: str) -> list[Contents]:
    """Return a group's items at each member, in ring order, without the ring's attributes."""
    with ThreadPoolExecutor(len(trial.members)) as pool:
        return list(pool.map(lambda member: _read(trial, member, group), trial.members))


def _read(trial: Trial, member: DeployedMember, group: str) -> Contents:
    items = query(trial, member, group)
    return {item[SORT_KEY]["S"]: application_attributes(item) for item in items}


def query(trial: Trial, member: DeployedMember, group: str) -> Iterator[Any]:
    """Yield a group's items at a member, consistently read, without stubs of deletes."""
    pages = (
        trial.client(member)
        .get_paginator("query")
        .paginate(
            TableName=member.table,
            KeyConditionExpression="#g = :g",
            ExpressionAttributeNames={"#g": PARTITION_KEY},
            ExpressionAttributeValues={":g": {"S": group}},
            ConsistentRead=True,
        )
    )
    for page in pages:
        yield from page["Items"]


def compare(member: str, expected: Contents, seen: Contents) -> Difference | None:
    """Compare what a member has with what was expected. None: it is the same."""
    difference = Difference(
        member,
        sorted(expected.keys() - seen.keys()),
        sorted(
            name
            for name in expected.keys() & seen.keys()
            if text_of(expected[name]) != text_of(seen[name])
        ),
        sorted(seen.keys() - expected.keys()),
    )
    return difference if difference.keys else None


def wait_for(trial: Trial, group: str, expected: Contents) -> Arrival:
    """Wait until a group is exactly as expected at all members."""
    began, found = time.monotonic(), list[Difference]()

    def has_arrived() -> bool:
        pairs = zip(trial.members, read_group(trial, group), strict=True)
        differences = (compare(member.name, expected, seen) for member, seen in pairs)
        found[:] = [one for one in differences if one]
        return not found

    trial.wait(has_arrived, trial.patience.arrival)
    return Arrival(time.monotonic() - began, tuple(found))


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    return f"{counted(len(keys), 'key')}: {', '.join(keys[:_SHOWN])}{more}"
