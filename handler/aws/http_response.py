"""HTTP answers, read strictly: whatever two readers could take in two ways is refused.

A length that is said twice, or in another way than in digits, is how one answer is made to end
where another begins. DynamoDB says none of this; who does is broken, or stands in between.

https://www.rfc-editor.org/rfc/rfc9112#name-message-body-length
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

LARGEST = 16 * 1024 * 1024
"""Bytes of an answer's body. DynamoDB answers with 16 MB at the most, to a BatchGetItem. What a hop
asks for is far less: an item of 400 KB, whose JSON is some 14 times that at the worst (a list of
nulls), and 100 tombstones.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5][0-9]{2})(?: [^\r\n\0]*)?")
# No blank before the colon, and no line that continues the one before it:
# https://www.rfc-editor.org/rfc/rfc9112#name-field-line-parsing
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,16}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\r\n\0]*)?\r\n")


@dataclass(frozen=True)
class Response:
    """An answer to a request."""

    status: int
    headers: Mapping[bytes, bytes]
    """By name in small letters."""
    body: bytes
    is_last: bool
    """Whether the connection ends with it."""


async def read_response(reader: asyncio.StreamReader) -> Response:
    """Read an answer, whose body has a length or comes in chunks.

    Raises:
        ValueError: it is no answer, or a larger one than there can be.
        EOFError: it breaks off.
        asyncio.LimitOverrunError: its head has no end.
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
        raise ValueError("the end of its body is said in two ways, or in an unknown one")
    ends = b"close" in re.split(rb"[ \t]*,[ \t]*", headers.get(b"connection", b"").lower())
    return Response(int(status), headers, body, ends or version == b"0")


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    """Return header lines by name; of a name that comes more than once, the last."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, value = _match(_HEADER, line).groups()
        name = name.lower()
        if name in headers and name in {b"content-length", b"transfer-encoding"}:
            raise ValueError(f"it says its {name.decode()} twice")
        headers[name] = value
    return headers


def _length(headers: Mapping[bytes, bytes]) -> int:
    told = headers.get(b"content-length")
    if told is None:
        raise ValueError("it does not say where its body ends")
    length = int(_match(_LENGTH, told)[0])
    _refuse_more(length)
    return length


def _is_chunked(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a body comes in chunks, and nothing else is said of its length."""
    return headers[b"transfer-encoding"].lower() == b"chunked" and b"content-length" not in headers


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Read a body: https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding."""
    body = bytearray()
    while True:
        size = int(_match(_CHUNK, await reader.readuntil(b"\r\n"))[1], 16)
        _refuse_more(len(body) + size)
        chunk = await reader.readexactly(size + 2)
        if chunk[size:] != b"\r\n":
            raise ValueError("a chunk has another length than it says")
        body += chunk[:size]
        if size == 0:
            return bytes(body)


def _match(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:100]!r} stands in it")
    return match


def _refuse_more(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"its body has {size} bytes, and none has more than {LARGEST}")
