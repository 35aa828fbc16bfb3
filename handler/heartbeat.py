"""The heartbeat: an item of the ring's own that goes around as any other, so that lag shows.

A function that is called with ``{"beat": ...}`` instead of a batch writes it into its own table.
From there on it is a change like all others: nothing in the protocol knows of it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from handler.aws.api import DynamoDBApi
from handler.model.image import Key
from handler.model.records import Change

HEARTBEAT_EVENT = "beat"
"""What is in the event that asks for a beat; ``ring/resources/heartbeat.py`` is where it is set."""

HEARTBEAT_ATTRIBUTE = "ring_heartbeat"
"""The attribute that tells the item from others, and when it was written, in seconds since the
epoch. It is not one of ``_repl_``: those stay behind when an item is carried on."""


class Heartbeat:
    """Writes a member's beats, all into one item: the key is the member's own."""

    def __init__(
        self, call: DynamoDBApi, table: str, key: Key, now: Callable[[], float] = time.time
    ) -> None:
        """Take what calls DynamoDB in the table's region, and the key that is kept for beats."""
        self._call = call
        self._table = table
        self._key = key
        self._now = now

    async def beat(self) -> None:
        """Write one. What fails is raised: Lambda calls again, and the next beat is soon."""
        item = {**self._key, HEARTBEAT_ATTRIBUTE: {"N": f"{self._now():.3f}"}}
        await self._call("PutItem", {"TableName": self._table, "Item": item})


def is_heartbeat_event(event: Any) -> bool:
    """Whether an event asks for a beat."""
    return isinstance(event, Mapping) and HEARTBEAT_EVENT in event and "Records" not in event


def heartbeat_time(change: Change) -> float | None:
    """When the beat that a change carries was written, in seconds since the epoch; None: no beat.

    More exact than a stream's time, which is in whole seconds.
    """
    mark = change.new.item.get(HEARTBEAT_ATTRIBUTE) if change.new is not None else None
    number = mark.get("N") if mark else None
    try:
        return None if number is None else float(number)
    except ValueError:
        return None
