"""Connection pool for one host: HTTP/1.1 over asyncio's transports, in one thread.

urllib3 and http.client take half a millisecond of processor time for a request, most of it for
headers and locks that are not needed here, and read the megabyte of certificates again for each
connection (docs/explanation/performance.md).

Every error is raised as botocore's HTTP session raises it, and closes its connection, so that no
connection ever holds the response to an earlier request.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from functools import cache

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from handler.aws.connection import Connection
from handler.aws.http_response import Response, read_response

_NEXT_ADDRESS_SECONDS = 0.25
"""Seconds after which another address of the host is tried as well, if one does not respond:
https://www.rfc-editor.org/rfc/rfc8305#section-5"""


@dataclass(frozen=True)
class Endpoint:
    """Host that connections are made to."""

    url: str
    """URL for error messages."""
    host: str
    port: int
    certificates: str | None
    """File of the trusted authorities; None: HTTP without TLS."""


class CertificatesError(Exception):
    """File of trusted authorities that cannot be read. A fault, so it is no ``OSError``."""

    def __init__(self, file: str, error: OSError) -> None:
        super().__init__(
            f"The trusted authorities cannot be read from {file}: {error}. If the function's "
            "environment names the file (AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE), correct that, or "
            "remove it to trust botocore's own."
        )


class ConnectionPool:
    """Connections to one endpoint, as many as requests in progress; for one event loop."""

    def __init__(self, endpoint: Endpoint, connect_seconds: float, read_seconds: float) -> None:
        """Take an endpoint, and the timeouts for a connection and for a response."""
        self._endpoint = endpoint
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: list[Connection] = []

    async def send(self, request: bytes) -> Response:
        """Send a whole request, head and body, and read its response.

        Raises:
            HTTPClientError: or a subclass, as botocore's HTTP session raises it.
            CertificatesError: the trusted authorities cannot be read.
        """
        connection = self._take_idle() or await self._connect()
        transport = connection.transport
        loop, abort = asyncio.get_running_loop(), transport.abort
        # The timer closes the connection, it does not cancel the read: what has arrived by then is
        # read all the same, so that no response counts as late because this process was busy.
        timer = loop.call_later(self._read_seconds, abort)
        try:
            transport.write(request)
            response = await read_response(connection)
        except (OSError, EOFError) as error:
            abort()
            self._close_idle()
            raise self._translate_error(error, is_late=loop.time() >= timer.when()) from error
        except ValueError as error:
            abort()
            raise HTTPClientError(error=f"the response is not HTTP: {error!r}") from error
        except BaseException:
            abort()
            raise
        finally:
            timer.cancel()
        if response.is_last or transport.get_write_buffer_size():
            abort()
        else:
            self._idle.append(connection)
        return response

    def _take_idle(self) -> Connection | None:
        """Return an idle connection that is still open: the host closes idle ones."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.transport.abort()
        return None

    def _close_idle(self) -> None:
        """Close all idle connections: what broke one may have broken all.

        The host may have dropped them silently, and each would hold a request until its timeout.
        """
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()

    async def _connect(self) -> Connection:
        endpoint, url = self._endpoint, self._endpoint.url
        tls = None if endpoint.certificates is None else _tls_context(endpoint.certificates)
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection,
                    endpoint.host,
                    endpoint.port,
                    ssl=tls,
                    happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
                )
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        made: socket.socket = connection.transport.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    def _translate_error(self, error: Exception, *, is_late: bool) -> Exception:
        raised = ReadTimeoutError if is_late else ConnectionClosedError
        return raised(endpoint_url=self._endpoint.url, error=error)


@cache
def _tls_context(certificates: str) -> ssl.SSLContext:
    """Make the context that verifies hosts, once: reading the authorities is the slowest step here.

    It is not Python's default context, which from 3.13 on rejects the form of many companies' own
    authorities; botocore trusts those: https://docs.python.org/3/whatsnew/3.13.html#ssl
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(certificates)
    except OSError as error:
        raise CertificatesError(certificates, error) from error
    return context
