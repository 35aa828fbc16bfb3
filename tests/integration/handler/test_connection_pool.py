"""Connections: kept and used again, given up when something is wrong, verified with TLS."""

import asyncio
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ReadTimeoutError,
)

from handler.aws.connection_pool import ConnectionPool
from handler.errors import FailureKind, classify
from tests.support.http_host import Guest, answer, certified, echo, host
from tests.support.pool_requests import PATIENT, SOON, all_of, body_of, request, to


def test_requests_that_follow_each_other_go_over_one_connection(run: Any) -> None:
    with host(echo) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b", b"c")] == [
            b"a",
            b"b",
            b"c",
        ]
        assert len(at.guests) == 1


def test_requests_are_in_flight_at_the_same_time_each_on_its_own_connection(run: Any) -> None:
    all_are_there = threading.Barrier(3)

    def together(guest: Guest) -> None:
        body = guest.receive()
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
        guest.say(guest.receive())
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
        guest.say(guest.receive())
        guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def until_it_is_seen(connections: ConnectionPool) -> None:
        (connection,) = connections._idle
        while not connection.transport.is_closing():
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
        body = guest.receive()
        if guest.number:
            guest.say(body)
        else:
            guest.send(part)

    with host(break_off) as at:
        connections = to(at)
        with pytest.raises(ConnectionClosedError) as error:
            body_of(run, connections, b"a")
        assert classify(error.value) is FailureKind.TRANSIENT
        assert body_of(run, connections, b"b") == b"b"


def test_an_answer_that_comes_too_late_is_nobodys(run: Any) -> None:
    may_answer = threading.Event()

    def be_late(guest: Guest) -> None:
        body = guest.receive()
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
        body = guest.receive()
        if guest.number < all_are_there.parties:
            all_are_there.wait(PATIENT)
        guest.say(body)
        guest.receive()
        guest.receive()  # nobody calls twice: this waits for the end

    with host(answer_once) as at:
        connections = to(at)
        run(all_of(connections, [b"a", b"b", b"c"]))
        connections._read_seconds = SOON
        with pytest.raises(ReadTimeoutError):
            body_of(run, connections, b"d")
        connections._read_seconds = PATIENT
        assert body_of(run, connections, b"e") == b"e"


def test_half_an_answer_does_not_buy_more_time(run: Any) -> None:
    def stop_halfway(guest: Guest) -> None:
        guest.receive()
        guest.send(answer(b"whole")[:-2])
        guest.receive()

    with host(stop_halfway) as at, pytest.raises(ReadTimeoutError):
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
            guest.say(guest.receive())
            said.release()
        guest.receive()

    with host(say_twice) as at:
        assert run(send(to(at))) == b"a"


@pytest.mark.parametrize("has_tls", [False, True])
def test_what_came_after_an_answer_is_no_answer_to_the_next_request(
    run: Any, tmp_path: Path, has_tls: bool
) -> None:
    certificates, tls = certified(tmp_path, "127.0.0.1")

    def say_more(guest: Guest) -> None:
        guest.send(answer(guest.receive()) + answer(b"more"))
        guest.say(guest.receive())

    with host(say_more, tls if has_tls else None) as at:
        connections = to(at, certificates=certificates if has_tls else None)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]


def test_a_request_that_was_stopped_leaves_its_answer_to_nobody(run: Any) -> None:
    received = threading.Event()

    def be_slow(guest: Guest) -> None:
        body = guest.receive()
        received.set()
        if guest.number == 0:
            guest.receive()  # the next request, if it came to this connection
        guest.say(body)

    async def stop(connections: ConnectionPool) -> None:
        sending = asyncio.ensure_future(connections.send(request(b"stopped")))
        await asyncio.get_running_loop().run_in_executor(None, received.wait, PATIENT)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    with host(be_slow) as at:
        connections = to(at)
        run(stop(connections))
        assert body_of(run, connections, b"next") == b"next"


def test_nor_does_a_request_that_was_answered_before_it_was_sent_run_into_the_next(
    run: Any,
) -> None:
    answered = threading.Event()

    def refuse_early(guest: Guest) -> None:
        if guest.number == 0:
            guest.socket.recv(1)
            guest.say(b"too large", status=413)
            answered.wait(PATIENT)
            guest.receive()
        guest.say(guest.receive())

    with host(refuse_early) as at:
        connections = to(at)
        assert body_of(run, connections, b"x" * 40_000_000) == b"too large"
        answered.set()
        assert body_of(run, connections, b"next") == b"next"
        assert len(at.guests) == 2


@pytest.mark.parametrize("ending", ["Connection: close", "connection: Close"])
def test_a_connection_that_is_said_to_end_is_not_used_again(run: Any, ending: str) -> None:
    def end(guest: Guest) -> None:
        while True:
            guest.say(guest.receive(), ending)

    with host(end) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]
        assert len(at.guests) == 2


def test_nor_is_one_of_a_host_that_speaks_an_old_http(run: Any) -> None:
    def speak(guest: Guest) -> None:
        while True:
            guest.send(answer(guest.receive()).replace(b"HTTP/1.1", b"HTTP/1.0", 1))

    with host(speak) as at:
        connections = to(at)
        assert [body_of(run, connections, body) for body in (b"a", b"b")] == [b"a", b"b"]
        assert len(at.guests) == 2
