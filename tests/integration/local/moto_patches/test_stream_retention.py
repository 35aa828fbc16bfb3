"""Records that are older than a stream's retention are trimmed, as DynamoDB does after a day."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from local.clients import HOME_ACCOUNT, Clients
from local.endpoint.server import LocalServer
from local.lambda_emulator.stream_reader import StreamReader
from local.moto_patches import install, streams

REGION = "eu-west-1"
TABLE: Any = {
    "TableName": "kept",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


class Source:
    """A table and its stream, on a clock that the test moves."""

    def __init__(self, clients: Clients, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.client = clients.dynamodb(REGION)
        self.streams = clients.streams(REGION)
        self.records = clients.records(REGION)
        self.arn = self.client.create_table(**TABLE)["TableDescription"]["LatestStreamArn"]

    def put(self, key: str) -> None:
        self.client.put_item(TableName="kept", Item={"id": {"S": key}})

    def pass_time(self, seconds: float) -> None:
        later = time.time() + seconds
        self.patch.setattr(streams, "now", lambda: later)

    def reader(self) -> StreamReader:
        return StreamReader(self.streams, self.arn, "TRIM_HORIZON")


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setattr(install, "DROP_SECONDS", 0.0)
    with LocalServer(stream_retention=60.0) as server, Clients(server.endpoint) as clients:
        yield Source(clients, monkeypatch)


def keys(reader: StreamReader) -> list[str]:
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in reader.read()]


def test_a_record_is_read_until_its_retention_and_no_longer(source: Source) -> None:
    source.put("a")
    source.pass_time(50)
    assert keys(source.reader()) == ["a"]
    source.pass_time(70)
    source.put("b")
    assert keys(source.reader()) == ["b"]


def test_reading_goes_on_over_trimmed_records(source: Source) -> None:
    reader = source.reader()
    source.put("read")
    assert keys(reader) == ["read"]
    source.put("not read")
    source.pass_time(70)
    source.put("kept")
    assert keys(reader) == ["kept"]


def test_who_reads_from_a_trimmed_record_is_refused(source: Source) -> None:
    source.put("a")
    shard = source.streams.describe_stream(StreamArn=source.arn)["StreamDescription"]["Shards"][0]
    iterator = source.streams.get_shard_iterator(
        StreamArn=source.arn,
        ShardId=shard["ShardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=shard["SequenceNumberRange"]["StartingSequenceNumber"],
    )["ShardIterator"]
    source.pass_time(70)
    source.put("b")
    for client in (source.streams, source.records):
        with pytest.raises(client.exceptions.TrimmedDataAccessException):
            client.get_records(ShardIterator=iterator)


def test_a_trimmed_record_and_a_replaced_item_leave_nothing_in_memory(source: Source) -> None:
    source.put("a")
    shard = dynamodb_backends[HOME_ACCOUNT][REGION].tables["kept"].stream_shard
    assert shard is not None
    record = weakref.ref(shard.items[0])
    (item,) = (weakref.ref(one) for one in shard.table.items.values())
    source.pass_time(70)
    source.put("a")
    gc.collect()
    assert record() is None
    assert item() is None
