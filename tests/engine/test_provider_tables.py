"""The test provider treats tables like the AWS provider. Without the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from local.cloud.resources import Location
from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded
from tests.engine.provider_inputs import (
    EXPIRY,
    INDEX,
    INDEXED,
    KEY,
    TABLE,
    made,
    table,
)


def described(place: Location, name: str) -> Any:
    return place.clients.dynamodb(place.region).describe_table(TableName=name)["Table"]


def expiry(place: Location, name: str) -> Any:
    client = place.clients.dynamodb(place.region)
    return client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


@pytest.mark.parametrize("block", [EXPIRY, KEY, INDEXED], ids=["ttl", "key", "last index"])
def test_a_block_that_is_left_out_is_no_change(
    ireland: Connection, block: Mapping[str, Any]
) -> None:
    found = ireland.diff(TABLE, table("left-out", **block), table("left-out"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_block_that_is_left_out_stays_through_another_change(
    ireland: Connection, place: Location
) -> None:
    before = table("kept", **EXPIRY, **KEY, **INDEXED)
    made(ireland, TABLE, before)
    after = decoded(
        ireland.update(TABLE, "kept", before, table("kept", tags={"a": "b"})).properties
    )
    assert expiry(place, "kept")["TimeToLiveStatus"] == "ENABLED"
    assert described(place, "kept")["SSEDescription"]["Status"] == "ENABLED"
    assert len(described(place, "kept")["GlobalSecondaryIndexes"]) == 1
    assert after["ttl"] == EXPIRY["ttl"]


def test_what_is_said_to_be_off_goes_off(ireland: Connection, place: Location) -> None:
    before = table("off", **EXPIRY, **KEY)
    made(ireland, TABLE, before)
    off = table(
        "off",
        ttl={"attributeName": "expires", "enabled": False},
        serverSideEncryption={"enabled": False},
    )
    assert set(ireland.diff(TABLE, before, off).diffs) == {"ttl", "serverSideEncryption"}
    ireland.update(TABLE, "off", before, off)
    assert expiry(place, "off")["TimeToLiveStatus"] == "DISABLED"
    assert described(place, "off").get("SSEDescription", {}).get("Status") != "ENABLED"
    # And off it is the same as nothing.
    assert ireland.diff(TABLE, table("off"), off).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_another_attribute_of_expiry_in_one_step_is_refused_as_by_dynamodb(
    ireland: Connection, place: Location
) -> None:
    before = table("moving", **EXPIRY)
    made(ireland, TABLE, before)
    after = table("moving", ttl={"attributeName": "ends", "enabled": True})
    with pytest.raises(grpc.RpcError, match="active on a different AttributeName"):
        ireland.update(TABLE, "moving", before, after)
    assert expiry(place, "moving")["AttributeName"] == "expires"


def test_another_type_of_an_indexs_key_is_no_change(ireland: Connection) -> None:
    number = [{"name": "id", "type": "S"}, {"name": "status", "type": "N"}]
    found = ireland.diff(
        TABLE, table("typed", **INDEXED), table("typed", **{**INDEXED, "attributes": number})
    )
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_indexs_capacity_goes_with_the_tables(ireland: Connection, place: Location) -> None:
    before = table("sized", **INDEXED)
    made(ireland, TABLE, before)
    units = {"readCapacity": 3, "writeCapacity": 4}
    sized = {"billingMode": "PROVISIONED", **units, "globalSecondaryIndexes": [{**INDEX, **units}]}
    after = {**before, **sized}
    client = place.clients.dynamodb(place.region)
    with patch.object(client, "update_table", wraps=client.update_table) as calls:
        ireland.update(TABLE, "sized", before, after)
    assert calls.call_count == 1
    (index,) = described(place, "sized")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    larger = {**after, "globalSecondaryIndexes": [{**INDEX, **units, "writeCapacity": 9}]}
    ireland.update(TABLE, "sized", after, larger)
    (index,) = described(place, "sized")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 9
