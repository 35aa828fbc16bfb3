"""Requests of a local server, counted by region, table and operation."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.clients import Clients
from local.endpoint.fault_injection import throttling
from local.endpoint.server import LocalServer

REGION = "eu-west-1"


def make_table(clients: Clients, name: str) -> str:
    """Make a table; return its ARN."""
    description = clients.dynamodb(REGION).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]
    return description["TableArn"]


def test_writes_and_refusals_are_counted_by_region_and_table(
    server: LocalServer, clients: Clients
) -> None:
    arn = make_table(clients, "counted")
    client = clients.dynamodb(REGION)
    item = {"id": {"S": "a"}}
    before = server.meter.read()
    client.put_item(TableName="counted", Item=item)
    client.put_item(TableName=arn, Item=item)
    for _ in range(2):
        with pytest.raises(ClientError):
            client.put_item(
                TableName="counted", Item=item, ConditionExpression="attribute_not_exists(id)"
            )
    client.get_item(TableName="counted", Key=item)
    with pytest.raises(ClientError, match="ValidationException"):
        client.put_item(TableName="counted", Item={"wrong": {"S": "a"}})
    counted = server.meter.read() - before
    assert counted.count(region=REGION, table="counted") == 2
    assert counted.count(region=REGION, table="counted", refused=True) == 2
    assert counted.count(region="us-east-1") == 0
    assert counted.count({"GetItem"}) == 1


def test_each_item_of_a_batch_is_counted(server: LocalServer, clients: Clients) -> None:
    make_table(clients, "left")
    make_table(clients, "right")
    client = clients.dynamodb(REGION)
    before = server.meter.read()
    puts: Any = {
        table: [
            {"PutRequest": {"Item": {"id": {"S": f"{table}-{number}"}}}} for number in range(count)
        ]
        for table, count in (("left", 3), ("right", 2))
    }
    client.batch_write_item(RequestItems=puts)
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "left", "Item": {"id": {"S": "x"}}}},
            {"Delete": {"TableName": "right", "Key": {"id": {"S": "right-0"}}}},
        ]
    )
    keys = [{"id": {"S": "left-0"}}, {"id": {"S": "left-1"}}]
    client.batch_get_item(RequestItems={"left": {"Keys": keys}})
    counted = server.meter.read() - before
    assert counted.count(table="left") == 4
    assert counted.count(table="right") == 3
    assert counted.count({"BatchGetItem"}, table="left") == 2


def test_each_write_of_a_batch_of_statements_is_counted(
    server: LocalServer, clients: Clients
) -> None:
    make_table(clients, "stated")
    before = server.meter.read()
    insert: Any = {"Statement": "INSERT INTO \"stated\" VALUE {'id': ?}"}
    statements: Any = [{**insert, "Parameters": [{"S": key}]} for key in ("a", "b", "b")]
    statements.append({"Statement": "SELECT * FROM \"stated\" WHERE id = 'a'"})
    statements.append({**insert, "Parameters": [{"N": "1"}]})
    statements.append({"Statement": "INSERT INTO \"stated\" VALUE {'id': 'c'}"})
    clients.dynamodb(REGION).batch_execute_statement(Statements=statements)
    counted = server.meter.read() - before
    assert counted.count(region=REGION, table="stated") == 3
    assert counted.count(table="stated", refused=True) == 1


def test_a_batch_of_statements_meets_the_faults_of_its_region(
    server: LocalServer, clients: Clients
) -> None:
    make_table(clients, "hindered")
    statement: Any = {
        "Statement": "INSERT INTO \"hindered\" VALUE {'id': ?}",
        "Parameters": [{"S": "a"}],
    }
    once = Config(retries={"total_max_attempts": 1})
    with (
        Clients(server.endpoint, config=once) as impatient,
        server.faults.inject(throttling(REGION, 1.0)),
        pytest.raises(ClientError, match="ProvisionedThroughputExceeded"),
    ):
        impatient.dynamodb(REGION).batch_execute_statement(Statements=[statement])
    assert clients.dynamodb(REGION).scan(TableName="hindered")["Items"] == []


def test_a_cancelled_transaction_is_refused(server: LocalServer, clients: Clients) -> None:
    make_table(clients, "cancelled")
    client = clients.dynamodb(REGION)
    before = server.meter.read()
    with pytest.raises(ClientError):
        client.transact_write_items(
            TransactItems=[
                {
                    "Delete": {
                        "TableName": "cancelled",
                        "Key": {"id": {"S": "x"}},
                        "ConditionExpression": "attribute_exists(id)",
                    }
                }
            ]
        )
    counted = server.meter.read() - before
    assert counted.count(table="cancelled", refused=True) == 1
    assert counted.count(table="cancelled") == 0
