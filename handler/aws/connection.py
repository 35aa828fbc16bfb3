"""Connection that has at most one request in progress, and knows what it has received besides.

asyncio's streams do not show whether a read would wait, and cost more processor time a response.
"""

import asyncio
import select
from typing import Any

from handler.aws.http_response import MAX_BODY_BYTES

MAX_HEAD_BYTES = 64 * 1024
"""Bytes of a response's head, or of a chunk's size."""


class Connection(asyncio.Protocol):
    """Connection to a host, which ``handler.aws.http_response`` reads from."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = bytearray()
        self._end: Exception | None = None
        """Why nothing more will be received; None: more may be."""
        self._waiter: asyncio.Future[None] | None = None
        self._poll = select.poll()

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.transport = transport
        self._poll.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._received += data
        if len(self._received) > MAX_BODY_BYTES + MAX_HEAD_BYTES:
            self.transport.abort()  # no response is that long
        self._wake()

    def eof_received(self) -> None:
        """See asyncio.Protocol."""
        self._end = EOFError("the host has closed the connection")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end = error or self._end or EOFError("the connection is closed")
        self._wake()

    def is_usable(self) -> bool:
        """Return whether an idle connection is open, and has received nothing.

        What an idle connection receives is mostly its end, and never a valid response. The event
        loop may not have seen it, since it does not run between invocations.
        """
        return not (
            self._end or self._received or self.transport.is_closing() or self._poll.poll(0)
        )

    async def readuntil(self, separator: bytes) -> bytes:
        """Read until a separator, which is included.

        Raises:
            EOFError, OSError: the connection has ended.
            ValueError: there is none in ``MAX_HEAD_BYTES``.
        """
        while (end := self._received.find(separator, 0, MAX_HEAD_BYTES)) < 0:
            if len(self._received) >= MAX_HEAD_BYTES:
                raise ValueError(f"its head is over {MAX_HEAD_BYTES} bytes")
            await self._receive()
        return self._take(end + len(separator))

    async def readexactly(self, size: int) -> bytes:
        """Read a number of bytes.

        Raises:
            EOFError, OSError: the connection has ended.
        """
        while len(self._received) < size:
            await self._receive()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    async def _receive(self) -> None:
        if self._end is not None:
            raise self._end
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
