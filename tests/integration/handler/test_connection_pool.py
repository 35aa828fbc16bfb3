"""Connections: kept and used again, given up when something is wrong, verified with TLS."""

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from handler.aws.connection_pool import ConnectionPool, Endpoint
from handler.aws.http_response import Response
from handler.errors import FailureKind, classify
from tests.support.http_host import Guest, Host, answer, certified, echo, host

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]

PATIENT = 60.0
"""Seconds in which anything is answered, however busy the machine."""
SOON = 0.2


@pytest.fixture
def run() -> Iterator[Any]:
    """Run coroutines in one loop, which stands still between them."""
    with closing(asyncio.Runner(loop_factory=asyncio.new_event_loop)) as runner:
        yield runner.run


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


def test_requests_that_follow_each_other_go_over_one_connection(run: Any) -> None:
    with host(echo) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b", b"c")] == [
            b"a",
            b"b",
            b"c",
        ]
        assert len(at.guests) == 1


def test_requests_are_under_way_at_the_same_time_each_on_its_own_connection(run: Any) -> None:
    all_are_there = threading.Barrier(3)

    def together(guest: Guest) -> None:
        body = guest.hear()
        all_are_there.wait(PATIENT)
        guest.say(body)

    with host(together) as at:
        assert run(all_of(to(at), [b"a", b"b", b"c"])) == [b"a", b"b", b"c"]


@pytest.mark.parametrize("size", [0, 1, 70_000, 5_000_000])
def test_bodies_of_any_size_go_there_and_back(run: Any, size: int) -> None:
    with host(echo) as at:
        connections = to(at)
        for _ in range(2):
            assert body_of(run, connections, b"x" * size) == b"x" * size
        assert len(at.guests) == 1


def test_a_connection_that_was_closed_while_the_loop_stood_still_is_not_used_again(
    run: Any,
) -> None:
    closed = threading.Event()

    def once(guest: Guest) -> None:
        guest.say(guest.hear())
        guest.socket.close()
        closed.set()

    with host(once) as at:
        connections = to(at)
        for body in (b"a", b"b", b"c"):
            assert body_of(run, connections, body) == body
            assert closed.wait(PATIENT)
            closed.clear()
        assert len(at.guests) == 3


def test_nor_is_one_that_was_reset_while_the_loop_ran(run: Any) -> None:
    def reset(guest: Guest) -> None:
        guest.say(guest.hear())
        guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def until_it_is_seen(connections: ConnectionPool) -> None:
        ((_, writer),) = connections._idle
        while not writer.is_closing():
            await asyncio.sleep(0.001)

    with host(reset) as at:
        connections = to(at)
        assert body_of(run, connections, b"a") == b"a"
        run(until_it_is_seen(connections))
        assert body_of(run, connections, b"b") == b"b"


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 2", answer(b"whole")[:-1], b"HTTP/1.1 200 OK\r\n\r\n"[:-2]]
)
def test_an_answer_that_breaks_off_is_an_error_and_the_next_request_has_a_new_connection(
    run: Any, part: bytes
) -> None:
    def break_off(guest: Guest) -> None:
        body = guest.hear()
        if guest.number:
            guest.say(body)
        else:
            guest.tell(part)

    with host(break_off) as at:
        connections = to(at)
        with pytest.raises(ConnectionClosedError) as error:
            body_of(run, connections, b"a")
        assert classify(error.value) is FailureKind.TRANSIENT
        assert body_of(run, connections, b"b") == b"b"


def test_an_answer_that_comes_too_late_is_nobodys(run: Any) -> None:
    may_answer = threading.Event()

    def be_late(guest: Guest) -> None:
        body = guest.hear()
        if guest.number == 0:
            may_answer.wait(PATIENT)
        guest.say(body)

    with host(be_late) as at:
        connections = to(at, read=SOON)
        with pytest.raises(ReadTimeoutError) as error:
            body_of(run, connections, b"late")
        assert classify(error.value) is FailureKind.TRANSIENT
        may_answer.set()
        patient = connections
        patient._read_seconds = PATIENT
        assert body_of(run, patient, b"next") == b"next"
        assert len(at.guests) == 2


def test_of_connections_that_all_lead_nowhere_by_now_one_is_tried(run: Any) -> None:
    all_are_there = threading.Barrier(3)

    def answer_once(guest: Guest) -> None:
        body = guest.hear()
        if guest.number < all_are_there.parties:
            all_are_there.wait(PATIENT)
        guest.say(body)
        guest.hear()
        guest.hear()  # nobody calls twice: this waits for the end

    with host(answer_once) as at:
        connections = to(at)
        run(all_of(connections, [b"a", b"b", b"c"]))
        connections._read_seconds = SOON
        with pytest.raises(ReadTimeoutError):
            body_of(run, connections, b"d")
        connections._read_seconds = PATIENT
        assert body_of(run, connections, b"e") == b"e"


def test_half_an_answer_does_not_buy_more_time(run: Any) -> None:
    def stop_half_way(guest: Guest) -> None:
        guest.hear()
        guest.tell(answer(b"whole")[:-2])
        guest.hear()

    with host(stop_half_way) as at, pytest.raises(ReadTimeoutError):
        body_of(run, to(at, read=SOON), b"a")


def test_an_answer_that_came_in_time_counts_though_this_process_was_too_busy_to_read_it(
    run: Any,
) -> None:
    said = threading.Semaphore(0)

    async def send(connections: ConnectionPool) -> bytes:
        await connections.send(request())  # connects
        said.acquire()
        connections._read_seconds = SOON
        sending = asyncio.ensure_future(connections.send(request(b"a")))
        await asyncio.sleep(0)
        assert said.acquire(timeout=PATIENT)
        time.sleep(2 * SOON)
        return (await sending).body

    def say_twice(guest: Guest) -> None:
        for _ in range(2):
            guest.say(guest.hear())
            said.release()
        guest.hear()

    with host(say_twice) as at:
        assert run(send(to(at))) == b"a"


@pytest.mark.parametrize("has_tls", [False, True])
def test_what_came_after_an_answer_is_no_answer_to_the_next_request(
    run: Any, tmp_path: Path, has_tls: bool
) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")

    def say_more(guest: Guest) -> None:
        guest.tell(answer(guest.hear()) + answer(b"more"))
        guest.say(guest.hear())

    with host(say_more, tls if has_tls else None) as at:
        connections = to(at, certificates=certificates if has_tls else None)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]


def test_a_request_that_was_stopped_leaves_its_answer_to_nobody(run: Any) -> None:
    heard = threading.Event()

    def be_slow(guest: Guest) -> None:
        body = guest.hear()
        heard.set()
        if guest.number == 0:
            guest.hear()  # the next request, if it came to this connection
        guest.say(body)

    async def stop(connections: ConnectionPool) -> None:
        sending = asyncio.ensure_future(connections.send(request(b"stopped")))
        await asyncio.get_running_loop().run_in_executor(None, heard.wait, PATIENT)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    with host(be_slow) as at:
        connections = to(at)
        run(stop(connections))
        assert body_of(run, connections, b"next") == b"next"


@pytest.mark.parametrize("ending", ["Connection: close", "connection: Close"])
def test_a_connection_that_is_said_to_end_is_not_used_again(run: Any, ending: str) -> None:
    def end(guest: Guest) -> None:
        while True:
            guest.say(guest.hear(), ending)

    with host(end) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]
        assert len(at.guests) == 2


def test_nor_is_one_of_a_host_that_speaks_an_old_http(run: Any) -> None:
    def speak(guest: Guest) -> None:
        while True:
            guest.tell(answer(guest.hear()).replace(b"HTTP/1.1", b"HTTP/1.0", 1))

    with host(speak) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]
        assert len(at.guests) == 2


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
        guest.hear()
        guest.tell(said)
        guest.hear()

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
    """Let an address hear of connections at a port, and never answer: its queue is full."""
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
    heard: list[bytes] = []
    with host(lambda guest: heard.append(guest.hear()), tls) as at, pytest.raises(SSLError):
        body_of(run, to(at, certificates=trusted), b"a")
    assert heard == []


def test_a_host_that_shows_the_certificate_of_another_hears_nothing(
    run: Any, tmp_path: Path
) -> None:
    trusted, tls = certified(tmp_path, "somebody.else")
    heard: list[bytes] = []
    with host(lambda guest: heard.append(guest.hear()), tls) as at, pytest.raises(SSLError):
        body_of(run, to(at, certificates=trusted), b"a")
    assert heard == []


def test_with_tls_too_an_answer_that_does_not_come_is_given_up(run: Any, tmp_path: Path) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")

    def say_nothing(guest: Guest) -> None:
        guest.hear()
        guest.hear()

    with host(say_nothing, tls) as at, pytest.raises(ReadTimeoutError):
        body_of(run, to(at, read=SOON, certificates=certificates), b"a")
