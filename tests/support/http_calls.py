"""DynamoDB's answers to calls over HTTP, as a test says them."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from botocore.credentials import Credentials

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_client import CredentialCache, HttpApi
from handler.aws.http_response import Response
from handler.aws.sigv4 import SigV4Signer

OK = (200, b"{}")
KEYS = Credentials("AKIDEXAMPLE", "hush")


class Line(ConnectionPool):
    """Connections on which a test answers, each time in turn."""

    def __init__(self, *answers: tuple[int, bytes], **headers: str) -> None:
        super().__init__(Endpoint("here", "here", 80, None), 1, 1)
        self._answers = iter(answers)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._headers = {name.encode(): value.encode() for name, value in named.items()}
        self.sent: list[tuple[dict[str, str], Any]] = []
        """Headers and document of each request."""

    async def send(self, request: bytes) -> Response:
        """See Connections."""
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        assert first == "POST / HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        assert int(headers["content-length"]) == len(body)
        self.sent.append((headers, json.loads(body)))
        status, answer = next(self._answers)
        return Response(status, self._headers, answer, is_last=False)


def call(line: Line, wallet: CredentialCache, *calls: tuple[str, Mapping[str, Any]]) -> list[Any]:
    """Make some calls, one after the other; their answers."""
    made = HttpApi(line, SigV4Signer("here", "eu-west-1"), wallet)

    async def each() -> list[Any]:
        return [await made(*one) for one in calls or [("GetItem", {})]]

    return asyncio.run(each())


def refused(code: str) -> tuple[int, bytes]:
    error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
    return 400, json.dumps(error).encode()


def signer_of(headers: Mapping[str, str]) -> str:
    """The access key that a request is signed with."""
    return headers["authorization"].partition("Credential=")[2].partition("/")[0]
