"""What moto fails at or would ignore is refused with the reason, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import StreamShard
from moto.dynamodbstreams.models import DynamoDBStreamsBackend

from local.clients import Clients

REGION = "eu-west-1"
A: Any = {"TableName": "kept", "Key": {"id": {"S": "a"}}}
ITEM: Any = {"id": {"S": "a"}, "held": {"L": [{"SS": ["x"]}]}, "v": {"N": "1"}}


@pytest.fixture
def client(clients: Clients) -> Iterator[Any]:
    """A client, for a table `kept` with the item `a`."""
    made: Any = clients.dynamodb(REGION)
    made.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    made.put_item(TableName="kept", Item=ITEM)
    yield made
    made.delete_table(TableName="kept")


def refusal(ask: Callable[[], Any]) -> str:
    """Make a request that has to be refused, with 400 and at once; return the reason."""
    with pytest.raises(ClientError) as refused:
        ask()
    response: Any = refused.value.response
    assert response["Error"]["Code"] == "ValidationException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    return str(response["Error"]["Message"])


def items(client: Any) -> list[Any]:
    found: list[Any] = client.scan(TableName="kept")["Items"]
    return found


def test_what_moto_fails_at_is_refused_with_its_error(client: Any) -> None:
    reason = refusal(
        lambda: client.update_item(
            **A,
            UpdateExpression="SET v = :v DELETE held[0] :s",
            ExpressionAttributeValues={":v": {"N": "2"}, ":s": {"SS": ["x"]}},
        )
    )
    assert "The local ring cannot execute this UpdateItem: moto fails (NotImplemented" in reason
    assert "No item was changed." in reason
    assert items(client) == [ITEM]


def _fail(*_: object, **__: object) -> Any:
    raise RuntimeError("x")


WRITES: dict[str, Callable[[Any], Any]] = {
    "a put": lambda client: client.put_item(TableName="kept", Item=A["Key"]),
    "a delete": lambda client: client.delete_item(**A),
    "an update": lambda client: client.update_item(**A, UpdateExpression="REMOVE v"),
    "a batch": lambda client: client.batch_write_item(
        RequestItems={"kept": [{"DeleteRequest": {"Key": A["Key"]}}]}
    ),
    "a statement": lambda client: client.execute_statement(
        Statement="""INSERT INTO "kept" VALUE {'id': ?}""", Parameters=[{"S": "b"}]
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_fails_after_the_item_was_changed_is_undone(
    client: Any, monkeypatch: pytest.MonkeyPatch, write: Callable[[Any], Any]
) -> None:
    monkeypatch.setattr(StreamShard, "add", _fail)
    assert "moto fails (RuntimeError('x'))" in refusal(lambda: write(client))
    assert items(client) == [ITEM]


def test_a_read_of_a_stream_that_moto_fails_at_is_refused(
    clients: Clients, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = client.describe_table(TableName="kept")["Table"]["LatestStreamArn"]
    monkeypatch.setattr(DynamoDBStreamsBackend, "describe_stream", _fail)
    streams: Any = clients.streams(REGION)
    reason = refusal(lambda: streams.describe_stream(StreamArn=arn))
    assert "The local ring cannot execute this DescribeStream: moto fails" in reason


EQUAL: Any = {"v": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "7"}]}}
EITHER: Any = {"Expected": EQUAL, "ConditionalOperator": "OR"}
KEY_IS: Any = {
    "KeyConditionExpression": "id = :id",
    "ExpressionAttributeValues": {":id": {"S": "a"}},
}
UPDATES: Any = {"v": {"Action": "PUT", "Value": {"N": "2"}}}
REPLACED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "Expected of a put": (
        lambda client: client.put_item(TableName="kept", Item=A["Key"], Expected=EQUAL),
        "ConditionExpression",
    ),
    "Expected of a delete": (
        lambda client: client.delete_item(**A, Expected=EQUAL),
        "ConditionExpression",
    ),
    "ConditionalOperator": (
        lambda client: client.put_item(TableName="kept", Item=A["Key"], **EITHER),
        "",
    ),
    "AttributeUpdates": (
        lambda client: client.update_item(**A, AttributeUpdates=UPDATES),
        "UpdateExpression",
    ),
    "ScanFilter": (
        lambda client: client.scan(TableName="kept", ScanFilter=EQUAL),
        "FilterExpression",
    ),
    "QueryFilter": (
        lambda client: client.query(TableName="kept", QueryFilter=EQUAL, **KEY_IS),
        "FilterExpression",
    ),
    "AttributesToGet of an item": (
        lambda client: client.get_item(**A, AttributesToGet=["v"]),
        "ProjectionExpression",
    ),
    "AttributesToGet of a batch": (
        lambda client: client.batch_get_item(
            RequestItems={"kept": {"Keys": [A["Key"]], "AttributesToGet": ["v"]}}
        ),
        "ProjectionExpression",
    ),
    "a projection in a transaction": (
        lambda client: client.transact_get_items(
            TransactItems=[{"Get": {**A, "ProjectionExpression": "v"}}]
        ),
        "whole items",
    ),
}


@pytest.mark.parametrize(("ask", "instead"), REPLACED.values(), ids=REPLACED)
def test_a_parameter_that_moto_does_not_act_upon_is_refused_with_what_to_use_instead(
    client: Any, ask: Callable[[Any], Any], instead: str
) -> None:
    reason = refusal(lambda: ask(client))
    assert "The local ring does not execute" in reason
    assert f"Use {instead}" in reason
    assert items(client) == [ITEM]
