"""Applications that write to the members of a ring, and remember what was acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from local.compare import Item
    from local.running_ring import LocalMember

_PAUSE = 0.2
"""Seconds between two writes of an application: so that two cores keep up."""
_KEYS = 40
"""Keys of an application; each is written again and again."""
VALUE = "total"


@dataclass
class Written:
    """What an application knows of an item: the last value that was acknowledged.

    `maybe` are later values whose requests had no answer: DynamoDB may have stored them.
    """

    value: int | None = None
    maybe: set[int] = field(default_factory=set)

    def may_be(self, value: int | None) -> bool:
        """Return whether a member may have this value at the end."""
        return value == self.value or value in self.maybe


class Application:
    """Writes to one member until it is stopped, each time a new value under one of its keys."""

    def __init__(self, member: LocalMember, prefix: str) -> None:
        self.member = member
        self.written: dict[str, Written] = {}
        self.acknowledged = 0
        self._prefix = prefix
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=prefix, daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join()

    def write(self, number: int) -> str:
        """Write one item; return its key. Raises what boto3 raises."""
        key = f"{self._prefix}-{number % _KEYS}"
        written = self.written.setdefault(key, Written())
        written.maybe.add(number)
        self.member.client.put_item(
            TableName=self.member.table, Item={**key_of(key), VALUE: {"N": str(number)}}
        )
        written.value, written.maybe = number, set()
        self.acknowledged += 1
        return key

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(_PAUSE):
            try:
                self.write(number)
            except (BotoCoreError, ClientError):
                return  # its region is down, and its users are sent to another one
            number += 1


class Applications:
    """Applications at some members, which write while the context lasts; `others` do not."""

    def __init__(self, members: Mapping[str, LocalMember], *others: Application) -> None:
        self.by_member = {name: Application(found, name) for name, found in members.items()}
        self._all = [*self.by_member.values(), *others]

    @property
    def acknowledged(self) -> int:
        """The number of writes that were acknowledged."""
        return sum(found.acknowledged for found in self._all)

    def stop(self) -> None:
        """Stop all applications."""
        for application in self.by_member.values():
            application.stop()

    def lost_writes(self, items: Mapping[str, Mapping[str, int]]) -> list[str]:
        """Return the acknowledged writes that a member does not have, in sentences.

        `items` are the values at each member, by key.
        """
        return [
            f"{member} has {values.get(key, 'nothing')} under {key}, and {written.value} was "
            "acknowledged"
            for application in self._all
            for key, written in application.written.items()
            for member, values in items.items()
            if not written.may_be(values.get(key))
        ]

    def __enter__(self) -> Self:
        for application in self.by_member.values():
            application.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def key_of(name: str) -> dict[str, Any]:
    """Return the key of an item in the demo's table."""
    return {"customer": {"S": name}, "order": {"S": "1"}}


def values_at(member: LocalMember) -> dict[str, int]:
    """Return the values at a member, by key."""
    pages = member.client.get_paginator("scan").paginate(
        TableName=member.table, ConsistentRead=True
    )
    items: list[Item] = [item for page in pages for item in page["Items"]]
    return {
        item["customer"]["S"]: int(item[VALUE]["N"])
        for item in items
        if "customer" in item and VALUE in item
    }
