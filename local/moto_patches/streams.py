"""Identify moto's streams by ARN, and keep disabled streams readable.

moto looks up a stream by its table's name, so a disabled stream, or that of a deleted table, would
be confused with the current one. A stream's records remain for a day and are then trimmed, which
moto never does:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import time as now
from typing import Any
from unittest.mock import patch

from moto.dynamodb.exceptions import DynamodbException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table
from moto.dynamodbstreams.models import DynamoDBStreamsBackend, ShardIterator
from moto.moto_api._internal import mock_random

from local.data.item_size import item_size

RETENTION = 24 * 60 * 60.0
"""Seconds that DynamoDB keeps a record."""

_set_stream_specification = Table.set_stream_specification
_delete_table = DynamoDBBackend.delete_table
_describe_stream = DynamoDBStreamsBackend.describe_stream
_get_records = DynamoDBStreamsBackend.get_records
_get = StreamShard.get


class TrimmedDataAccessError(DynamodbException):
    """A position from which records were trimmed."""

    def __init__(self, number: int) -> None:
        super().__init__(
            "com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException",
            f"Attempting to read beyond the trim horizon of the stream: {number}",
        )


@dataclass(frozen=True)
class _Closed:
    """A disabled stream: its shard and its description."""

    shard: StreamShard
    description: dict[str, Any]


_closed: dict[str, _Closed] = {}
"""The disabled streams, by ARN."""


class _Retention:
    """How long records are kept."""

    seconds = RETENTION


def _arn(table: Table) -> str:
    return f"{table.table_arn}/stream/{table.latest_stream_label}"


def _close(table: Table) -> None:
    """Record a table's stream, if it has one, as disabled."""
    if table.stream_shard is None:
        return
    arn, shard = _arn(table), table.stream_shard
    description = {
        "StreamArn": arn,
        "StreamLabel": table.latest_stream_label,
        "StreamStatus": "DISABLED",
        "StreamViewType": (table.stream_specification or {}).get("StreamViewType"),
        "CreationRequestDateTime": shard.created_on,
        "TableName": table.name,
        "KeySchema": table.schema,
        "Shards": [_describe_closed(shard)],
    }
    _closed[arn] = _Closed(shard, description)


def _describe_closed(shard: StreamShard) -> dict[str, Any]:
    """Describe a closed shard, which has a last sequence number."""
    described = shard.to_json()
    last = shard.starting_sequence_number + max(len(shard.items) - 1, 0)
    described["SequenceNumberRange"]["EndingSequenceNumber"] = str(last)
    return described


def _specify(table: Table, streams: dict[str, Any] | None) -> None:
    _close(table)
    table.stream_shard = table.latest_stream_label = None
    _set_stream_specification(table, streams)


def _delete(backend: DynamoDBBackend, name: str) -> Table:
    table = _delete_table(backend, name)
    _close(table)
    return table


def _describe(backend: DynamoDBStreamsBackend, arn: str) -> dict[str, Any]:
    if arn in _closed:
        return _closed[arn].description
    _open_shard(backend, arn)
    return _describe_stream(backend, arn)


def _open_shard(backend: DynamoDBStreamsBackend, arn: str) -> StreamShard:
    """Return the shard of an enabled stream. Raises `ResourceNotFoundException`."""
    table = backend._get_table_from_arn(arn)
    if table.stream_shard is None or _arn(table) != arn:
        raise ResourceNotFoundException(table_name=arn)
    return table.stream_shard


def _iterator(
    backend: DynamoDBStreamsBackend,
    arn: str,
    shard_id: str,
    shard_iterator_type: str,
    sequence_number: str | None = None,
) -> ShardIterator:
    shard = _closed[arn].shard if arn in _closed else _open_shard(backend, arn)
    if shard.id != shard_id:
        raise ResourceNotFoundException(table_name=shard_id)
    number: Any = sequence_number
    iterator = ShardIterator(backend, shard, shard_iterator_type, number)
    backend.shard_iterators[iterator.arn] = iterator
    return iterator


def _records(backend: DynamoDBStreamsBackend, iterator_arn: str, limit: int) -> dict[str, Any]:
    shard = backend.shard_iterators[iterator_arn].stream_shard
    page = _get_records(backend, iterator_arn, limit)
    if len(page["Records"]) < limit and any(stream.shard is shard for stream in _closed.values()):
        del backend.shard_iterators[page.pop("NextShardIterator")]
    return page


def _get_kept(shard: StreamShard, start: int, quantity: int) -> list[dict[str, Any]]:
    if start < shard.starting_sequence_number:
        raise TrimmedDataAccessError(start)
    return _get(shard, start, quantity)


class _Record(StreamRecord):
    """A record with its table's region, and its size by the rules for items.

    moto's are all of us-east-1, and as long as their JSON text, which takes a third of the time of
    a put. `created` is in seconds since 1970; what is read of it is in whole ones, as of a real
    stream: moto's is a date without a time zone, which is hours off where that is not UTC.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """

    def __init__(self, shard: StreamShard, old: Item | None, new: Item | None) -> None:
        table = shard.table
        view = (table.stream_specification or {})["StreamViewType"]
        images = _keys(table, old, new)
        if new is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["NewImage"] = new.to_json()["Attributes"]
        if old is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["OldImage"] = old.to_json()["Attributes"]
        self.created = now()
        self.record = {
            "eventID": mock_random.uuid4().hex,
            "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.0",
            "awsRegion": table.region_name,
            "dynamodb": {
                "StreamViewType": view,
                "ApproximateCreationDateTime": int(self.created),
                "SequenceNumber": str(len(shard.items) + shard.starting_sequence_number),
                "SizeBytes": sum(map(item_size, images.values())),
                **images,
            },
        }


def _keys(table: Table, old: Item | None, new: Item | None) -> dict[str, dict[str, Any]]:
    """Return the field of a record that has the item's key."""
    item: Any = new if old is None else old
    keys = {table.hash_key_attr: item.hash_key.to_json()}
    if table.range_key_attr is not None:
        keys[table.range_key_attr] = item.range_key.to_json()
    return {"Keys": keys}


def add_record(shard: StreamShard, old: Item | None, new: Item | None) -> None:
    """Append the record of a change.

    With an event source mapping, moto would invoke the function inside every write, with the
    stream's whole history, and then empty the stream. Our own mappings poll it instead.
    """
    shard.items.append(_Record(shard, old, new))


def trim_records() -> None:
    """Delete the records of all streams that are older than the retention."""
    oldest = now() - _Retention.seconds
    for shard in _shards():
        trimmed = bisect_right(shard.items, oldest, key=_created)
        del shard.items[:trimmed]
        shard.starting_sequence_number += trimmed


def _shards() -> Iterator[StreamShard]:
    yield from (stream.shard for stream in _closed.values())
    for regions in dynamodb_backends.values():
        for backend in regions.values():
            for table in backend.tables.values():
                if table.stream_shard is not None:
                    yield table.stream_shard


def _created(record: Any) -> float:
    created: float = record.created
    return created


@contextmanager
def streams_by_arn(retention: float) -> Iterator[None]:
    """Distinguish a table's current stream from disabled ones while the context lasts.

    Records are kept for `retention` seconds.
    """
    _closed.clear()
    _Retention.seconds = retention
    with ExitStack() as changes:
        for owner, name, ours in (
            (Table, "set_stream_specification", _specify),
            (DynamoDBBackend, "delete_table", _delete),
            (DynamoDBStreamsBackend, "describe_stream", _describe),
            (DynamoDBStreamsBackend, "get_shard_iterator", _iterator),
            (DynamoDBStreamsBackend, "get_records", _records),
            (StreamShard, "get", _get_kept),
        ):
            changes.enter_context(patch.object(owner, name, ours))
        yield
    _closed.clear()
