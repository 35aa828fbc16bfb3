"""Servers that are held to what DynamoDB does: moto as the local ring runs it, and two others."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config

from local.endpoint.server import LocalServer
from tests.support.dynamodb_servers import dynoxide, ministack

SERVERS = ["moto", "dynoxide", "MiniStack"]
KEY = {"k": {"S": "1"}}
NUMBERS = count(10)
"""A number for each table, so that none has the name of another."""


def table_of(key_type: str) -> Any:
    """Return the parameters of a table whose key, `k`, is of a type."""
    return {
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": key_type}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


class Server:
    """A server, and a table on it with a stream."""

    def __init__(self, url: str, name: str = "", key_type: str = "S") -> None:
        self.url = url
        self.name = name = name or f"t{next(NUMBERS)}"
        self.tables = self.client("dynamodb", "us-east-1")
        self._streams = self.client("dynamodbstreams", "us-east-1")
        answer = self.tables.create_table(TableName=name, **table_of(key_type))["TableDescription"]
        self.stream = self._streams.describe_stream(StreamArn=answer["LatestStreamArn"])[
            "StreamDescription"
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tables.delete_table(TableName=self.name)

    def client(self, service: str, region: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            region_name=region,
            endpoint_url=self.url,
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

    def holds(self, condition: str, **values: Any) -> bool:
        """Return whether a condition holds for the item. Values are named without the colon."""
        found = self.tables.scan(
            TableName=self.name,
            FilterExpression=condition,
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )
        return bool(found["Count"])

    def update(self, expression: str, **values: Any) -> dict[str, Any]:
        """Update the item; return its other attributes. Values are named without the colon."""
        named = {f":{name}": value for name, value in values.items()}
        answer = self.tables.update_item(
            TableName=self.name,
            Key=KEY,
            UpdateExpression=expression,
            ReturnValues="ALL_NEW",
            **({"ExpressionAttributeValues": named} if named else {}),
        )
        return {name: value for name, value in answer["Attributes"].items() if name != "k"}

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


@contextmanager
def server_url(name: str) -> Iterator[str]:
    """Run a server while the context lasts."""
    if name == "moto":
        with LocalServer() as server:
            yield server.endpoint
    else:
        yield dynoxide() if name == "dynoxide" else ministack()


def on_servers(what: str, different: Collection[str]) -> pytest.MarkDecorator:
    """Run a test on all servers, by its fixture `url`; those that differ must fail it."""
    return pytest.mark.parametrize(
        "url",
        [
            pytest.param(
                one, marks=pytest.mark.xfail(strict=True, reason=what) if one in different else ()
            )
            for one in SERVERS
        ],
        indirect=True,
    )
