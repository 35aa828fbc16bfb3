"""Where servers of the tests differ from DynamoDB, as docs/explanation/servers.md lists it.

Each test says what DynamoDB does, by its documentation. A server that is known to do otherwise must
fail it; one that does so no more makes itself known.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.compared_servers import KEY, SERVERS, Server, on_servers, server_url, table_of

DIFFERENT = {
    "an update that changes nothing": {"moto", "dynoxide"},
    "the time of a record": set(),
    "a text like an element of XML": set(),
    "a statement reaches the stream": {"MiniStack"},
    "parameters in an INSERT": set(),
    "an INSERT of a key that is there": set(),
    "a DELETE that is refused": set(),
    "a table of a name that was used": {"dynoxide"},
    "regions apart": {"dynoxide"},
    "a shard's id": {"dynoxide"},
    "the key in a stream's description": {"dynoxide"},
    "a number's spelling": {"moto"},
    "a number of too many digits": {"moto"},
    "backups": {"dynoxide"},
    "a batch that is not valid": set(),
    "a transaction sent twice": set(),
    "another transaction with a token": set(),
}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with server_url(request.param) as url:
        yield url


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    with Server(url) as running:
        yield running


def on_all(what: str) -> pytest.MarkDecorator:
    return on_servers(what, DIFFERENT[what])


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
@on_all("an update that changes nothing")
def test_an_update_that_changes_nothing_leaves_no_record(server: Server) -> None:
    server.put()
    server.put()
    assert [record["eventName"] for record in server.records()] == ["INSERT"]


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
@on_all("the time of a record")
def test_a_records_time_is_in_whole_seconds(server: Server) -> None:
    for _ in range(5):
        server.put(v={"N": "1"})
        server.put(v={"N": "2"})
    times = [record["dynamodb"]["ApproximateCreationDateTime"] for record in server.records()]
    assert {time.microsecond for time in times} == {0}


@on_all("a text like an element of XML")
def test_a_text_is_read_as_it_was_put(server: Server) -> None:
    text = {"v": {"S": "<RequestId>mine</RequestId>"}}
    server.put(**text)
    assert server.tables.get_item(TableName=server.name, Key=KEY)["Item"] == {**KEY, **text}
    assert server.records()[0]["dynamodb"]["NewImage"] == {**KEY, **text}


@on_all("a statement reaches the stream")
def test_a_statement_that_writes_leaves_a_record(server: Server) -> None:
    server.say(f"INSERT INTO \"{server.name}\" VALUE {{'k': '1'}}")
    assert [record["eventName"] for record in server.records()] == ["INSERT"]


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html
@on_all("parameters in an INSERT")
def test_an_insert_takes_parameters(server: Server) -> None:
    assert "Error" not in server.say(f"INSERT INTO \"{server.name}\" VALUE {{'k': ?}}", KEY["k"])
    assert server.tables.get_item(TableName=server.name, Key=KEY)["Item"] == KEY


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
@on_all("an INSERT of a key that is there")
def test_an_insert_of_a_key_that_is_there_is_a_duplicate(server: Server) -> None:
    server.put()
    response = server.say(f"INSERT INTO \"{server.name}\" VALUE {{'k': ?}}", KEY["k"])
    assert response["Error"]["Code"] == "DuplicateItem"


@on_all("a DELETE that is refused")
def test_a_delete_that_is_refused_returns_the_item(server: Server) -> None:
    server.put(v={"N": "1"})
    response = server.say(
        f'DELETE FROM "{server.name}" WHERE k = ? AND v = ?', KEY["k"], {"N": "2"}
    )
    assert response["Error"]["Code"] == "ConditionalCheckFailed"
    assert response["Error"]["Item"] == {**KEY, "v": {"N": "1"}}


@on_all("regions apart")
def test_a_region_knows_its_own_tables_alone(server: Server) -> None:
    there = server.client("dynamodb", "eu-west-1")
    assert server.name not in there.list_tables()["TableNames"]


@on_all("a table of a name that was used")
def test_a_new_tables_stream_has_no_records_of_an_earlier_table(server: Server) -> None:
    server.put()
    server.tables.delete_table(TableName=server.name)
    assert Server(server.url, server.name).records() == []


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Shard.html
@on_all("a shard's id")
def test_a_shards_id_is_as_long_as_the_sdk_demands(server: Server) -> None:
    assert len(server.stream["Shards"][0]["ShardId"]) >= 28


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamDescription.html
@on_all("the key in a stream's description")
def test_a_stream_says_its_tables_key(server: Server) -> None:
    assert server.stream["KeySchema"] == table_of("S")["KeySchema"]


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
@on_all("a number's spelling")
def test_zeroes_around_a_number_are_trimmed(server: Server) -> None:
    server.put(v={"N": "0010.500"})
    assert server.tables.get_item(TableName=server.name, Key=KEY)["Item"]["v"] == {"N": "10.5"}


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
@on_all("a number of too many digits")
def test_a_number_of_more_than_38_digits_is_refused(server: Server) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        server.put(v={"N": "1" * 39})


def put_of(value: Any, **attributes: Any) -> Any:
    return {"PutRequest": {"Item": {"k": value, **attributes}}}


def delete_of(value: Any, **attributes: Any) -> Any:
    return {"DeleteRequest": {"Key": {"k": value, **attributes}}}


A: Any = {"S": "a"}


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
@on_all("a batch that is not valid")
@pytest.mark.parametrize(
    "requests",
    [
        [put_of(A), delete_of(A)],
        [put_of(A), put_of(A, v={"N": "1"})],
        [put_of({"S": str(number)}) for number in range(26)],
        [],
        [put_of(A, v={"SS": []})],
        [delete_of(A, v={"N": "1"})],
        [delete_of({"B": b"a"})],
        [delete_of({"S": ""})],
        [put_of(A), put_of({"B": b"a"})],
        [put_of(A), {"PutRequest": {"Item": {"v": A}}}],
    ],
    ids=[
        "put and delete of a key",
        "two puts of a key",
        "26 requests",
        "none",
        "an empty set",
        "a key with another attribute",
        "a key of another type",
        "an empty key",
        "a put of a key of another type",
        "no key",
    ],
)
def test_a_batch_that_is_not_valid_is_refused(server: Server, requests: list[Any]) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        server.tables.batch_write_item(RequestItems={server.name: requests})
    assert server.tables.scan(TableName=server.name)["Items"] == []


@on_all("a batch that is not valid")
def test_a_number_is_the_same_key_however_it_is_written(url: str) -> None:
    with Server(url, key_type="N") as server:
        requests = [put_of({"N": "1"}), put_of({"N": "1.0"})]
        with pytest.raises(ClientError, match="ValidationException"):
            server.tables.batch_write_item(RequestItems={server.name: requests})


def add_one(server: Server, token: str, number: str = "1") -> Any:
    """Add to the item's number in a transaction."""
    update = {
        "TableName": server.name,
        "Key": KEY,
        "UpdateExpression": "ADD v :v",
        "ExpressionAttributeValues": {":v": {"N": number}},
    }
    return server.tables.transact_write_items(
        TransactItems=[{"Update": update}],
        ClientRequestToken=token,
        ReturnConsumedCapacity="TOTAL",
    )


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
@on_all("a transaction sent twice")
def test_a_transaction_with_the_same_token_is_applied_once(server: Server) -> None:
    for token in ("one", "one", "two"):
        add_one(server, f"{server.name}-{token}")
    assert server.tables.get_item(TableName=server.name, Key=KEY)["Item"]["v"] == {"N": "2"}


@on_all("another transaction with a token")
def test_another_transaction_with_the_same_token_is_refused(server: Server) -> None:
    add_one(server, f"{server.name}-one")
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        add_one(server, f"{server.name}-one", "2")
    assert server.tables.get_item(TableName=server.name, Key=KEY)["Item"]["v"] == {"N": "1"}


@on_all("backups")
def test_point_in_time_recovery_can_be_switched_on(server: Server) -> None:
    server.tables.update_continuous_backups(
        TableName=server.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
