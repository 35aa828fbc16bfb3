"""No page in a browser may touch a local ring, and SDKs and the command line still may."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local.clients import Clients
from local.endpoint.server import LocalServer

REGION = "eu-west-1"


@pytest.fixture
def table(clients: Clients) -> Iterator[str]:
    """A table with an item, which must both be there in the end."""
    client = clients.dynamodb(REGION)
    client.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="kept", Item={"id": {"S": "a"}})
    yield "kept"
    assert client.scan(TableName="kept")["Items"] == [{"id": {"S": "a"}}]
    client.delete_table(TableName="kept")


def port_of(server: LocalServer) -> int:
    return urlsplit(server.endpoint).port or 0


def raw(
    server: LocalServer, line: str, *headers: str, host: str | None = None, body: str = ""
) -> str:
    """Send one HTTP request as it is written here; return all that comes back."""
    name = f"127.0.0.1:{port_of(server)}" if host is None else host
    head = [
        f"{line} HTTP/1.1",
        f"Host: {name}",
        *headers,
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", body]).encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode()


def status(answer: str) -> int:
    return int(answer.split()[1])


SIMPLE = "Content-Type: text/plain"
DELETE = (
    "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=x",
    "X-Amz-Target: DynamoDB_20120810.DeleteTable",
)


@pytest.mark.parametrize(
    "mark",
    [
        "Origin: https://attacker.example",
        "Origin: null",
        "Origin: http://127.0.0.1:1",
        "Origin:",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
@pytest.mark.usefixtures("table")
def test_what_a_page_sends_is_refused_and_not_done(server: LocalServer, mark: str) -> None:
    for line, headers, body in (
        ("POST /moto-api/reset", (), ""),
        ("POST /", DELETE, '{"TableName": "kept"}'),
        ("POST /2015-03-31/functions/any/invocations", (), "{}"),
        ("PUT /a-bucket", (), ""),
        ("GET /?Action=ListTopics&Version=2010-03-31", (), ""),
        ("OPTIONS /", ("Access-Control-Request-Method: POST",), ""),
    ):
        answer = raw(server, line, mark, SIMPLE, *headers, body=body)
        assert status(answer) == 403
        assert "accepts no requests from web pages" in answer
        assert "Access-Control" not in answer


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    "line",
    [
        "POST /moto-api/reset",
        "POST //moto-api/reset",
        "POST /%6doto-api/reset",
        "POST http://127.0.0.1/moto-api/reset",
        "GET /moto-api/",
        "GET /moto-api/data.json",
        "POST /moto-api/recorder/upload-recording",
        "POST /moto-api/recorder/replay-recording",
    ],
)
def test_the_pages_by_which_moto_is_governed_are_closed_to_all(
    server: LocalServer, line: str
) -> None:
    assert status(raw(server, line)) == 403


def test_it_answers_to_its_own_name_and_port_alone(server: LocalServer) -> None:
    port = port_of(server)
    for host in ("attacker.example", f"attacker.example:{port}", "127.0.0.1:1", "127.0.0.1", ""):
        answer = raw(server, "GET /", host=host)
        assert status(answer) == 403
        assert f"Send requests to localhost:{port}" in answer
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"a-bucket.localhost:{port}"):
        assert status(raw(server, "GET /", host=host)) != 403


@pytest.mark.usefixtures("table")
def test_the_body_of_a_refused_request_is_not_read_as_the_next_one(server: LocalServer) -> None:
    inner = '{"TableName": "kept"}'
    smuggled = "\r\n".join(
        [
            "POST / HTTP/1.1",
            f"Host: 127.0.0.1:{port_of(server)}",
            *DELETE,
            f"Content-Length: {len(inner)}",
            "",
            inner,
        ]
    )
    outer = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port_of(server)}\r\nOrigin: https://attacker.example"
        f"\r\n{SIMPLE}\r\nContent-Length: {len(smuggled)}\r\n\r\n{smuggled}"
    )
    last = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port_of(server)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall((outer + last).encode())
        with connection.makefile("rb") as answer:
            answers = answer.read().decode()
    assert answers.count("HTTP/1.1 ") == 2
    assert status(answers) == 403


@pytest.mark.usefixtures("table")
def test_a_request_that_cannot_be_read_ends_its_connection(server: LocalServer) -> None:
    begin = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port_of(server)}\r\n"
    broken = f"{begin}Transfer-Encoding: chunked\r\n\r\nno-chunk\r\n"
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall(f"{broken}{begin}Content-Length: 0\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            answers = answer.read().decode()
    assert answers.count("HTTP/1.1 ") == 1


def test_an_sdk_and_what_a_person_types_are_answered(server: LocalServer, table: str) -> None:
    with Clients(server.endpoint) as clients:
        assert clients.dynamodb(REGION).scan(TableName=table)["Count"] == 1
    typed = raw(server, "GET /", "Sec-Fetch-Site: none", "User-Agent: Mozilla/5.0")
    assert status(typed) == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_is_answered_and_a_page_that_curl_plays_is_not(server: LocalServer) -> None:
    def curl(*options: str) -> str:
        program = ["curl", "--silent", "--noproxy", "*", "--output", "/dev/null", *options]
        command = [*program, "--write-out", "%{http_code}", server.endpoint]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert curl() == "200"
    assert curl("--header", "Origin: https://attacker.example", "--request", "POST") == "403"
