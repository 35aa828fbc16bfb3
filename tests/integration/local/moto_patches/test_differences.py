"""Where servers of the tests differ from DynamoDB, as docs/explanation/servers.md lists it.

Each test says what DynamoDB does, by its documentation. A server that is known to do otherwise must
fail it; one that does so no more makes itself known.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.endpoint.server import LocalServer
from tests.support.dynamodb_servers import dynoxide, ministack

SERVERS = ["moto", "dynoxide", "MiniStack"]
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
}
KEY = {"k": {"S": "1"}}
NUMBERS = count(10)
"""A number for each table, so that none has the name of another."""


class Server:
    """A server, and a table on it with a stream."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self.name = name
        self.tables = self.client("dynamodb", "us-east-1")
        self._streams = self.client("dynamodbstreams", "us-east-1")
        answer = self.tables.create_table(TableName=name, **TABLE)["TableDescription"]
        self.stream = self._streams.describe_stream(StreamArn=answer["LatestStreamArn"])[
            "StreamDescription"
        ]

    def client(self, service: str, region: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            region_name=region,
            endpoint_url=self._url,
            aws_access_key_id="123456789012",
            aws_secret_access_key="none",
            config=Config(
                account_id_endpoint_mode="disabled",
                parameter_validation=False,
                proxies={},
                retries={"total_max_attempts": 1},
            ),
        )

    def put(self, **attributes: Any) -> None:
        self.tables.put_item(TableName=self.name, Item={**KEY, **attributes})

    def records(self) -> list[Any]:
        iterator = self._streams.get_shard_iterator(
            StreamArn=self.stream["StreamArn"],
            ShardId=self.stream["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        found: list[Any] = self._streams.get_records(ShardIterator=iterator)["Records"]
        return found

    def say(self, statement: str, *parameters: Any) -> Mapping[str, Any]:
        """Make a statement in a batch, as the batched Store does; return what came of it."""
        one = {
            "Statement": statement,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({"Parameters": parameters} if parameters else {}),
        }
        (answer,) = self.tables.batch_execute_statement(Statements=[one])["Responses"]
        response: Mapping[str, Any] = answer
        return response


TABLE: Any = {
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


@pytest.fixture(scope="module", params=SERVERS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "moto":
        with LocalServer() as server:
            yield server.endpoint
    else:
        yield dynoxide() if request.param == "dynoxide" else ministack()


@pytest.fixture
def server(url: str) -> Iterator[Server]:
    running = Server(url, f"t{next(NUMBERS)}")
    yield running
    running.tables.delete_table(TableName=running.name)


def differs(what: str) -> list[Any]:
    """Return the servers to run a test on, those that differ marked so."""
    return [
        pytest.param(
            one, marks=pytest.mark.xfail(strict=True, reason=what) if one in DIFFERENT[what] else ()
        )
        for one in SERVERS
    ]


def on_all(what: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("url", differs(what), indirect=True)


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
    assert Server(server._url, server.name).records() == []


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Shard.html
@on_all("a shard's id")
def test_a_shards_id_is_as_long_as_the_sdk_demands(server: Server) -> None:
    assert len(server.stream["Shards"][0]["ShardId"]) >= 28


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamDescription.html
@on_all("the key in a stream's description")
def test_a_stream_says_its_tables_key(server: Server) -> None:
    assert server.stream["KeySchema"] == TABLE["KeySchema"]


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


@on_all("backups")
def test_point_in_time_recovery_can_be_switched_on(server: Server) -> None:
    server.tables.update_continuous_backups(
        TableName=server.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
