"""A parallel scan of a table with a binary partition key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.clients import Clients
from local.endpoint.server import LocalServer

SEGMENTS = 4
KEYS = {bytes([0, 255, number]) for number in range(40)}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with LocalServer() as server, Clients(server.endpoint) as clients:
        client = clients.dynamodb("eu-west-1")
        client.create_table(
            TableName="binary",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "B"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for key in KEYS:
            client.put_item(TableName="binary", Item={"id": {"B": key}})
        yield client


def keys_of(client: Any, segment: int) -> list[bytes]:
    pages = client.get_paginator("scan").paginate(
        TableName="binary",
        Segment=segment,
        TotalSegments=SEGMENTS,
        PaginationConfig={"PageSize": 7},
    )
    return [item["id"]["B"] for page in pages for item in page["Items"]]


def test_the_segments_of_a_table_with_binary_keys_have_each_item_once(client: Any) -> None:
    segments = [keys_of(client, number) for number in range(SEGMENTS)]
    found = [key for segment in segments for key in segment]
    assert (len(found), set(found)) == (len(KEYS), KEYS)
    assert all(segments)


def test_a_segment_of_a_table_with_binary_keys_is_always_the_same(client: Any) -> None:
    assert keys_of(client, 1) == keys_of(client, 1)
