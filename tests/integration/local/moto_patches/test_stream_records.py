"""What a stream of the local ring says of a change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.clients import Clients
from local.data.item_size import item_size
from local.endpoint.server import LocalServer

REGION = "eu-west-1"
KEY = {"id": {"S": "a"}, "n": {"N": "1"}}
FIRST: Any = {**KEY, "v": {"L": [{"S": "first"}]}}
SECOND: Any = {**KEY, "v": {"S": "second"}}
VIEWS = {
    "KEYS_ONLY": [],
    "NEW_IMAGE": ["NewImage"],
    "OLD_IMAGE": ["OldImage"],
    "NEW_AND_OLD_IMAGES": ["NewImage", "OldImage"],
}


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with LocalServer() as server, Clients(server.endpoint) as clients:
        yield clients


def records(clients: Clients, view: str, name: str = "") -> list[Any]:
    """Return the records of a put, a put over it and a delete, in a table named after its view."""
    name = name or view
    table: Any = {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "n", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
    }
    client, streams = clients.dynamodb(REGION), clients.streams(REGION)
    arn = client.create_table(**table)["TableDescription"]["LatestStreamArn"]
    for item in (FIRST, SECOND):
        client.put_item(TableName=name, Item=item)
    client.delete_item(TableName=name, Key=KEY)
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return streams.get_records(ShardIterator=iterator)["Records"]


@pytest.mark.parametrize(("view", "images"), VIEWS.items())
def test_a_record_has_the_images_that_its_stream_is_set_to(
    clients: Clients, view: str, images: list[str]
) -> None:
    there: dict[str, dict[str, Any]] = {
        "INSERT": {"NewImage": FIRST},
        "MODIFY": {"NewImage": SECOND, "OldImage": FIRST},
        "REMOVE": {"OldImage": SECOND},
    }
    found = records(clients, view)
    assert [record["eventName"] for record in found] == list(there)
    for record in found:
        change = record["dynamodb"]
        made = there[record["eventName"]]
        wanted = {name: image for name, image in made.items() if name in images}
        shown = {name: image for name, image in change.items() if name.endswith("Image")}
        assert shown == wanted
        assert change["Keys"] == KEY
        assert change["StreamViewType"] == view
        assert change["SizeBytes"] == sum(map(item_size, [KEY, *wanted.values()]))
        assert record["awsRegion"] == REGION


def test_a_record_has_the_time_of_its_change_in_any_time_zone(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        began = int(time.time())
        found = records(clients, "NEW_IMAGE", "elsewhere")
        for record in found:
            created = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
            assert began <= created <= time.time()
    finally:
        monkeypatch.undo()
        time.tzset()
