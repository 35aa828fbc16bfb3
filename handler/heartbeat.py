"""Write and recognize heartbeats: items of the ring's own whose replication shows the lag.

A function that is invoked with ``{"beat": ...}`` instead of a batch writes one into its source
table. It is replicated like any other item: the protocol does not know of it.
"""

import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from handler.aws.api import DynamoDBApi
from handler.model.attribute_values import Value
from handler.model.image import Key
from handler.model.records import Change

HEARTBEAT_EVENT = "beat"
"""Key of the event that requests a heartbeat; ``ring/resources/heartbeat.py`` sends it."""

HEARTBEAT_ATTRIBUTE = "ring_heartbeat"
"""Attribute with the time of writing, in seconds since the epoch. It is not one of ``_repl_``,
since those are not replicated as they are: an application may have one of its name."""

_KEY = re.compile("_repl_heartbeat-[0-9a-f]{8}")
"""Texts of keys, with the member's ID. ``ring/resources/heartbeat.py`` makes the keys."""
_LOWEST, _HIGHEST = -(10**38), -(10**38) + 10**10
"""Bounds of numbers of keys, both exclusive: minus, 28 nines, and the member's ID in 10 digits."""


class Heartbeat:
    """Writer of a member's heartbeats, all to one item, whose key is the member's own."""

    def __init__(
        self, call: DynamoDBApi, table: str, key: Key, now: Callable[[], float] = time.time
    ) -> None:
        """Make the writer for a table.

        Args:
            call: calls DynamoDB in the table's region.
            table: the member's table.
            key: the key that the settings reserve for heartbeats.
            now: returns the time, in seconds since the epoch.
        """
        self._call = call
        self._table = table
        self._key = key
        self._now = now

    async def beat(self) -> None:
        """Write one heartbeat. Errors are raised: Lambda retries, and the next one is due soon."""
        item = {**self._key, HEARTBEAT_ATTRIBUTE: {"N": f"{self._now():.3f}"}}
        await self._call("PutItem", {"TableName": self._table, "Item": item})


def is_heartbeat_event(event: Any) -> bool:
    """Return whether an event requests a heartbeat."""
    return isinstance(event, Mapping) and HEARTBEAT_EVENT in event and "Records" not in event


def heartbeat_time(change: Change) -> float | None:
    """Return when a change's heartbeat was written; None: the change is no heartbeat.

    In seconds since the epoch, to the millisecond: a stream's time is in whole seconds. An item is
    a heartbeat by its key.
    """
    attribute = change.new.item.get(HEARTBEAT_ATTRIBUTE) if change.new is not None else None
    number = attribute.get("N") if attribute else None
    if number is None:
        return None
    try:
        return float(number) if all(map(_is_of_heartbeat, change.key.values())) else None
    except (ValueError, ArithmeticError):
        return None  # not a number


def _is_of_heartbeat(value: Value) -> bool:
    """Return whether it is the value that the stack gives to a heartbeat's key, of any member."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return _LOWEST < Decimal(content) < _HIGHEST
        case "B":
            return _KEY.fullmatch(content.decode(errors="replace")) is not None
        case "S":
            return _KEY.fullmatch(content) is not None
    return False
