"""Requests over a pool of connections to a host of the test."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_response import Response
from tests.support.http_host import Host

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

PATIENT = 60.0
"""Seconds in which anything is answered, however busy the machine."""
SOON = 0.2


def to(
    at: Host, connect: float = PATIENT, read: float = PATIENT, certificates: Path | None = None
) -> ConnectionPool:
    trusted = None if certificates is None else str(certificates)
    return ConnectionPool(Endpoint("here", "127.0.0.1", at.port, trusted), connect, read)


def request(body: bytes = b"") -> bytes:
    return f"POST / HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def all_of(connections: ConnectionPool, bodies: Sequence[bytes]) -> list[bytes]:
    """Send some requests at the same time; the bodies of their answers."""
    answers = await asyncio.gather(*(connections.send(request(body)) for body in bodies))
    return [one.body for one in answers]


def body_of(run: Run[Response], connections: ConnectionPool, body: bytes) -> bytes:
    return run(connections.send(request(body))).body
