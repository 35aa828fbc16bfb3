"""What makes moto faster changes no response."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.parse import BaseJSONParser
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoResult
from werkzeug.test import run_wsgi_app

from local.clients import Clients
from local.endpoint import direct_dynamodb
from local.endpoint.server import LocalServer, _Dispatcher
from local.moto_patches import scans, speed

# Of moto, before a server is started:
ALL_ITEMS = Table.all_items
ITEM_INIT = Item.__init__
REGION = "eu-west-1"
SCOPE = f"AKIALOCALRINGEXAMPLE/20260101/{REGION}/dynamodb/aws4_request"
VALUES: dict[str, Any] = {
    "text": {"S": "a b \N{EURO SIGN}"},
    "empty": {"S": ""},
    "number": {"N": "1.50"},
    "binary": {"B": "AP8="},
    "set": {"BS": ["AP8=", "AQ=="]},
    "null": {"NULL": True},
    "false": {"BOOL": False},
    "list": {"L": [{"S": "x"}, {"L": []}, {"M": {"": {"S": "no name"}, "b": {"B": "AA=="}}}]},
    "map": {"M": {"S": {"S": "x"}, "n": {"N": "1"}, "none": {"M": {}}}},
}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with LocalServer() as server, Clients(server.endpoint) as clients:
        client = clients.dynamodb(REGION)
        for name, second in (("plain", None), ("sorted", "N")):
            keys = [("id", "HASH", "S"), *([("n", "RANGE", second)] if second else [])]
            client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind, _ in keys],  # type: ignore[typeddict-item]
                AttributeDefinitions=[
                    {"AttributeName": key, "AttributeType": of}  # type: ignore[typeddict-item]
                    for key, _, of in keys
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def environ(target: str, body: bytes) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost:80",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "HTTP_X_AMZ_TARGET": target,
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={SCOPE}, Signature=x",
    }


KEY = {"id": {"S": "a"}}
CONDITION = {"ConditionExpression": "attribute_not_exists(id)"}


@pytest.mark.parametrize(
    ("operation", "request_body"),
    [
        ("PutItem", {"TableName": "plain", "Item": {**KEY, **VALUES}}),
        ("GetItem", {"TableName": "plain", "Key": KEY}),
        ("GetItem", {"TableName": "plain", "Key": {"id": {"S": "missing"}}}),
        ("GetItem", {"TableName": "missing", "Key": KEY}),
        ("GetItem", {"TableName": "plain", "Key": {"other": {"S": "a"}}}),
        ("PutItem", {"TableName": "plain", "Item": KEY, **CONDITION}),
        ("Scan", {"TableName": "plain"}),
        ("DescribeTable", {"TableName": "plain"}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "plain", "Item": KEY}}]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_has_the_same_response_as_through_flask(
    client: Any, operation: str, request_body: Any
) -> None:
    client.put_item(TableName="plain", Item={**KEY, "blob": {"B": b"\x00\xff"}})
    body = json.dumps(request_body).encode()
    target = f"DynamoDB_20120810.{operation}"

    def answers() -> Iterator[tuple[int, Any, dict[str, str]]]:
        chunks, status, headers = run_wsgi_app(_Dispatcher(), environ(target, body), buffered=True)
        yield int(status.split()[0]), b"".join(chunks), dict(headers)
        handler = direct_dynamodb.handler_of(environ(target, body))
        assert handler is not None
        answer = direct_dynamodb.call(handler, environ(target, body), body)
        yield int(answer.status.split()[0]), answer.body, dict(answer.headers)

    def of(answer: tuple[int, Any, dict[str, str]]) -> Any:
        status, content, headers = answer
        named = {name.lower(): headers[name] for name in headers}
        return status, content, named["content-type"], named["x-amz-crc32"]

    through_flask, direct = answers()
    assert of(direct) == of(through_flask)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("REQUEST_METHOD", "GET"),
        ("PATH_INFO", "/bucket"),
        ("QUERY_STRING", "a=b"),
        ("HTTP_CONTENT_ENCODING", "gzip"),
        ("HTTP_AUTHORIZATION", ""),
        ("HTTP_X_AMZ_TARGET", "DynamoDB_20111205.GetItem"),
        ("HTTP_X_AMZ_TARGET", "AWSEvents.ListRules"),
    ],
)
def test_any_other_request_goes_through_flask(name: str, changed: str) -> None:
    usual = environ("DynamoDB_20120810.GetItem", b"{}")
    assert direct_dynamodb.handler_of(usual) is not None
    assert direct_dynamodb.handler_of({**usual, name: changed}) is None


def test_a_text_that_looks_like_a_form_is_not_taken_for_one(client: Any) -> None:
    """As moto does with it through Flask, which then fails: it finds the action "c"."""
    item = {"id": {"S": "form"}, "text": {"S": "a=b&Action=c&AWSAccessKeyId=d"}}
    client.put_item(TableName="plain", Item=item)
    assert client.get_item(TableName="plain", Key={"id": {"S": "form"}})["Item"] == item


def answer(operation: str, request: Any) -> bytes:
    body = json.dumps(request).encode()
    sent = environ(f"DynamoDB_20120810.{operation}", body)
    handler = direct_dynamodb.handler_of(sent)
    assert handler is not None
    return direct_dynamodb.call(handler, sent, body).body


@pytest.mark.parametrize(
    ("owner", "name", "original"),
    [
        (BaseJSONParser, "_parse_structure", speed._parse_structure),
        (DynamoType, "cast_value", property(speed._cast_value)),
        (DynamoType, "size", speed._size),
        (Item, "__init__", ITEM_INIT),
    ],
)
def test_values_are_the_same_as_with_motos_own_code(
    client: Any, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, original: Any
) -> None:
    def put_and_get() -> bytes:
        answer("PutItem", {"TableName": "plain", "Item": {"id": {"S": "v"}, **VALUES}})
        return answer("GetItem", {"TableName": "plain", "Key": {"id": {"S": "v"}}})

    fast = put_and_get()
    monkeypatch.setattr(owner, name, original)
    assert fast == put_and_get()
    assert json.loads(fast)["Item"]["binary"] == {"B": "AP8="}


@pytest.mark.parametrize("original", [False, True], ids=["ours", "moto's"])
def test_an_item_that_is_too_large_is_refused(
    client: Any, monkeypatch: pytest.MonkeyPatch, original: bool
) -> None:
    if original:
        monkeypatch.setattr(Item, "__init__", ITEM_INIT)
    halves = {name: {"S": "x" * 202_000} for name in ("first", "second")}
    client.put_item(TableName="plain", Item={"id": {"S": "large"}, **halves})
    halves["second"]["S"] += "x" * 1000
    with pytest.raises(ClientError, match="Item size"):
        client.put_item(TableName="plain", Item={"id": {"S": "large"}, **halves})


def test_answers_to_statements_are_those_of_moto(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = "INSERT INTO \"plain\" VALUE {'id': ?, 'value': ?}"
    select = "SELECT * FROM plain WHERE id = 'statement'"

    def execute() -> list[bytes]:
        client.delete_item(TableName="plain", Key={"id": {"S": "statement"}})
        value = [{"S": "statement"}, {"M": {"n": {"N": "1"}}}]
        writes = [{"Statement": insert, "Parameters": value}] * 2
        return [
            answer("BatchExecuteStatement", {"Statements": statements})
            for statements in (writes, [{"Statement": select}], [{"Statement": select}, *writes])
        ]

    fast = execute()
    assert [b"DuplicateItem" in one for one in fast] == [True, False, True]
    monkeypatch.setattr(DynamoResult, "execute_result", speed._execute)
    assert [json.loads(one) for one in fast] == [json.loads(one) for one in execute()]


ITEM: dict[str, Any] = {"id": {"S": "item"}, **VALUES, "list": {"L": [{"S": "x"}, {"L": []}]}}
ITEM_KEY = {"id": ITEM["id"]}
GET = {"TableName": "plain", "Key": ITEM_KEY}
SELECT = "SELECT * FROM plain WHERE id = 'item'"
OF_THE_ITEM: dict[str, Any] = {
    "KeyConditionExpression": "id = :id",
    "ExpressionAttributeValues": {":id": ITEM["id"]},
}


@pytest.mark.parametrize(
    ("operation", "request_body"),
    [
        ("Query", {**OF_THE_ITEM, "ReturnConsumedCapacity": "TOTAL"}),
        ("Query", {**OF_THE_ITEM, "Select": "COUNT"}),
        ("Scan", {"Limit": 1}),
        ("GetItem", {"Key": ITEM_KEY, "ReturnConsumedCapacity": "INDEXES"}),
        ("GetItem", {"Key": {"id": {"S": "missing"}}}),
        ("PutItem", {"Item": ITEM, "ReturnValues": "ALL_OLD"}),
        ("PutItem", {"Item": ITEM}),
        ("DeleteItem", {"Key": ITEM_KEY, "ReturnValues": "ALL_OLD"}),
        (
            "UpdateItem",
            {
                "Key": ITEM_KEY,
                "UpdateExpression": "SET added = :id",
                "ExpressionAttributeValues": {":id": ITEM["id"]},
                "ReturnValues": "UPDATED_NEW",
            },
        ),
        ("BatchGetItem", {"RequestItems": {"plain": {"Keys": [ITEM_KEY]}}}),
        ("BatchExecuteStatement", {"Statements": [{"Statement": SELECT}]}),
        ("ExecuteStatement", {"Statement": SELECT}),
        ("TransactGetItems", {"TransactItems": [{"Get": GET}]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_response_with_items_is_the_one_of_moto(
    client: Any, monkeypatch: pytest.MonkeyPatch, operation: str, request_body: Any
) -> None:
    def execute() -> Any:
        answer("PutItem", {"TableName": "plain", "Item": ITEM})
        named = {} if operation.startswith(("Batch", "Trans", "Exec")) else {"TableName": "plain"}
        return json.loads(answer(operation, {**named, **request_body}))

    fast = execute()
    monkeypatch.setattr(DynamoResult, "execute_result", speed._execute)
    assert fast == execute()
    assert "message" not in fast


def test_an_attribute_of_a_map_without_a_name_is_returned_as_written(client: Any) -> None:
    nameless = {"M": {"": {"S": "no name"}, "b": {"B": b"\x00"}}}
    client.put_item(TableName="plain", Item={"id": {"S": "nameless"}, "map": nameless})
    found = client.get_item(TableName="plain", Key={"id": {"S": "nameless"}})
    assert found["Item"]["map"] == nameless


def test_a_condition_is_judged_by_the_values_of_its_own_request(client: Any) -> None:
    def put(version: str, above: str, name: str = "version") -> None:
        client.put_item(
            TableName="plain",
            Item={"id": {"S": "c"}, "version": {"N": version}, "other": {"N": "100"}},
            ConditionExpression="attribute_not_exists(id) OR #version < :above",
            ExpressionAttributeNames={"#version": name},
            ExpressionAttributeValues={":above": {"N": above}},
        )

    put("1", "0")
    put("5", "2")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put("9", "5")
    put("9", "6")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put("9", "10", name="other")
    assert client.get_item(TableName="plain", Key={"id": {"S": "c"}})["Item"]["version"]["N"] == "9"


def pages(client: Any, **request: Any) -> list[list[Any]]:
    found: list[list[Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = client.scan(TableName="sorted", **request, **start)
        found.append(page["Items"])
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@pytest.mark.parametrize("segments", [{}, {"Segment": 1, "TotalSegments": 3}], ids=["all", "one"])
def test_the_pages_of_a_scan_are_those_of_moto(
    client: Any, monkeypatch: pytest.MonkeyPatch, segments: dict[str, int]
) -> None:
    for place in range(60):
        key = {"id": {"S": f"p{place % 7}"}, "n": {"N": str(place * 3 % 11 - 5 + place)}}
        client.put_item(TableName="sorted", Item={**key, "list": {"L": [{"S": "x"}]}})
    client.delete_item(TableName="sorted", Key={"id": {"S": "p0"}, "n": {"N": "-5"}})
    quick = pages(client, Limit=7, **segments)
    monkeypatch.setattr(scans, "_page", type("NoPage", (), {"start": None})())
    monkeypatch.setattr(Table, "all_items", ALL_ITEMS)
    assert quick == pages(client, Limit=7, **segments)
    assert sum(map(len, quick)) > 7


def test_a_scan_continues_at_a_key_that_was_deleted_meanwhile(client: Any) -> None:
    for number in range(5):
        client.put_item(TableName="sorted", Item={"id": {"S": "d"}, "n": {"N": str(number)}})
    start = {"id": {"S": "d"}, "n": {"N": "2"}}
    client.delete_item(TableName="sorted", Key=start)
    page = client.scan(TableName="sorted", ExclusiveStartKey=start)["Items"]
    assert [one["n"]["N"] for one in page if one["id"]["S"] == "d"] == ["3", "4"]
