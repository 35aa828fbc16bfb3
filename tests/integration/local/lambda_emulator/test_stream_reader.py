"""Reading a table's stream: from where, in what order, and after trouble."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.clients import Clients
from local.endpoint.server import LocalServer
from local.lambda_emulator.events import to_event_record
from local.lambda_emulator.stream_reader import StreamReader
from tests.support.samples import in_base64

REGION = "eu-west-1"


class Source:
    """A table whose stream is read."""

    def __init__(self, clients: Clients, name: str) -> None:
        self.name = name
        self.client = clients.dynamodb(REGION)
        self.streams = clients.records(REGION)
        self.arn = self.client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]["LatestStreamArn"]

    def put(self, *numbers: int) -> None:
        for number in numbers:
            item: Any = {"id": {"S": "a"}, "at": {"N": str(number)}}
            self.client.put_item(TableName=self.name, Item=item)


@pytest.fixture(scope="module")
def clients(dynamodb: str | None) -> Iterator[Clients]:
    with LocalServer(dynamodb=dynamodb) as server, Clients(server.endpoint) as made:
        yield made


@pytest.fixture
def source(clients: Clients) -> Source:
    return Source(clients, f"source-{uuid.uuid4()}")


def read(reader: StreamReader) -> list[int]:
    return [int(record["dynamodb"]["Keys"]["at"]["N"]) for record in reader.read()]


def test_from_the_horizon_all_is_read_once_and_in_order(source: Source) -> None:
    source.put(1, 2)
    reader = StreamReader(source.streams, source.arn, "TRIM_HORIZON")
    assert read(reader) == [1, 2]
    assert read(reader) == []
    source.put(3)
    assert read(reader) == [3]


def test_from_the_latest_only_what_comes_after_is_read(source: Source) -> None:
    source.put(1)
    reader = StreamReader(source.streams, source.arn, "LATEST")
    source.put(2)
    assert read(reader) == [2]


def test_from_the_latest_nothing_is_lost_among_the_records_of_other_tables(
    source: Source, clients: Clients
) -> None:
    other = Source(clients, f"other-{uuid.uuid4()}")
    reader = StreamReader(source.streams, source.arn, "LATEST")
    assert read(reader) == []
    other.put(1, 2)
    assert read(reader) == []
    source.put(3)
    assert read(reader) == [3]
    other.put(4)
    source.put(5)
    assert read(reader) == [5]


def test_an_iterator_that_is_lost_loses_no_record(source: Source) -> None:
    source.put(1, 2)
    reader = StreamReader(source.streams, source.arn, "TRIM_HORIZON")
    assert read(reader) == [1, 2]
    source.put(3)
    reader._iterator = "lost"
    with pytest.raises(ClientError):
        reader.read()
    assert read(reader) == [3]


def test_a_function_is_given_the_same_event_by_each_client(
    source: Source, clients: Clients
) -> None:
    deep: Any = {"M": {"B": {"B": b"\x00"}, "bs": {"BS": [b"\x01", b"\xff"]}}}
    values: Any = {"b": {"B": b"\x00\xff"}, "n": {"N": "1"}, "l": {"L": [deep, {"NULL": True}]}}
    key: Any = {"id": {"S": "a"}, "at": {"N": "1"}}
    source.client.put_item(TableName=source.name, Item={**key, **values})
    source.client.delete_item(TableName=source.name, Key=key)
    lean, plain = (
        StreamReader(client, source.arn, "TRIM_HORIZON").read()
        for client in (source.streams, clients.streams(REGION))
    )
    events = [to_event_record(record, source.arn) for record in lean]
    assert events == [to_event_record(in_base64(record), source.arn) for record in plain]
    image = events[0]["dynamodb"]["NewImage"]
    assert image["b"] == {"B": "AP8="}
    assert image["l"]["L"][0] == {"M": {"B": {"B": "AA=="}, "bs": {"BS": ["AQ==", "/w=="]}}}


def test_a_server_that_is_gone_is_an_error_of_boto3s(clients: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Clients(f"http://127.0.0.1:{port}") as gone, pytest.raises(EndpointConnectionError):
        gone.records(REGION).get_records(ShardIterator="any")


def test_a_reader_names_what_it_reads(source: Source) -> None:
    reader = StreamReader(source.streams, source.arn, "LATEST")
    assert (reader.arn, reader.partition_key) == (source.arn, "id")
    assert reader.shard.startswith("shardId-")
