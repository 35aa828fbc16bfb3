"""Calls of DynamoDB's API as the hot path makes them: signed, sent and read with little work.

botocore finds the endpoint and the keys, and keeps them; what it does besides for each call costs
more than all else that a hop does for a record (docs/decisions/0012-requests-without-a-client.md).
Here the event loop's own thread makes the calls, so none is handed over to another.

The protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

import asyncio
import json
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError

from handler.aws.connection_pool import ConnectionPool
from handler.aws.http_response import Response
from handler.aws.secret_credentials import KeyPair, SecretCredentials, is_credentials_refused
from handler.aws.sigv4 import SigV4Signer
from handler.model.attribute_values import decode_binary, encode_binary

_LOOK_SECONDS = 1.0
"""For so long keys serve that were looked at. To look takes longer than to sign: botocore replaces
keys that are about to expire then, and that is a call of its own."""


class CredentialCache:
    """The keys to sign with. To look at them may take a call, so a thread does it."""

    def __init__(self, credentials: Any, pool: Executor) -> None:
        """Take credentials, and where they are looked at.

        Args:
            credentials: those of a session of botocore's, or ``Keys``; None: there are none.
            pool: where they are looked at.
        """
        self._credentials = credentials
        self._freeze = None if credentials is None else credentials.get_frozen_credentials
        self._pool = pool
        self._look: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self._keys = KeyPair("", "", None)

    async def credentials(self) -> KeyPair:
        """Those that are good now.

        Raises:
            NoCredentialsError: there are none.
            SecretCredentialsError: they cannot stand in a header line.
            Exception: what botocore raises when it cannot replace them.
        """
        if self._freeze is None:
            raise NoCredentialsError
        if not self._is_fresh():
            # What comes of a look, an error too, is for all who wait: one after the other they
            # would wait for as many calls as they are, and with no end to their time.
            if self._look is None or self._look.done():
                self._look = asyncio.create_task(self._refresh(self._freeze))
            await asyncio.shield(self._look)
        return self._keys

    async def _refresh(self, freeze: Callable[[], Any]) -> None:
        found = await self._in_thread(freeze)
        self._keys = KeyPair.checked(found.access_key, found.secret_key, found.token)
        self._looked_at = time.time()

    async def refresh_after(self, error: ClientError) -> bool:
        """Whether other keys may be there, after an answer that is that error."""
        if not isinstance(self._credentials, SecretCredentials) or not is_credentials_refused(
            error
        ):
            return False
        await self._in_thread(partial(self._credentials.replace_after, error))
        self._looked_at = 0.0
        return True

    def _is_fresh(self) -> bool:
        return 0 <= time.time() - self._looked_at < _LOOK_SECONDS

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)


class HttpApi:
    """Makes calls, see ``handler.aws.api.Call``; for one event loop."""

    def __init__(
        self, connections: ConnectionPool, signer: SigV4Signer, wallet: CredentialCache
    ) -> None:
        self._connections = connections
        self._signer = signer
        self._wallet = wallet

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See Call."""
        body = json.dumps(request, default=encode_binary, separators=(",", ":")).encode()
        try:
            return await self._call(operation, body)
        except ClientError as error:
            if not await self._wallet.refresh_after(error):
                raise
        return await self._call(operation, body)

    async def _call(self, operation: str, body: bytes) -> Any:
        keys = await self._wallet.credentials()
        told = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        headers = self._signer.headers(told, body, keys, time.time())
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        more = (
            f"user-agent: dynamodb-ring\r\naccept-encoding: identity\r\ncontent-length: {len(body)}"
        )
        head = f"POST / HTTP/1.1\r\n{lines}{more}\r\n\r\n"
        return _document(operation, await self._connections.send(head.encode() + body))


def _document(operation: str, answer: Response) -> Any:
    """What an answer holds; its error is raised as botocore's client raises it."""
    told, document = answer.headers.get(b"x-amz-crc32"), _parsed(answer.body)
    if told is not None and told != str(zlib.crc32(answer.body)).encode():
        raise HTTPClientError(error="the answer has another checksum than it says")
    if answer.status == 200 and document is not None:
        return document
    if answer.status == 200:
        raise HTTPClientError(error="the answer is not JSON")
    raise ClientError(_error(answer.status, document or {}), operation)


def _error(status: int, document: dict[str, Any]) -> Any:
    """An error as botocore tells it; one without a document has its status for a code.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    code = str(document.get("__type") or status).rpartition("#")[2]
    message = document.get("message", document.get("Message", ""))
    return {
        **document,
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }


def _parsed(body: bytes) -> dict[str, Any] | None:
    """A body of JSON, with bytes where an attribute's value is binary; None: it is none."""
    is_binary = b'"B"' in body or b'"BS"' in body
    try:
        document = json.loads(body, object_hook=_with_bytes if is_binary else None)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute that is named B or BS has an object for its value, and so is left alone."""
    match value:
        case {"B": str(text)}:
            return {"B": decode_binary(text)}
        case {"BS": [*texts]}:
            return {"BS": [decode_binary(text) for text in texts]}
    return value
