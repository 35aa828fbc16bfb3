"""Items that expire: moto keeps a table's time to live, and acts upon it nowhere.

DynamoDB deletes within a few days of the time; here it is within a minute. Its deletions say who
made them: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Self

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from handler.model.expiry import ttl_attribute, will_be_deleted

SECONDS = 20.0
"""Between two looks at all tables."""

_IDENTITY = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
_log = logging.getLogger(__name__)


class TimeToLive:
    """Deletes what has expired, from a thread of its own, for as long as the context lasts.

    `alone` keeps requests out while a table is looked at; `now` is in seconds since 1970.
    """

    def __init__(
        self,
        alone: AbstractContextManager[object],
        seconds: float = SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._alone = alone
        self._seconds = seconds
        self._now = now
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ttl", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self.expire()
            except Exception:
                _log.exception("Expired items were not looked for.")

    def expire(self) -> None:
        """Delete what has expired by now, in every table whose time to live is enabled."""
        for table in _tables():
            with self._alone:
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
    for item in [one for one in _items(table) if _is_over(one, attribute, now)]:
        table.delete_item(item.hash_key, item.range_key)
        if table.stream_shard is not None:
            table.stream_shard.items[-1].record["userIdentity"] = _IDENTITY


def _items(table: Table) -> Iterator[Item]:
    for found in table.items.values():
        if table.range_key_attr:
            yield from found.values()
        else:
            yield found  # type: ignore[misc]


def _is_over(item: Item, attribute: str, now: float) -> bool:
    value = item.attrs.get(attribute)
    return value is not None and will_be_deleted({attribute: value.to_json()}, attribute, now)
