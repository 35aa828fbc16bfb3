"""Return consumed capacity as DynamoDB counts it.

moto returns one unit or a half for any size of item, and also to some requests that did not ask for
it. PartiQL statements return no capacity here; what they write is in the tables' metrics.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import SecondaryIndex, Table
from moto.dynamodb.responses import DynamoHandler

from local.cloudwatch.metrics import Metric, MetricBuffer, table_metrics
from local.data.item_size import item_size
from local.moto_patches.capacity_units import (
    Attributes,
    index_units,
    read_units,
    write_units,
)

_WRITES = {"put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items"}
_READS = {"get_item", "batch_get_item", "transact_get_items", "query", "scan"}
_STATEMENTS = {"execute_statement", "batch_execute_statement", "execute_transaction"}
_LISTED = {"batch_write_item", "transact_write_items", "batch_get_item", "transact_get_items"}
"""Operations whose responses list several tables."""

_query = Table.query
_scan = Table.scan


class _Used(threading.local):
    """Capacity that this thread's request has consumed so far: by table, and by table and index."""

    def __init__(self) -> None:
        self.tables: Counter[str] = Counter()
        self.indexes: Counter[tuple[str, SecondaryIndex]] = Counter()
        self.metrics: Counter[tuple[str, str, float]] = Counter()
        self.bytes_read = 0
        self.reading = False

    def begin(self) -> None:
        """Reset, at the start of a request."""
        self.__init__()  # type: ignore[misc]


_used = _Used()


def _attributes(item: Item | None) -> Attributes | None:
    return None if item is None else item.to_json()["Attributes"]


def _find(table: Table, key: Mapping[str, Any]) -> Item | None:
    """Return an item; None if it does not exist or the key is invalid."""
    try:
        first = DynamoType(key[table.hash_key_attr])
        second = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
        return table.get_item(first, second)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return None


def _metered(write: Callable[..., Any], *, leaves_item: bool) -> Callable[..., Any]:
    """Wrap a write of an item to record its capacity, also if its condition fails.

    `leaves_item`: the write returns the item that it leaves, and not the one that it deletes.
    """

    @functools.wraps(write)
    def metered(
        backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **more: Any
    ) -> Any:
        table = backend.get_table(table_name)
        before = _attributes(_find(table, key))
        try:
            result = write(backend, table_name, key, *args, **more)
        except ConditionalCheckFailed:
            _record_write(table, before, before)
            _used.metrics[table.name, "ConditionalCheckFailedRequests", 1.0] += 1
            raise
        _record_write(table, before, _attributes(result) if leaves_item else None)
        return result

    return metered


def _record_write(table: Table, before: Attributes | None, after: Attributes | None) -> None:
    units = write_units(before, after)
    _used.tables[table.name] += units
    for index in (*table.global_indexes, *table.indexes):
        keys = [*table.table_key_attrs, *index.schema_key_attrs]
        taken = index_units(_projected(index, before), _projected(index, after), keys)
        if taken:
            _used.indexes[table.name, index] += taken
    _used.metrics[table.name, "ConsumedWriteCapacityUnits", float(units)] += 1


def _projected(index: SecondaryIndex, item: Attributes | None) -> Attributes | None:
    """Return the attributes of an item that are projected into an index."""
    if item is None:
        return None
    kind = (index.projection or {}).get("ProjectionType", "ALL")
    if kind == "ALL":
        return item
    names = {*index.table_key_attrs, *index.schema_key_attrs}
    if kind == "INCLUDE":
        names |= set(index.projection.get("NonKeyAttributes", ()))
    return {name: value for name, value in item.items() if name in names}


def _recording_query(table: Table, *args: Any, **more: Any) -> Any:
    if _used.reading:
        plain = [*args]
        plain[6] = plain[9] = None  # projections and filters do not reduce what is read
        conditions = {name: more[name] for name in more if name.endswith("_key_conditions")}
        _used.bytes_read += _sum(_query(table, *plain, **conditions)[0])
    return _query(table, *args, **more)


def _recording_scan(table: Table, *args: Any, **more: Any) -> Any:
    if _used.reading:
        plain = [*args]
        plain[0], plain[3], plain[6] = {}, None, None
        _used.bytes_read += _sum(_scan(table, *plain, **more)[0])
    return _scan(table, *args, **more)


def _sum(items: list[Item]) -> int:
    return sum(item_size(_attributes(item) or {}) for item in items)


def _answered(name: str, operation: Callable[[DynamoHandler], Any]) -> Callable[..., Any]:
    """Wrap an operation to return its consumed capacity if, and only if, it is requested."""

    @functools.wraps(operation)
    def answered(handler: DynamoHandler) -> Any:
        wanted = handler.body.get("ReturnConsumedCapacity", "NONE")
        _used.begin()
        _used.reading = wanted != "NONE" and name in {"query", "scan"}
        try:
            result = operation(handler)
        except ConditionalCheckFailed:
            _publish_later(handler)
            raise
        finally:
            _used.reading = False
        if name == "transact_write_items":
            _add_transaction(handler)
        if name in _READS and wanted != "NONE":
            _add_reads(name, handler)
        _publish_later(handler)
        response = result.result
        response.pop("ConsumedCapacity", None)
        response.pop("ConsumedCapacityUnits", None)
        if wanted != "NONE":
            capacities = [_consumed_capacity(table, handler, wanted) for table in _used.tables]
            response["ConsumedCapacity"] = capacities if name in _LISTED else capacities[0]
        return result

    return answered


def _published(operation: Callable[[DynamoHandler], Any]) -> Callable[..., Any]:
    """Wrap an operation to publish what it has written in the tables' metrics."""

    @functools.wraps(operation)
    def published(handler: DynamoHandler) -> Any:
        _used.begin()
        try:
            return operation(handler)
        finally:
            _publish_later(handler)

    return published


def _add_transaction(handler: DynamoHandler) -> None:
    """Add the condition checks, and double everything: transactions prepare and commit."""
    for entry in handler.body["TransactItems"]:
        for check in [entry["ConditionCheck"]] if "ConditionCheck" in entry else []:
            table = handler.dynamodb_backend.get_table(check["TableName"])
            item = _attributes(_find(table, check["Key"]))
            _used.tables[table.name] += write_units(item, item)
    for counter in (_used.tables, _used.indexes):
        counts: Any = counter
        for key in counts:
            counts[key] *= 2
    _used.metrics = Counter(
        {
            (table, metric, 2 * value if metric.startswith("Consumed") else value): times
            for (table, metric, value), times in _used.metrics.items()
        }
    )


def _add_reads(name: str, handler: DynamoHandler) -> None:
    """Add the capacity of a read operation."""
    body, backend = handler.body, handler.dynamodb_backend
    if name in {"query", "scan"}:
        table = backend.get_table(body["TableName"])
        units: Any = read_units(_used.bytes_read, consistent=bool(body.get("ConsistentRead")))
        index = next(
            (
                index
                for index in (*table.global_indexes, *table.indexes)
                if index.name == body.get("IndexName")
            ),
            None,
        )
        _used.tables[table.name] += 0 if index else units
        if index:
            _used.indexes[table.name, index] += units
        return
    for table, key, consistent, times in _gets(name, body, backend):
        size = item_size(_attributes(_find(table, key)) or {})
        units = times * read_units(size, consistent=consistent)
        _used.tables[table.name] += units


def _gets(
    name: str, body: Mapping[str, Any], backend: DynamoDBBackend
) -> Iterator[tuple[Table, Mapping[str, Any], bool, int]]:
    """Yield the items that are read by key: table, key, consistency, and a factor for the units."""
    if name == "get_item":
        yield (
            backend.get_table(body["TableName"]),
            body["Key"],
            bool(body.get("ConsistentRead")),
            1,
        )
    elif name == "batch_get_item":
        for table_name, wanted in body["RequestItems"].items():
            table = backend.get_table(table_name)
            for key in wanted["Keys"]:
                yield table, key, bool(wanted.get("ConsistentRead")), 1
    else:
        for entry in body["TransactItems"]:
            yield backend.get_table(entry["Get"]["TableName"]), entry["Get"]["Key"], True, 2


def _consumed_capacity(name: str, handler: DynamoHandler, wanted: str) -> dict[str, Any]:
    """Return the `ConsumedCapacity` of a table.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
    """
    table = handler.dynamodb_backend.get_table(name)
    mine = {index: units for (of, index), units in _used.indexes.items() if of == name}
    units = float(_used.tables[name])
    document: dict[str, Any] = {"TableName": name, "CapacityUnits": units + sum(mine.values())}
    if wanted == "INDEXES":
        document["Table"] = {"CapacityUnits": units}
        for kind, indexes in (
            ("GlobalSecondaryIndexes", table.global_indexes),
            ("LocalSecondaryIndexes", table.indexes),
        ):
            parts = {
                index.name: {"CapacityUnits": float(mine[index])}
                for index in indexes
                if index in mine
            }
            if parts:
                document[kind] = parts
    return document


def _publish_later(handler: DynamoHandler) -> None:
    place = (handler.current_account, handler.region)
    now = time.time()
    for (table, name, value), times in _used.metrics.items():
        metric = Metric("AWS/DynamoDB", name, (("TableName", table),))
        table_metrics.setdefault(place, MetricBuffer()).add(metric, value, now, times)


@contextmanager
def capacity_units_of_dynamodb() -> Iterator[None]:
    """Return DynamoDB's consumed capacity from moto while the context lasts."""
    table_metrics.clear()
    with ExitStack() as changes:
        for name, leaves_item in (
            ("put_item", True),
            ("update_item", True),
            ("delete_item", False),
        ):
            ours = _metered(getattr(DynamoDBBackend, name), leaves_item=leaves_item)
            changes.enter_context(patch.object(DynamoDBBackend, name, ours))
        changes.enter_context(patch.object(Table, "query", _recording_query))
        changes.enter_context(patch.object(Table, "scan", _recording_scan))
        for name in sorted(_WRITES | _READS):
            answered = _answered(name, getattr(DynamoHandler, name))
            changes.enter_context(patch.object(DynamoHandler, name, answered))
        for name in sorted(_STATEMENTS):
            published = _published(getattr(DynamoHandler, name))
            changes.enter_context(patch.object(DynamoHandler, name, published))
        yield
    table_metrics.clear()
