"""A request that is refused leaves nothing: no item, no record, and every reader where it was."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import Clients
from local.lambda_emulator.stream_reader import StreamReader
from local.moto_patches import repeated_transactions

REGION = "eu-west-1"
MISSING: Any = {
    "Key": {"id": {"S": "missing"}},
    "ConditionExpression": "attribute_exists(id)",
}


class Table:
    """A table with an item, and a reader that has read its stream so far."""

    def __init__(self, clients: Clients, sort_key: bool) -> None:
        self.name = f"table-{uuid.uuid4()}"
        self.client: Any = clients.dynamodb(REGION)
        names, kinds = ["id", "at"] if sort_key else ["id"], ("HASH", "RANGE")
        self.rest: dict[str, Any] = {"at": {"S": "noon"}} if sort_key else {}
        create: Any = self.client.create_table
        made = create(
            TableName=self.name,
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, kinds, strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.put("there", v={"M": {"deep": {"N": "1"}}})
        arn = made["TableDescription"]["LatestStreamArn"]
        self.reader = StreamReader(clients.records(REGION), arn, "TRIM_HORIZON")
        self.records()

    def key(self, key: str) -> dict[str, Any]:
        return {"id": {"S": key}, **self.rest}

    def put(self, key: str, **attributes: Any) -> None:
        self.client.put_item(TableName=self.name, Item={**self.key(key), **attributes})

    def items(self) -> list[Any]:
        return sorted(self.client.scan(TableName=self.name)["Items"], key=str)

    def records(self) -> list[tuple[str, str]]:
        return [
            (one["eventName"], one["dynamodb"]["Keys"]["id"]["S"]) for one in self.reader.read()
        ]


@pytest.fixture(params=[False, True], ids=["partition key", "sort key"])
def table(clients: Clients, request: pytest.FixtureRequest) -> Table:
    return Table(clients, request.param)


def _put(table: Table, key: str) -> Any:
    return {"Put": {"TableName": table.name, "Item": table.key(key)}}


def _cancelled(table: Table) -> None:
    deep = {
        "TableName": table.name,
        "Key": table.key("there"),
        "UpdateExpression": "SET v.deep = :v, w = :v",
        "ExpressionAttributeValues": {":v": {"N": "2"}},
    }
    check = {**MISSING, "TableName": table.name, "Key": table.key("missing")}
    table.client.transact_write_items(
        TransactItems=[_put(table, "ghost"), {"Update": deep}, {"ConditionCheck": check}]
    )


def _cancelled_delete(table: Table) -> None:
    delete = {"Delete": {"TableName": table.name, "Key": table.key("there")}}
    check = {**MISSING, "TableName": table.name, "Key": table.key("missing")}
    table.client.transact_write_items(TransactItems=[delete, {"ConditionCheck": check}])


def _same_key_twice(table: Table) -> None:
    table.client.transact_write_items(TransactItems=[_put(table, "ghost"), _put(table, "ghost")])


def _too_large(table: Table) -> None:
    table.client.update_item(
        TableName=table.name,
        Key=table.key("ghost"),
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"S": "x" * 409_000}},
    )


def _half_a_batch(table: Table) -> None:
    wrong = {**table.key("ghost"), "id": {"N": "1"}}
    requests = [{"PutRequest": {"Item": table.key("ghost")}}, {"PutRequest": {"Item": wrong}}]
    table.client.batch_write_item(RequestItems={table.name: requests})


def _half_a_partiql_transaction(table: Table) -> None:
    key = " AND ".join(f"{name} = '{value['S']}'" for name, value in table.key("there").items())
    statements = [
        {"Statement": f'DELETE FROM "{table.name}" WHERE {key}'},
        {"Statement": "DELETE FROM \"nowhere\" WHERE id = 'a'"},
    ]
    table.client.execute_transaction(TransactStatements=statements)


REFUSED: dict[str, Callable[[Table], None]] = {
    "a transaction whose check fails": _cancelled,
    "a transaction with a delete": _cancelled_delete,
    "a transaction that is not valid": _same_key_twice,
    "an update that makes an item too large": _too_large,
    "a batch with a wrong key": _half_a_batch,
    "a PartiQL transaction": _half_a_partiql_transaction,
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_leaves_no_item_and_no_record_and_the_stream_goes_on(
    table: Table, refused: Callable[[Table], None]
) -> None:
    before = table.items()
    with pytest.raises(ClientError):
        refused(table)
    assert table.items() == before
    table.put("after")
    assert table.records() == [("INSERT", "after")]


def test_of_two_tables_in_a_cancelled_transaction_neither_is_changed(clients: Clients) -> None:
    one, two = Table(clients, sort_key=False), Table(clients, sort_key=True)
    check = {**MISSING, "TableName": one.name}
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        one.client.transact_write_items(
            TransactItems=[_put(one, "ghost"), _put(two, "ghost"), {"ConditionCheck": check}]
        )
    for table in (one, two):
        table.put("after")
        assert table.records() == [("INSERT", "after")]
        assert len(table.items()) == 2


def test_a_transaction_that_holds_is_recorded_item_by_item(table: Table) -> None:
    table.client.transact_write_items(
        TransactItems=[
            _put(table, "a"),
            {"Delete": {"TableName": table.name, "Key": table.key("there")}},
        ]
    )
    assert table.records() == [("INSERT", "a"), ("REMOVE", "there")]


def test_a_token_is_forgotten_after_a_while_and_that_of_a_cancelled_transaction_at_once(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = {**MISSING, "TableName": table.name, "Key": table.key("missing")}
    for _ in range(2):
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            table.client.transact_write_items(
                TransactItems=[{"ConditionCheck": check}], ClientRequestToken=f"{table.name}-1"
            )
    more = {"TransactItems": [_put(table, "a")], "ClientRequestToken": f"{table.name}-2"}
    table.client.transact_write_items(**more)
    table.client.transact_write_items(**more)
    assert table.records() == [("INSERT", "a")]
    monkeypatch.setattr(repeated_transactions, "SECONDS", 0.0)
    table.client.transact_write_items(**more)
    assert table.records() == [("MODIFY", "a")]


def test_an_update_that_makes_an_item_is_one_record(table: Table) -> None:
    table.client.update_item(
        TableName=table.name,
        Key=table.key("new"),
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"N": "1"}},
    )
    (record,) = table.reader.read()
    assert record["eventName"] == "INSERT"
    assert record["dynamodb"]["NewImage"] == {**table.key("new"), "v": {"N": "1"}}


def test_a_transaction_in_a_large_table_takes_no_longer_than_in_a_small_one(
    clients: Clients,
) -> None:
    small, large = Table(clients, sort_key=False), Table(clients, sort_key=False)
    for batch in range(120):
        puts = [{"PutRequest": {"Item": large.key(f"{batch}-{one}")}} for one in range(25)]
        large.client.batch_write_item(RequestItems={large.name: puts})

    def fastest(table: Table) -> float:
        def took() -> float:
            began = time.perf_counter()
            table.client.transact_write_items(TransactItems=[_put(table, "a")])
            return time.perf_counter() - began

        return min(took() for _ in range(5))

    assert fastest(large) < 5 * fastest(small)
