"""Delete expired items: moto stores a table's time to live, but does not implement it.

DynamoDB deletes within a few days of the expiry; here it takes less than a minute. The stream
records of these deletes name the service:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from handler.model.expiry import ttl_attribute, will_be_deleted
from local.moto_lock import MOTO_LOCK
from local.periodic import Periodic

SECONDS = 20.0
"""Interval between two scans of all tables."""

_IDENTITY = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


class TimeToLive(Periodic):
    """Delete expired items in a background thread while the context lasts.

    `now` is in seconds since 1970.
    """

    def __init__(self, seconds: float = SECONDS, now: Callable[[], float] = time.time) -> None:
        self._now = now
        super().__init__("time to live", seconds)

    def work(self) -> None:
        """Delete what has expired."""
        self.expire()

    def expire(self) -> None:
        """Delete the expired items of every table with time to live."""
        for table in _tables():
            with MOTO_LOCK:
                _expire(table, self._now())


def _tables() -> list[Table]:
    return [
        table
        for regions in list(dynamodb_backends.values())
        for backend in list(regions.values())
        for table in list(backend.tables.values())
    ]


def _expire(table: Table, now: float) -> None:
    attribute = ttl_attribute(table.ttl)
    if attribute is None:
        return
    for item in [item for item in _items(table) if _is_expired(item, attribute, now)]:
        table.delete_item(item.hash_key, item.range_key)
        if table.stream_shard is not None:
            table.stream_shard.items[-1].record["userIdentity"] = _IDENTITY


def _items(table: Table) -> Iterator[Item]:
    for entry in table.items.values():
        if table.range_key_attr:
            yield from entry.values()
        else:
            yield entry  # type: ignore[misc]


def _is_expired(item: Item, attribute: str, now: float) -> bool:
    value = item.attrs.get(attribute)
    return value is not None and will_be_deleted({attribute: value.to_json()}, attribute, now)
