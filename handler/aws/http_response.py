"""Strict parser for HTTP responses: what two parsers could read differently is rejected.

Response splitting uses a length that is given twice, or not in digits alone. DynamoDB sends no such
response, so whatever does is broken, or is between DynamoDB and the function.

https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Bytes of a response's body. DynamoDB's largest response has 16 MB, to a BatchGetItem. A hop's are
far smaller: an item of 400 KB, whose JSON is at worst some 14 times that (a list of nulls), or 100
tombstones.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5][0-9]{2})(?: [^\r\n\0]*)?")
# No blank before the colon, and no folded lines:
# https://www.rfc-editor.org/rfc/rfc9112#name-field-line-parsing
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,16}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\r\n\0]*)?\r\n")


@dataclass(frozen=True)
class Response:
    """Response to a request."""

    status: int
    headers: Mapping[bytes, bytes]
    """By name in lower case."""
    body: bytes
    is_last: bool
    """Whether the host closes the connection after it."""


class Reader(Protocol):
    """Reader of a connection, such as ``handler.aws.connection.Connection``."""

    async def readuntil(self, separator: bytes) -> bytes:
        """Read until a separator, which is included."""

    async def readexactly(self, size: int) -> bytes:
        """Read a number of bytes."""


async def read_response(reader: Reader) -> Response:
    """Read a response, whose body has a length or is chunked.

    Raises:
        ValueError: it is not HTTP, its head is too long, or its body is over ``MAX_BODY_BYTES``.
        EOFError: the connection ends before the response does.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    version, status = _match(_STATUS, first).groups()
    headers = _headers(lines)
    if b"transfer-encoding" not in headers:
        body = await reader.readexactly(_length(headers))
    elif _is_chunked(headers) and version == b"1":
        body = await _read_chunks(reader)
    else:
        raise ValueError(
            "a Transfer-Encoding has to be chunked, in HTTP/1.1, without a Content-Length"
        )
    ends = b"close" in re.split(rb"[ \t]*,[ \t]*", headers.get(b"connection", b"").lower())
    return Response(int(status), headers, body, ends or version == b"0")


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    """Return header lines by name; of a repeated name, the last."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, value = _match(_HEADER, line).groups()
        name = name.lower()
        if name in headers and name in {b"content-length", b"transfer-encoding"}:
            raise ValueError(f"its {name.decode()} is given twice")
        headers[name] = value
    return headers


def _length(headers: Mapping[bytes, bytes]) -> int:
    digits = headers.get(b"content-length")
    if digits is None:
        raise ValueError("it has neither a Content-Length nor chunks")
    length = int(_match(_LENGTH, digits)[0])
    _check_size(length)
    return length


def _is_chunked(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a body is chunked, and has no length besides."""
    return headers[b"transfer-encoding"].lower() == b"chunked" and b"content-length" not in headers


async def _read_chunks(reader: Reader) -> bytes:
    """Read a body: https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding."""
    body = bytearray()
    while True:
        size = int(_match(_CHUNK, await reader.readuntil(b"\r\n"))[1], 16)
        _check_size(len(body) + size)
        chunk = await reader.readexactly(size + 2)
        if chunk[size:] != b"\r\n":
            raise ValueError("a chunk has not the length that is given for it")
        body += chunk[:size]
        if size == 0:
            return bytes(body)


def _match(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"invalid syntax: {text[:100]!r}")
    return match


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise ValueError(f"its body has {size} bytes, and DynamoDB sends at most {MAX_BODY_BYTES}")
