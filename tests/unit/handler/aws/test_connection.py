"""A connection: what it has received is read, and no more is kept than a response may have."""

import asyncio
import socket
from typing import Any
from unittest.mock import MagicMock

import pytest

from handler.aws.connection import MAX_HEAD_BYTES, Connection
from handler.aws.http_response import MAX_BODY_BYTES


@pytest.fixture
def connection() -> Any:
    """A connection whose transport only notes what is called."""
    ours, theirs = socket.socketpair()
    made, transport = Connection(), MagicMock()
    transport.get_extra_info.return_value = ours
    transport.is_closing.return_value = False
    made.connection_made(transport)
    with ours, theirs:
        yield made


def test_a_head_without_an_end_is_refused(connection: Connection) -> None:
    connection.data_received(b"x" * MAX_HEAD_BYTES)
    with pytest.raises(ValueError, match="over"):
        asyncio.run(connection.readuntil(b"\r\n\r\n"))


def test_what_was_received_before_the_end_is_read_and_the_end_after_it(
    connection: Connection,
) -> None:
    connection.data_received(b"head\r\n\r\nbody")
    connection.connection_lost(ConnectionResetError("reset"))
    assert asyncio.run(connection.readuntil(b"\r\n\r\n")) == b"head\r\n\r\n"
    assert asyncio.run(connection.readexactly(4)) == b"body"
    with pytest.raises(ConnectionResetError):
        asyncio.run(connection.readexactly(1))


def test_a_host_that_sends_without_an_end_is_cut_off(connection: Connection) -> None:
    transport: Any = connection.transport
    connection.data_received(bytes(MAX_BODY_BYTES + MAX_HEAD_BYTES))
    transport.abort.assert_not_called()
    connection.data_received(b"x")
    transport.abort.assert_called_once()


def test_a_connection_that_has_received_something_is_not_usable(connection: Connection) -> None:
    assert connection.is_usable()
    connection.data_received(b"x")
    assert not connection.is_usable()
