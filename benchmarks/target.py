"""An endpoint that answers like DynamoDB after a set time, in a process of its own.

It keeps nothing and judges nothing, so that it costs little and the client is what is measured.
What it answers follows from the request alone: what is put on the condition that something stands
there replaces an item of the same size; everything else finds nothing. Every so many writes are
refused, with the item that was to be written, as when a record is delivered again; every so many
requests are throttled.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.http_host import certified

_HOST = "127.0.0.1"

_REFUSED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
_THROTTLED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
_PAUSE = 0.001
"""Under this, asyncio's timers add more than they wait for, in seconds."""


@dataclass(frozen=True)
class Conduct:
    """How the endpoint behaves. A share of 20 means that one of 20 is; of 0, that none is."""

    round_trip: int = 0
    """In milliseconds."""
    refused: int = 0
    throttled: int = 0
    tls: bool = False
    """Whether it speaks TLS, by a certificate that is made on the spot."""


class Answers:
    """What is answered to each request."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct
        self._writes = count(1)
        self._requests = count(1)

    def answer(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        if _falls_on(self._requests, self._conduct.throttled):
            return 400, {"__type": _THROTTLED, "message": "slow down"}
        match operation:
            case "PutItem" | "DeleteItem":
                return self._write(json.loads(body))
            case "BatchExecuteStatement":
                asked = json.loads(body)["Statements"]
                return 200, {"Responses": [self._statement(one) for one in asked]}
            case "BatchGetItem":
                asked = json.loads(body)["RequestItems"]
                return 200, {"Responses": {table: [] for table in asked}, "UnprocessedKeys": {}}
            case "BatchWriteItem":
                return 200, {"UnprocessedItems": {}}
            case _:
                return 200, {}

    def _write(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        item = request.get("Item", {})
        if self._refuses(item):
            return 400, {
                "__type": _REFUSED,
                "message": "The conditional request failed",
                "Item": item,
            }
        there = request.get("ConditionExpression", "").startswith("attribute_exists")
        wanted = request.get("ReturnValues") == "ALL_OLD"
        return 200, {"Attributes": item} if there and wanted else {}

    def _statement(self, statement: dict[str, Any]) -> dict[str, Any]:
        if self._refuses(statement):
            return {"Error": {"Code": "DuplicateItem", "Message": "no"}, "TableName": "orders"}
        if statement["Statement"].startswith("DELETE"):
            parameters = enumerate(statement["Parameters"])
            return {"Item": {f"a{number}": value for number, value in parameters}}
        return {"TableName": "orders"}

    def _refuses(self, item: dict[str, Any]) -> bool:
        return bool(item) and _falls_on(self._writes, self._conduct.refused)


def _falls_on(counter: Iterator[int], share: int) -> bool:
    return share > 0 and next(counter) % share == 0


class _Connection(asyncio.Protocol):
    """One connection, kept alive: its requests come one after the other."""

    def __init__(self, answers: Answers, round_trip: float) -> None:
        self._answers = answers
        self._round_trip = round_trip
        self._received = bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        headers = _headers(bytes(self._received[:end]))
        whole = end + 4 + int(headers.get("content-length", 0))
        if len(self._received) < whole:
            return
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        answer = _wire(*self._answers.answer(operation, body))
        if self._round_trip < _PAUSE:
            self._transport.write(answer)
        else:
            asyncio.get_running_loop().call_later(self._round_trip, self._transport.write, answer)


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}


def _wire(status: int, document: dict[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} .\r\nContent-Type: application/x-amz-json-1.0\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve(conduct: Conduct, certificate: str | None) -> None:
    answers, tls = Answers(conduct), None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(answers, conduct.round_trip / 1000),
        "127.0.0.1",
        0,
        backlog=256,
        ssl=tls,
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # End with the parent process.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def target(conduct: Conduct) -> Iterator[str]:
    """Run one in a process of its own for as long as the context lasts; its URL.

    Where it speaks TLS, the environment names its authority for as long.
    """
    with ExitStack() as end:
        arguments = [
            str(number) for number in (conduct.round_trip, conduct.refused, conduct.throttled)
        ]
        if conduct.tls:
            folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
            trusted, _ = certified(folder, _HOST)
            end.enter_context(patch.dict(os.environ, AWS_CA_BUNDLE=str(trusted)))
            arguments.append(str(folder / _HOST))
        port = end.enter_context(_process(arguments))
        yield f"{'https' if conduct.tls else 'http'}://{_HOST}:{port}"


@contextmanager
def _process(arguments: list[str]) -> Iterator[int]:
    """Run the process; the port that it listens at."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.target", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    _round_trip, _refused, _throttled = map(int, sys.argv[1:4])
    _certificate = sys.argv[4] if len(sys.argv) > 4 else None
    asyncio.run(_serve(Conduct(_round_trip, _refused, _throttled), _certificate))
