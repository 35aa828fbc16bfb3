"""Hosts that answer nonsense, cannot be reached, or are not who they should be."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.errors import FailureKind, classify
from tests.support.http_host import Guest, certified, echo, host
from tests.support.pool_requests import PATIENT, SOON, body_of, to

NO_ANSWERS = {
    "no HTTP": b"220 mail.example.com ESMTP\r\n\r\n",
    "another version": b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk that is longer": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"
    ),
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"x" * 100_000,
}


@pytest.mark.parametrize("said", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_an_error_of_the_moment(run: Any, said: bytes) -> None:
    def say(guest: Guest) -> None:
        guest.receive()
        guest.send(said)
        guest.receive()

    with host(say) as at, pytest.raises(HTTPClientError) as error:
        body_of(run, to(at), b"a")
    assert classify(error.value) is FailureKind.TRANSIENT


def test_a_host_that_does_not_listen_cannot_be_reached(run: Any) -> None:
    with host(echo) as at:
        pass
    with pytest.raises(EndpointConnectionError) as error:
        body_of(run, to(at), b"a")
    assert classify(error.value) is FailureKind.TRANSIENT


def test_a_host_whose_name_is_not_known_cannot_be_reached(run: Any) -> None:
    nowhere = ConnectionPool(Endpoint("nowhere", "nowhere.invalid", 80, None), PATIENT, PATIENT)
    with pytest.raises(EndpointConnectionError):
        body_of(run, nowhere, b"a")


def test_where_one_address_of_a_host_leads_nowhere_another_is_called(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(*addresses: str) -> list[Any]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (address, at.port)) for address in addresses]

    with host(echo) as at, full("127.0.0.2", at.port):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both("127.0.0.2", "127.0.0.1"))
        connections = ConnectionPool(Endpoint("here", "both", at.port, None), PATIENT, PATIENT)
        assert body_of(run, connections, b"a") == b"a"


@contextmanager
def full(address: str, port: int) -> Iterator[None]:
    """Let an address listen at a port, and never accept: its queue is full."""
    with ExitStack() as open_sockets:
        listening = open_sockets.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


def test_a_host_that_says_nothing_to_a_greeting_is_not_waited_for(run: Any, tmp_path: Path) -> None:
    certificates, _ = certified(tmp_path, "127.0.0.1")

    def listen(guest: Guest) -> None:
        while guest.socket.recv(1_000):
            pass

    with host(listen) as at, pytest.raises(ConnectTimeoutError) as error:
        body_of(run, to(at, connect=SOON, certificates=certificates), b"a")
    assert classify(error.value) is FailureKind.TRANSIENT


def test_a_host_with_a_certificate_that_is_trusted_is_called_with_tls(
    run: Any, tmp_path: Path
) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")
    with host(echo, tls) as at:
        connections = to(at, certificates=certificates)
        large = b"x" * 1_000_000
        assert [body_of(run, connections, body) for body in (b"a", large)] == [b"a", large]
        assert len(at.guests) == 1


def test_what_a_host_says_at_its_end_goes_to_no_connection_that_is_made_later(
    run: Any, tmp_path: Path
) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")
    with host(echo, tls) as at:
        connections = to(at, certificates=certificates)
        body_of(run, connections, b"a")
    with ExitStack() as later:
        pairs = [[later.enter_context(one) for one in socket.socketpair()] for _ in range(4)]
        connections._close_idle()
        run(asyncio.sleep(0.1))
        for one in (one for pair in pairs for one in pair):
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)


def test_an_authority_is_trusted_though_pythons_default_would_refuse_its_form(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_of_3_13(**more: Any) -> ssl.SSLContext:
        context = default(**more)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    default = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", as_of_3_13)
    certificates, tls = certified(tmp_path, "127.0.0.1")
    with host(echo, tls) as at:
        assert body_of(run, to(at, certificates=certificates), b"a") == b"a"


def test_a_host_whose_certificate_nobody_trusts_hears_nothing(run: Any, tmp_path: Path) -> None:
    _, tls = certified(tmp_path, "127.0.0.1")
    trusted, _ = certified(tmp_path, "localhost")
    received: list[bytes] = []
    with host(lambda guest: received.append(guest.receive()), tls) as at, pytest.raises(SSLError):
        body_of(run, to(at, certificates=trusted), b"a")
    assert received == []


def test_a_host_that_shows_the_certificate_of_another_hears_nothing(
    run: Any, tmp_path: Path
) -> None:
    trusted, tls = certified(tmp_path, "somebody.else")
    received: list[bytes] = []
    with host(lambda guest: received.append(guest.receive()), tls) as at, pytest.raises(SSLError):
        body_of(run, to(at, certificates=trusted), b"a")
    assert received == []


def test_with_tls_too_an_answer_that_does_not_come_is_given_up(run: Any, tmp_path: Path) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")

    def say_nothing(guest: Guest) -> None:
        guest.receive()
        guest.receive()

    with host(say_nothing, tls) as at, pytest.raises(ReadTimeoutError):
        body_of(run, to(at, read=SOON, certificates=certificates), b"a")


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "malformed"])
def test_a_file_of_authorities_that_cannot_be_read_is_named_and_the_hops_own_fault(
    run: Any, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    with host(echo) as at, pytest.raises(Exception, match=f"{file}.*AWS_CA_BUNDLE") as error:
        body_of(run, to(at, certificates=file), b"a")
    assert classify(error.value) is FailureKind.FAULT
