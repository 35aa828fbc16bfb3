"""The local AWS: one request at a time, counted, on the loopback address and nowhere else."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from moto.dynamodbstreams.models import dynamodbstreams_backends

from local.clients import HOME_ACCOUNT, Accounts, Clients
from local.endpoint.listener import ServerError
from local.endpoint.request_counter import RequestCounter
from local.endpoint.server import LocalServer, SerializedApp
from local.moto_patches import install

REGION = "eu-west-1"


def make_table(clients: Clients, name: str) -> str:
    """Make a table with a stream; return the stream's ARN."""
    description = clients.dynamodb(REGION).create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    return description["LatestStreamArn"]


def request(body: bytes = b"", **headers: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_HOST": "127.0.0.1:8000",
        "SERVER_PORT": "8000",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **headers,
    }


class SlowApp:
    """A WSGI application that takes a while, and remembers how many were in it at once."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        for chunk in (b"a", b"b"):
            self.inside += 1
            self.most = max(self.most, self.inside)
            time.sleep(0.005)
            self.inside -= 1
            yield chunk


def test_no_two_requests_are_inside_at_once_until_the_last_byte_is_made() -> None:
    app = SlowApp()
    serialised = SerializedApp(app, RequestCounter())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: serialised.answer(request()), range(8)))
    assert app.most == 1
    assert {answer.body for answer in answers} == {b"ab"}


def test_a_sender_that_is_slow_does_not_hold_up_the_others() -> None:
    serialised = SerializedApp(SlowApp(), RequestCounter())
    gate = threading.Event()

    class SlowBody(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert gate.wait(5), "the others waited for this sender"
            return super().read(size)

    slow = {**request(b"x"), "wsgi.input": SlowBody(b"x")}
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(serialised.answer, slow)
        assert serialised.answer(request()).body == b"ab"
        gate.set()
        assert late.result().body == b"ab"


def test_of_many_conditional_puts_of_one_key_one_wins(clients: Clients) -> None:
    make_table(clients, "race")

    def put(writer: int) -> bool:
        try:
            clients.dynamodb(REGION).put_item(
                TableName="race",
                Item={"id": {"S": "a"}, "writer": {"N": str(writer)}},
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(put, range(64))) == 1


def test_it_listens_on_the_loopback_address_alone(server: LocalServer) -> None:
    url = urlsplit(server.endpoint)
    assert url.hostname == "127.0.0.1"
    assert url.port
    # Were it bound to all addresses, every other loopback address would answer as well.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", url.port), timeout=1)


def test_connections_stay_open(server: LocalServer) -> None:
    url = urlsplit(server.endpoint)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0)
    connection.connect()
    first = connection.sock
    for method, headers, status in (
        ("GET", {}, 200),
        ("HEAD", {"Host": "ring.attacker.example"}, 403),
        ("GET", {}, 200),
    ):
        connection.request(method, "/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert connection.sock is first


def test_a_client_that_waits_for_the_invitation_to_send_its_body_is_invited(
    server: LocalServer,
) -> None:
    parts = urlsplit(server.endpoint)
    head = f"PUT /bucket HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as waiting:
        waiting.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert waiting.recv(100).startswith(b"HTTP/1.1 100 Continue")
        waiting.sendall(b"{}")
        assert waiting.recv(100).startswith(b"HTTP/1.1 ")


def test_objects_of_any_size_go_in_and_come_out(clients: Clients) -> None:
    s3 = clients.s3("us-east-1")
    s3.create_bucket(Bucket="things")
    for body in (b"", b"x" * 3_000_000):
        s3.put_object(Bucket="things", Key="a", Body=body)
        assert s3.get_object(Bucket="things", Key="a")["Body"].read() == body
        assert s3.head_object(Bucket="things", Key="a")["ContentLength"] == len(body)


def test_a_stream_gives_values_as_they_were_written_and_times_in_whole_seconds(
    clients: Clients,
) -> None:
    arn = make_table(clients, "streamed")
    deep: Any = {"L": [{"B": b"\x01"}, {"M": {"bs": {"BS": [b"\x02"]}}}, {"NULL": True}]}
    item = {"id": {"S": "a"}, "b": {"B": b"\x00\xff"}, "n": {"N": "2.50"}, "deep": deep}
    clients.dynamodb(REGION).put_item(TableName="streamed", Item=item)
    (record,) = read_stream(clients, arn)
    assert record["dynamodb"]["NewImage"] == item
    assert record["dynamodb"]["ApproximateCreationDateTime"].microsecond == 0


def read_stream(clients: Clients, arn: str) -> Any:
    streams = clients.streams(REGION)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return streams.get_records(ShardIterator=iterator)["Records"]


def test_iterators_that_were_given_out_long_ago_are_forgotten(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "KEPT_ITERATORS", 5)
    monkeypatch.setattr(install, "DROP_SECONDS", 0.0)
    arn = make_table(clients, "iterated")
    streams = clients.streams(REGION)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    for _ in range(20):
        iterator = streams.get_records(ShardIterator=iterator)["NextShardIterator"]
    assert len(dynamodbstreams_backends[HOME_ACCOUNT][REGION].shard_iterators) == 5


def test_accounts_are_kept_apart(server: LocalServer) -> None:
    with Accounts(server.endpoint) as accounts:
        other = accounts.clients("210987654321")
        assert accounts.clients(HOME_ACCOUNT) is accounts.home
        assert accounts.clients("210987654321") is other
        assert other.sts(REGION).get_caller_identity()["Account"] == "210987654321"
        make_table(other, "elsewhere")
        assert "elsewhere" in other.dynamodb(REGION).list_tables()["TableNames"]
        assert "elsewhere" not in accounts.home.dynamodb(REGION).list_tables()["TableNames"]


def test_clients_heed_nothing_in_the_users_environment(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "there-is-none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://dynamodb.attacker.example")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Clients(server.endpoint) as clients:
        assert clients.sts(REGION).get_caller_identity()["Account"] == HOME_ACCOUNT


def test_a_second_one_in_the_same_process_is_refused(server: LocalServer) -> None:
    with pytest.raises(ServerError, match="already runs in this process"), LocalServer():
        pass
    with Clients(server.endpoint) as clients:
        clients.dynamodb(REGION).list_tables()
