"""Other DynamoDB servers, one of each for all tests of a session, if they are installed.

`make dynamodb-servers` installs them in `.servers`: dynoxide
(https://crates.io/crates/dynoxide-rs), which has the same tables in all regions, and MiniStack
(https://pypi.org/project/ministack), which separates regions and accounts, and whose PartiQL writes
do not reach the streams.
"""

import atexit
import http.client
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT

SERVERS = PROJECT_ROOT / ".servers"
MUST_RUN = "RING_TESTS_NEED_SERVERS"
"""Environment variable that turns skipped tests into failures; CI sets it."""

_START_SECONDS = 180.0
_HOST = "127.0.0.1"
# The shell becomes the server. Its background process kills the server when this process has ended
# for any reason: its input then ends without a line.
_WATCHED = 'exec 3<&0; (read -r line <&3 || kill $$) & exec 3<&-; exec "$@" </dev/null'


@dataclass(frozen=True)
class Server:
    """A program that listens on a port of the loopback address."""

    name: str
    program: Path
    arguments: Callable[[str], list[str]] = lambda _port: []
    environment: Callable[[str], Mapping[str, str]] = lambda _port: {}
    needs: str = ""
    """What `make dynamodb-servers` needs to install it."""


@dataclass
class Running:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    ended: bool = field(default=False)

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdin is not None
        with self.process.stdin as watcher:
            watcher.write(b"\n")


DYNOXIDE = Server(
    "dynoxide",
    SERVERS / "bin" / "dynoxide",
    lambda port: ["serve", "--host", _HOST, "-p", port, "--log", "quiet"],
    needs="cargo",
)
MINISTACK = Server(
    "MiniStack",
    SERVERS / "ministack" / "bin" / "ministack",
    environment=lambda port: {"BIND_HOST": _HOST, "GATEWAY_PORT": port, "LOG_LEVEL": "ERROR"},
    needs="Python alone",
)


def dynoxide() -> str:
    """Return the URL of a dynoxide that runs until the session ends, or skip the test."""
    return _url_of(DYNOXIDE)


def ministack() -> str:
    """Return the URL of a MiniStack that runs until the session ends, or skip the test."""
    return _url_of(MINISTACK)


def _url_of(server: Server) -> str:
    if server.program.exists():
        return _started(server).url
    reason = (
        f"{server.name} is not at {server.program}: install it with `make dynamodb-servers`, which "
        f"needs {server.needs}."
    )
    if os.environ.get(MUST_RUN):
        pytest.fail(f"{reason} {MUST_RUN} is set, so this is no reason to skip.")
    pytest.skip(reason)


@cache
def _started(server: Server) -> Running:
    running = start(server)
    atexit.register(running.close)
    return running


def start(server: Server) -> Running:
    """Start a server at a free port, and wait until it answers."""
    port = str(_free_port())
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["sh", "-c", _WATCHED, "sh", str(server.program), *server.arguments(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **server.environment(port)},
        )
        running = Running(f"http://{_HOST}:{port}", process)
        try:
            _wait_until_up(server, process, int(port))
        except BaseException as error:
            running.close()
            output.seek(0)
            error.add_note(output.read().decode(errors="replace")[-2000:])
            raise
    return running


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if process.poll() is not None:
            raise RuntimeError(f"{server.name} ended with status {process.returncode}.")
        if time.monotonic() > end:
            raise TimeoutError(f"{server.name} was not up in {_START_SECONDS:g} s.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
