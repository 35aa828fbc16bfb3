"""One item named twice in a request is refused as by DynamoDB, however its number is spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import Clients

REGION = "eu-west-1"
TABLE = "numbered"
PAIRS = [("1", "1"), ("1", "1.0"), ("10", "1E1"), ("0", "-0"), ("9" * 38, "9" * 38 + ".0")]
DIFFERENT = [("1", "-1"), ("1" * 38, "1" * 37 + "2"), ("1", "1.00000000000000000000000000001")]


@pytest.fixture(scope="module")
def client(clients: Clients) -> Iterator[Any]:
    made: Any = clients.dynamodb(REGION)
    made.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield made
    made.delete_table(TableName=TABLE)


def key(number: str) -> dict[str, Any]:
    return {"id": {"N": number}}


def transact(client: Any, first: str, second: str) -> None:
    put = {"Put": {"TableName": TABLE, "Item": key(first)}}
    delete = {"Delete": {"TableName": TABLE, "Key": key(second)}}
    client.transact_write_items(TransactItems=[put, delete])


def transact_by_partiql(client: Any, first: str, second: str) -> None:
    say = f'DELETE FROM "{TABLE}" WHERE id = ?'
    statements = [{"Statement": say, "Parameters": [{"N": number}]} for number in (first, second)]
    client.execute_transaction(TransactStatements=statements)


def read(client: Any, first: str, second: str) -> None:
    client.batch_get_item(RequestItems={TABLE: {"Keys": [key(first), key(second)]}})


REQUESTS: list[Callable[[Any, str, str], None]] = [
    transact,
    transact_by_partiql,
    read,
]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_an_item_that_is_named_twice_is_refused(
    client: Any, request_of: Callable[[Any, str, str], None], pair: tuple[str, str]
) -> None:
    with pytest.raises(ClientError, match=r"on one item|contains duplicates") as refused:
        request_of(client, *pair)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert client.scan(TableName=TABLE)["Items"] == []


@pytest.mark.parametrize("pair", DIFFERENT)
def test_two_items_are_two(client: Any, pair: tuple[str, str]) -> None:
    transact(client, *pair)
    assert client.scan(TableName=TABLE)["Items"] == [key(pair[0])]
    client.delete_item(TableName=TABLE, Key=key(pair[0]))
    read(client, *pair)


def test_a_key_that_is_no_number_is_refused_by_its_own_reason(client: Any) -> None:
    with pytest.raises(ClientError) as refused:
        transact(client, "1", "no number")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
