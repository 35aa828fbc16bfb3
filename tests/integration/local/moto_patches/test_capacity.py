"""The capacity units that a local table returns: those that DynamoDB would take, or none."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import Clients
from local.cloudwatch.alarm_evaluation import Alarms
from local.data.item_size import item_size
from local.moto_patches.capacity_units import index_units, read_units, write_units

REGION, NAME = "eu-west-1", "measured"
KB = 1024


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({}, 0),
        ({"id": {"S": "abc"}}, 5),
        ({"é": {"S": "é"}}, 4),
        ({"n": {"N": "0"}}, 2),
        ({"n": {"N": "123"}}, 4),
        ({"n": {"N": "1000"}}, 3),
        ({"n": {"N": "-12.5"}}, 5),
        ({"n": {"N": "1E+20"}}, 3),
        ({"b": {"B": b"\x00\x01"}}, 3),
        ({"b": {"B": base64.b64encode(b"\x00\x01").decode()}}, 3),
        ({"z": {"NULL": True}}, 2),
        ({"s": {"SS": ["a", "bc"]}}, 4),
        ({"l": {"L": []}}, 4),
        ({"l": {"L": [{"S": "a"}, {"BOOL": True}]}}, 8),
        ({"m": {"M": {"k": {"S": "v"}}}}, 7),
    ],
    ids=str,
)
def test_an_item_has_the_size_of_its_names_and_values(item: Any, size: int) -> None:
    assert item_size(item) == size


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (4096, True, 1), (4097, True, 2), (8193, False, 1.5)],
)
def test_a_read_takes_a_unit_for_each_block_of_4_kb(
    size: int, consistent: bool, units: float
) -> None:
    assert read_units(size, consistent=consistent) == units


def of(size: int, **attributes: Any) -> dict[str, Any]:
    """An item of some bytes."""
    item = {"id": {"S": "a"}, **attributes}
    return {**item, "v": {"S": "x" * (size - item_size(item) - 1)}}


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, None, 1),
        (None, of(KB), 1),
        (None, of(KB + 1), 2),
        (of(3 * KB), of(10), 3),
        (of(2 * KB), None, 2),
    ],
    ids=["nothing there", "1 KB", "more", "smaller than before", "a delete"],
)
def test_a_write_takes_a_unit_for_each_kb_of_the_larger_item(
    before: Any, after: Any, units: int
) -> None:
    assert write_units(before, after) == units


def test_an_index_takes_what_changes_in_it() -> None:
    keys = ["id", "by"]
    here, there, out = of(10, by={"S": "x"}), of(10, by={"S": "y"}), of(10)
    assert index_units(None, out, keys) == 0
    assert index_units(here, here, keys) == 0
    assert index_units(out, here, keys) == index_units(here, out, keys) == 1
    assert index_units(here, there, keys) == 2
    assert index_units(of(2 * KB, by={"S": "x"}), of(3 * KB, by={"S": "x"}), keys) == 3


@pytest.fixture
def client(clients: Clients) -> Iterator[Any]:
    made: Any = clients.dynamodb(REGION)
    made.create_table(
        TableName=NAME,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "by")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "index",
                "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield made
    made.delete_table(TableName=NAME)


def put(client: Any, size: int, key: str = "a", **attributes: Any) -> None:
    client.put_item(TableName=NAME, Item={**of(size, **attributes), "id": {"S": key}})


def units(answer: Any) -> float:
    consumed: dict[str, Any] = answer["ConsumedCapacity"]
    assert consumed["TableName"] == NAME
    return float(consumed["CapacityUnits"])


A: Any = {"TableName": NAME, "Key": {"id": {"S": "a"}}}
TOTAL: Any = {"ReturnConsumedCapacity": "TOTAL"}


def test_a_write_returns_the_units_of_the_larger_item(client: Any) -> None:
    item = {"TableName": NAME, **TOTAL}
    assert units(client.put_item(Item=of(3 * KB), **item)) == 3
    assert units(client.put_item(Item=of(10), **item)) == 3
    assert units(client.delete_item(**A, **TOTAL)) == 1
    assert units(client.delete_item(**A, **TOTAL)) == 1
    update = {
        "UpdateExpression": "SET v = :v",
        "ExpressionAttributeValues": {":v": {"S": "x" * 2 * KB}},
    }
    assert units(client.update_item(**A, **update, **TOTAL)) == 3


def test_an_index_is_counted_by_itself_and_in_the_total(client: Any) -> None:
    item = of(2 * KB, by={"S": "x"})
    response = client.put_item(TableName=NAME, Item=item, ReturnConsumedCapacity="INDEXES")
    assert response["ConsumedCapacity"] == {
        "TableName": NAME,
        "CapacityUnits": 3.0,
        "Table": {"CapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"index": {"CapacityUnits": 1.0}},
    }


def test_a_read_returns_the_units_of_what_it_read_and_not_of_what_it_shows(client: Any) -> None:
    put(client, 9 * KB)
    put(client, 9 * KB, "b")
    assert units(client.get_item(**A, **TOTAL)) == 1.5
    assert units(client.get_item(**A, ConsistentRead=True, **TOTAL)) == 3
    assert units(client.get_item(**A, ProjectionExpression="id", **TOTAL)) == 1.5
    table = {"TableName": NAME, **TOTAL}
    assert units(client.scan(**table)) == 2.5
    names: Any = {
        "FilterExpression": "attribute_exists(nothing)",
        "ProjectionExpression": "id",
        "ConsistentRead": True,
    }
    assert units(client.scan(**table, **names)) == 5
    query = {
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "a"}},
    }
    assert units(client.query(**table, **query, ProjectionExpression="id")) == 1.5


def test_what_is_read_of_an_index_is_its_entries(client: Any) -> None:
    put(client, 9 * KB, by={"S": "x"})
    response = client.scan(TableName=NAME, IndexName="index", ReturnConsumedCapacity="INDEXES")
    assert response["ConsumedCapacity"] == {
        "TableName": NAME,
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.0},
        "GlobalSecondaryIndexes": {"index": {"CapacityUnits": 0.5}},
    }


def test_batches_and_transactions_count_each_item_and_a_transaction_takes_twice(
    client: Any,
) -> None:
    puts = [{"PutRequest": {"Item": {**of(2 * KB), "id": {"S": key}}}} for key in "abc"]
    (consumed,) = client.batch_write_item(RequestItems={NAME: puts}, **TOTAL)["ConsumedCapacity"]
    assert consumed["CapacityUnits"] == 6
    keys = [{"id": {"S": key}} for key in "abc"]
    got = client.batch_get_item(RequestItems={NAME: {"Keys": keys}}, **TOTAL)
    assert got["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 1.5}]
    put_one = {"Put": {"TableName": NAME, "Item": of(3 * KB)}}
    check = {
        "ConditionCheck": {
            "TableName": NAME,
            "Key": {"id": {"S": "b"}},
            "ConditionExpression": "attribute_exists(id)",
        }
    }
    done = client.transact_write_items(TransactItems=[put_one, check], **TOTAL)
    assert done["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 10.0}]
    gets = [{"Get": {"TableName": NAME, "Key": key}} for key in keys[:2]]
    read = client.transact_get_items(TransactItems=gets, **TOTAL)
    assert read["ConsumedCapacity"] == [{"TableName": NAME, "CapacityUnits": 4.0}]


def test_who_does_not_ask_is_given_nothing(client: Any) -> None:
    put(client, 10)
    answers = [
        client.put_item(TableName=NAME, Item=of(10)),
        client.update_item(**A, UpdateExpression="REMOVE v"),
        client.get_item(**A),
        client.batch_get_item(RequestItems={NAME: {"Keys": [{"id": {"S": "a"}}]}}),
        client.batch_write_item(RequestItems={NAME: [{"DeleteRequest": {"Key": A["Key"]}}]}),
        client.delete_item(**A),
        client.scan(TableName=NAME),
    ]
    assert [one for one in answers if "ConsumedCapacity" in one] == []


def in_cloudwatch(clients: Clients, name: str) -> tuple[float, float]:
    """What the table's metric comes to: how many samples, and their sum."""
    data: Any = clients.cloudwatch(REGION).get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName=name,
        Dimensions=[{"Name": "TableName", "Value": NAME}],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=86_400,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return sum(one["SampleCount"] for one in data), sum(one["Sum"] for one in data)


def test_the_units_of_writes_and_what_was_refused_are_in_cloudwatch(
    client: Any, clients: Clients
) -> None:
    alarms = Alarms()
    alarms.evaluate()
    samples, units_before = in_cloudwatch(clients, "ConsumedWriteCapacityUnits")
    put(client, 3 * KB)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.put_item(TableName=NAME, Item=of(10), ConditionExpression="attribute_not_exists(id)")
    alarms.evaluate()
    expected = (samples + 2, units_before + 6)
    assert in_cloudwatch(clients, "ConsumedWriteCapacityUnits") == expected
    assert in_cloudwatch(clients, "ConditionalCheckFailedRequests") == (1, 1)


def test_the_units_of_statements_are_in_cloudwatch(client: Any, clients: Clients) -> None:
    alarms = Alarms()
    alarms.evaluate()
    samples, units_before = in_cloudwatch(clients, "ConsumedWriteCapacityUnits")
    statement = f"INSERT INTO \"{NAME}\" VALUE {{'id': ?, 'v': ?}}"
    values: Any = [{"S": "by a statement"}, {"S": "x" * 3 * KB}]
    answer = client.batch_execute_statement(
        Statements=[{"Statement": statement, "Parameters": values}]
    )
    assert [one.get("Error") for one in answer["Responses"]] == [None]
    alarms.evaluate()
    expected = (samples + 1, units_before + 4)
    assert in_cloudwatch(clients, "ConsumedWriteCapacityUnits") == expected
