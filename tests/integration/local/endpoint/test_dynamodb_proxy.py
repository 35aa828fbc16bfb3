"""A DynamoDB elsewhere in moto's place: what it is asked, what comes back, and what it refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from local.clients import HOME_ACCOUNT, Accounts, Clients
from local.endpoint.dynamodb_proxy import DynamoDBProxy, ProxyError, TableSet
from local.endpoint.dynamodb_url import WrongUrlError
from local.endpoint.request_counter import RequestCounter
from local.endpoint.server import LocalServer, SerializedApp
from tests.integration.local.endpoint.test_server import make_table, read_stream, request
from tests.support.dynamodb_servers import dynoxide, ministack

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(dynamodb=ministack()) as running:
        yield running


def test_a_tables_arns_are_those_of_its_region_and_account(clients: Clients) -> None:
    stream = make_table(clients, "named")
    assert stream.startswith(f"arn:aws:dynamodb:{REGION}:{HOME_ACCOUNT}:table/named/stream/")
    table = clients.dynamodb(REGION).describe_table(TableName="named")["Table"]
    assert table["TableArn"] == f"arn:aws:dynamodb:{REGION}:{HOME_ACCOUNT}:table/named"
    streams = clients.streams(REGION)
    assert stream in [one["StreamArn"] for one in streams.list_streams()["Streams"]]
    assert streams.describe_stream(StreamArn=stream)["StreamDescription"]["StreamArn"] == stream


def test_a_stream_in_another_partition_has_that_ones_arn(clients: Clients) -> None:
    answer = clients.dynamodb("cn-north-1").create_table(
        TableName="china",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arn = f"arn:aws-cn:dynamodb:cn-north-1:{HOME_ACCOUNT}:table/china"
    assert answer["TableDescription"]["TableArn"] == arn


def test_items_go_through_untouched_even_with_an_arn_in_them(clients: Clients) -> None:
    stream = make_table(clients, "untouched")
    theirs = f"{THEIRS}table/x"
    item: Any = {"id": {"S": "a"}, "ours": {"S": stream}, "theirs": {"S": theirs}}
    clients.dynamodb(REGION).put_item(TableName="untouched", Item=item)
    found = clients.dynamodb(REGION).get_item(TableName="untouched", Key={"id": {"S": "a"}})
    (record,) = read_stream(clients, stream)
    assert found["Item"] == record["dynamodb"]["NewImage"] == item
    assert record["awsRegion"] == REGION


def test_an_empty_map_in_a_stream_has_its_type(clients: Clients) -> None:
    stream = make_table(clients, "maps")
    deep: Any = {"L": [{"M": {}}, {"L": []}, {"M": {"a": {"M": {}}}}]}
    item: Any = {"id": {"S": "a"}, "empty": {"M": {}}, "deep": deep}
    clients.dynamodb(REGION).put_item(TableName="maps", Item=item)
    clients.dynamodb(REGION).delete_item(TableName="maps", Key={"id": {"S": "a"}})
    insert, remove = read_stream(clients, stream)
    assert insert["dynamodb"]["NewImage"] == remove["dynamodb"]["OldImage"] == item


def test_sessions_of_one_account_see_the_same_tables_and_accounts_are_kept_apart(
    server: LocalServer,
) -> None:
    with Accounts(server.endpoint) as one, Accounts(server.endpoint) as another:
        mine, same = (each.clients("210987654321") for each in (one, another))
        assert mine.credentials != same.credentials
        make_table(mine, "shared")
        assert "shared" in same.dynamodb(REGION).list_tables()["TableNames"]
        assert "shared" not in one.home.dynamodb(REGION).list_tables()["TableNames"]
        assert "shared" not in same.dynamodb("us-east-1").list_tables()["TableNames"]


def test_writes_and_refusals_are_counted(server: LocalServer, clients: Clients) -> None:
    make_table(clients, "counted")
    before = server.meter.read()
    put: Any = {
        "TableName": "counted",
        "Item": {"id": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    clients.dynamodb(REGION).put_item(**put)
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        clients.dynamodb(REGION).put_item(**put)
    counted = server.meter.read() - before
    assert counted.count(region=REGION, table="counted") == 1
    assert counted.count(region=REGION, table="counted", refused=True) == 1


def test_nothing_of_a_run_is_left_nor_seen_by_the_next_one() -> None:
    forward = DynamoDBProxy(ministack())
    with forward:
        for name, protected in (("left", False), ("protected", True)):
            table = {**TABLE, "TableName": name, "DeletionProtectionEnabled": protected}
            assert ask(forward, "CreateTable", table).status == 200
        assert names(forward) == ["left", "protected"]
        with DynamoDBProxy(forward.url) as beside:
            assert names(beside) == []
    assert names(forward) == []


TABLE = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def signed(operation: str) -> dict[str, str]:
    scope = f"AKIAEXAMPLE/20250101/{REGION}/dynamodb/aws4_request"
    return {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "X-Amz-Date": "20250101T000000Z",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=a",
    }


def ask(forward: DynamoDBProxy, operation: str, body: Any) -> Any:
    return forward.answer(signed(operation), json.dumps(body).encode())


def names(forward: DynamoDBProxy) -> list[str]:
    found: list[str] = json.loads(ask(forward, "ListTables", {}).body)["TableNames"]
    return found


@pytest.mark.parametrize(
    "url",
    ["", "8000", "localhost:8000", "ftp://h", "http://", "http://h:x", "http://h/a", "http://u@h"],
)
def test_what_is_no_url_of_a_dynamodb_is_rejected_with_the_form_of_one(url: str) -> None:
    with pytest.raises(WrongUrlError, match=r"Use the form http://127\.0\.0\.1:8000"):
        DynamoDBProxy(url)


@pytest.mark.parametrize(
    "host",
    [
        "dynamodb.us-east-1.amazonaws.com",
        "DYNAMODB.us-east-1.AMAZONAWS.COM.",
        "123456789012.ddb.us-east-1.amazonaws.com",
        "dynamodb.cn-north-1.amazonaws.com.cn",
        "dynamodb.us-east-1.api.aws",
    ],
)
def test_aws_itself_is_refused_without_a_request(host: str) -> None:
    with pytest.raises(WrongUrlError, match="belongs to AWS"):
        DynamoDBProxy(f"https://{host}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "https://box.example", "http://[::1]:1"])
def test_any_other_address_will_do(url: str) -> None:
    assert DynamoDBProxy(url).url == url.rstrip("/")


THEIRS = "arn:aws:dynamodb:ddblocal:000000000000:"
"""How some servers' ARNs begin, whatever the region and the account."""


class Other(BaseHTTPRequestHandler):
    """A server of another kind. `answers` are its answers, a document for each operation."""

    answers: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        Other.asked.append((operation, body))
        answer = json.dumps(Other.answers.get(operation, "hello"))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.replace("NAME", body.get("TableName", "")).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Other, "answers", {})
    monkeypatch.setattr(Other, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def created(**more: str) -> Any:
    return {"TableDescription": {"TableArn": f"{THEIRS}table/NAME", "TableName": "NAME", **more}}


STREAMING = created(LatestStreamArn=f"{THEIRS}table/NAME/stream/1")


@pytest.mark.parametrize(
    ("answers", "message", "deleted"),
    [
        ({}, "does not implement DynamoDB: .*hello", False),
        ({"CreateTable": {"TableDescription": "what?"}}, "does not implement DynamoDB", False),
        ({"CreateTable": created()}, "does not implement streams", True),
        (
            {"CreateTable": STREAMING, "ListTables": {"TableNames": ["ring-0123"]}},
            "does not separate regions",
            True,
        ),
    ],
    ids=["no document of DynamoDB's", "no table in it", "no streams", "no regions"],
)
def test_what_cannot_keep_a_rings_tables_is_refused_and_left_as_it_was(
    other: str, answers: dict[str, Any], message: str, deleted: bool
) -> None:
    Other.answers = answers
    forward = DynamoDBProxy(other)
    forward._run = "0123"
    with pytest.raises(ProxyError, match=message):
        forward.__enter__()
    assert (("DeleteTable", {"TableName": "ring-0123"}) in Other.asked) is deleted


def test_a_server_without_regions_is_refused_before_anything_is_made_there() -> None:
    with pytest.raises(ProxyError, match=r"does not separate regions.*MiniStack"):
        DynamoDBProxy(dynoxide()).__enter__()


def test_arns_of_any_form_are_turned_in_both_directions(other: str) -> None:
    stream = f"arn:aws:dynamodb:{REGION}:{HOME_ACCOUNT}:table/orders/stream/1"
    Other.answers = {
        "CreateTable": STREAMING,
        "DescribeStream": {"StreamDescription": {"StreamArn": f"{THEIRS}table/orders/stream/1"}},
        "GetRecords": {"Records": [], "NextShardIterator": f"{THEIRS}table/orders/stream/1|7"},
    }
    forward = DynamoDBProxy(other)
    made = json.loads(ask(forward, "CreateTable", {**TABLE, "TableName": "orders"}).body)
    assert made["TableDescription"]["LatestStreamArn"] == stream
    described = json.loads(ask(forward, "DescribeStream", {"StreamArn": stream}).body)
    assert Other.asked[-1] == ("DescribeStream", {"StreamArn": f"{THEIRS}table/orders/stream/1"})
    assert described["StreamDescription"]["StreamArn"] == stream
    page = json.loads(ask(forward, "GetRecords", {"ShardIterator": f"{stream}|3"}).body)
    assert Other.asked[-1][1] == {"ShardIterator": f"{THEIRS}table/orders/stream/1|3"}
    assert page["NextShardIterator"] == f"{stream}|7"


def test_an_empty_map_that_lost_its_type_in_a_stream_gets_it_back(other: str) -> None:
    bare: Any = {"empty": {}, "deep": {"L": [{}, {"M": {"a": {}}}]}}
    record = {"eventName": "INSERT", "dynamodb": {"NewImage": bare}}
    Other.answers = {"GetRecords": {"Records": [record]}}
    (found,) = json.loads(ask(DynamoDBProxy(other), "GetRecords", {"ShardIterator": "a"}).body)[
        "Records"
    ]
    empty: Any = {"M": {}}
    deep = {"L": [empty, {"M": {"a": empty}}]}
    assert found["dynamodb"]["NewImage"] == {"empty": empty, "deep": deep}
    assert found["awsRegion"] == REGION


def test_an_account_is_asked_for_by_twelve_digits_that_are_its_own_in_this_run(other: str) -> None:
    keys = {
        DynamoDBProxy(other)._access_key(TableSet(account, REGION))
        for account in ("1" * 12, "2" * 12)
    }
    keys |= {DynamoDBProxy(other)._access_key(TableSet("1" * 12, REGION))}
    assert len(keys) == 3
    assert all(len(key) == 12 and key.isdecimal() for key in keys)


def test_requests_to_it_do_not_wait_for_moto(other: str) -> None:
    begun, gate = threading.Event(), threading.Event()

    def slow(_: Any, start_response: Any) -> list[bytes]:
        begun.set()
        assert gate.wait(30), "the other request waited for this one"
        start_response("200 OK", [])
        return [b"moto"]

    serialised = SerializedApp(slow, RequestCounter(), DynamoDBProxy(other))
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(serialised.answer, request())
        assert begun.wait(30)
        target = "DynamoDB_20120810.ListTables"
        assert b"hello" in serialised.answer(request(b"{}", HTTP_X_AMZ_TARGET=target)).body
        gate.set()
        assert late.result().body == b"moto"


def test_when_it_is_gone_later_the_answer_is_one_that_sdks_try_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = ask(DynamoDBProxy(f"http://127.0.0.1:{port}"), "GetItem", {})
    assert answer.status == 500
    assert b"InternalServerError" in answer.body
