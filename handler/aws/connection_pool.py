"""HTTP connections to one host, kept open: what is posted on each, one request after the other.

asyncio's streams carry them, all in one thread. urllib3 and http.client under it take half a
millisecond of the processor for a request, most of it for headers and locks that are not needed
here, and read the megabyte of certificates again for each connection (docs/performance.md).

Whatever goes wrong is raised as botocore's HTTP session raises it, and ends its connection: so
none ever has on it the answer to an earlier request.
"""

import asyncio
import select
import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from handler.aws.http_response import Response, read_response

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_NEXT_ADDRESS_SECONDS = 0.25
"""After so long another address of the host is tried as well, one of which may lead nowhere:
https://www.rfc-editor.org/rfc/rfc8305#section-5"""


@dataclass(frozen=True)
class Endpoint:
    """Where connections lead."""

    url: str
    """For a person."""
    host: str
    port: int
    certificates: str | None
    """The file of the authorities that are trusted; None: HTTP without TLS."""


class ConnectionPool:
    """Connections to one address, as many as there are requests under way; for one event loop."""

    def __init__(self, address: Endpoint, connect_seconds: float, read_seconds: float) -> None:
        """Take an address, and how long to wait for a connection and for an answer."""
        self._address = address
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: list[_Streams] = []

    async def send(self, request: bytes) -> Response:
        """Send a whole request, head and body, and read the answer to it.

        Raises:
            HTTPClientError: or one of its kind, as botocore's HTTP session does.
        """
        reader, writer = self._take_idle() or await self._connected()
        loop, abort = asyncio.get_running_loop(), writer.transport.abort
        # It ends the connection, not the reading: what has arrived by then is read all the same,
        # so that no answer counts as late because this process was busy.
        timer = loop.call_later(self._read_seconds, abort)
        try:
            writer.write(request)
            answer = await read_response(reader)
        except (OSError, EOFError) as error:
            abort()
            self._close_idle()
            raise self._translate_error(error, is_late=loop.time() >= timer.when()) from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            abort()
            raise HTTPClientError(error=f"the answer is not HTTP: {error!r}") from error
        except BaseException:
            abort()
            raise
        finally:
            timer.cancel()
        if answer.is_last or writer.transport.get_write_buffer_size():
            abort()
        else:
            self._idle.append((reader, writer))
        return answer

    def _take_idle(self) -> _Streams | None:
        """A connection that was kept, if one is still open: the other side ends idle ones."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not writer.is_closing() and not _has_more(reader, writer):
                return reader, writer
            writer.transport.abort()
        return None

    def _close_idle(self) -> None:
        """Give up what has been kept: what broke one connection may have broken all of them.

        Who ends them may not say so, and each would keep a request for as long as it may take.
        """
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()

    async def _connected(self) -> _Streams:
        at, url = self._address, self._address.url
        tls = None if at.certificates is None else _tls(at.certificates)
        try:
            async with asyncio.timeout(self._connect_seconds):
                reader, writer = await asyncio.open_connection(
                    at.host, at.port, ssl=tls, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS
                )
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        _socket_of(writer).setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return reader, writer

    def _translate_error(self, error: Exception, *, is_late: bool) -> Exception:
        raised = ReadTimeoutError if is_late else ConnectionClosedError
        return raised(endpoint_url=self._address.url, error=error)


@cache
def _tls(certificates: str) -> ssl.SSLContext:
    """What verifies hosts; to read the authorities takes longer than anything else here.

    Python's default context refuses, from 3.13 on, many a company's own authority for its form,
    which botocore trusts: https://docs.python.org/3/whatsnew/3.13.html#ssl
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates)
    return context


def _socket_of(writer: asyncio.StreamWriter) -> Any:
    return writer.get_extra_info("socket")


def _has_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether there is something to read where nothing is to come: its end, mostly.

    The event loop may not have seen it: it stands still between invocations.
    """
    poll = select.poll()
    poll.register(_socket_of(writer), select.POLLIN)
    return bool(poll.poll(0)) or _has_received(reader)


def _has_received(reader: asyncio.StreamReader) -> bool:
    """Whether bytes, the end or an error have been received: then a read does not wait."""
    reading = reader.read(1)
    try:
        reading.send(None)
    except (StopIteration, OSError):
        return True
    reading.close()
    return False
