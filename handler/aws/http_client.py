"""Lean HTTP client for DynamoDB's API: it signs, sends and parses in the event loop's own thread.

botocore finds the endpoint and keeps the credentials; the rest of its work for each call costs more
than all else that a hop does for a record (docs/decisions/0012-requests-without-a-client.md).

The protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError

from handler.aws.connection_pool import ConnectionPool
from handler.aws.http_response import Response
from handler.aws.refresh_time import ensure_quick
from handler.aws.response_check import compare_checksum
from handler.aws.secret_credentials import (
    KeyPair,
    SecretCredentials,
    are_credentials_rejected,
)
from handler.aws.sigv4 import SigV4Signer
from handler.model.attribute_values import decode_binary, encode_binary

_FRESH_SECONDS = 1.0
"""Seconds that credentials are used before botocore is asked for them again. That takes longer than
to sign: botocore refreshes credentials that are about to expire, with a call of its own."""

_PAGE_BYTES = 300
"""Bytes of a page that are in the error, if something else than DynamoDB refuses a request."""

_NO_KEYS = KeyPair("", "", None)

_ENCODER = json.JSONEncoder(default=encode_binary, separators=(",", ":"))


class CredentialCache:
    """Credentials to sign with. To refresh them may take a call, so a thread does it."""

    def __init__(self, credentials: Any, pool: Executor) -> None:
        """Make the cache.

        Args:
            credentials: of a botocore session, or ``SecretCredentials``; None: there are none.
            pool: threads that read them.
        """
        self._credentials = credentials
        self._freeze = None if credentials is None else credentials.get_frozen_credentials
        self._pool = pool
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at = 0.0
        self._keys = _NO_KEYS

    async def credentials(self) -> KeyPair:
        """Return the current keys.

        Raises:
            NoCredentialsError: there are none.
            SecretCredentialsError: they are not safe in a header line.
            CredentialRetrievalError: to refresh them took so long that the request has to be made
                again, if there is still time for it. The next call has them.
            Exception: what botocore raises when it cannot refresh them.
        """
        if self._freeze is None:
            raise NoCredentialsError
        if not self._is_fresh():
            # All waiting calls share the result of one refresh, an error too: one after the other,
            # each would wait for a call of its own, beyond the function's remaining time.
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._refresh(self._freeze))
            await asyncio.shield(self._refreshing)
        return self._keys

    async def _refresh(self, freeze: Callable[[], Any]) -> None:
        is_first = self._keys == _NO_KEYS
        found, seconds = await self._in_thread(freeze)
        self._keys = KeyPair.checked(found.access_key, found.secret_key, found.token)
        self._refreshed_at = time.time()
        if not is_first:  # the first keys of a process take long, but then most of the time is left
            ensure_quick(seconds)

    async def refresh_after(self, error: ClientError) -> bool:
        """Refresh a secret's keys if an error rejects them; return whether it does."""
        if not isinstance(self._credentials, SecretCredentials):
            return False
        if not are_credentials_rejected(error):
            return False
        await self._in_thread(partial(self._credentials.refresh_after, error))
        self._refreshed_at = 0.0
        return True

    def _is_fresh(self) -> bool:
        return 0 <= time.time() - self._refreshed_at < _FRESH_SECONDS

    async def _in_thread(self, call: Callable[[], Any]) -> tuple[Any, float]:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(_timed, call))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return a call's result and its seconds, without those that the event loop was busy."""
    began = time.monotonic()
    return call(), time.monotonic() - began


class HttpApi:
    """DynamoDBApi over a connection pool, for one event loop."""

    def __init__(
        self, connections: ConnectionPool, signer: SigV4Signer, credentials: CredentialCache
    ) -> None:
        self._connections = connections
        self._signer = signer
        self._credentials = credentials

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> Any:
        """See DynamoDBApi."""
        body = _ENCODER.encode(request).encode()
        began = time.monotonic()
        try:
            return await self._call(operation, body)
        except ClientError as error:
            if not await self._credentials.refresh_after(error):
                raise
        ensure_quick(time.monotonic() - began)
        return await self._call(operation, body)

    async def _call(self, operation: str, body: bytes) -> Any:
        keys = await self._credentials.credentials()
        signed = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        headers = self._signer.headers(signed, body, keys, time.time())
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        unsigned = (
            f"user-agent: dynamodb-ring\r\naccept-encoding: identity\r\ncontent-length: {len(body)}"
        )
        head = f"POST / HTTP/1.1\r\n{lines}{unsigned}\r\n\r\n"
        return _document(operation, await self._connections.send(head.encode() + body))


def _document(operation: str, response: Response) -> Any:
    """Return a response's document; raise its error as botocore's client does."""
    checksum = response.headers.get(b"x-amz-crc32")
    compare_checksum(response.body, None if checksum is None else checksum.decode("latin-1"))
    document = _parse(response.body)
    if response.status == 200 and document is not None:
        return document
    if response.status == 200:
        raise HTTPClientError(error="the response is not JSON")
    page = {"message": response.body[:_PAGE_BYTES].decode(errors="replace")}
    raise ClientError(_error(response.status, page if document is None else document), operation)


def _error(status: int, document: dict[str, Any]) -> Any:
    """Convert an error to botocore's form; without a document, its code is the status.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
    """
    code = str(document.get("__type") or status).rpartition("#")[2]
    message = document.get("message", document.get("Message", ""))
    return {
        **document,
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }


def _parse(body: bytes) -> dict[str, Any] | None:
    """Parse a JSON body, with bytes for binary attribute values; None: it is no JSON object."""
    is_binary = b'"B"' in body or b'"BS"' in body
    try:
        document = json.loads(body, object_hook=_with_bytes if is_binary else None)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """Decode a binary value. An attribute named B or BS has an object, and is not changed.

    It is called for each object of a response. Patterns would take it four times as long.
    """
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "B" and isinstance(content, str):
            return {kind: decode_binary(content)}
        if kind == "BS" and isinstance(content, list):
            return {kind: [decode_binary(text) for text in content]}
    return value
