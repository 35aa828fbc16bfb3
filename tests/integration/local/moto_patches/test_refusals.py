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
