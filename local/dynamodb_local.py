"""DynamoDB Local, AWS's own: fetched by `make dynamodb-local-jars`, started and ended here.

Run as a program, it stays in the foreground until it is interrupted.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

JARS = Path(__file__).parents[1] / ".dynamodb-local"
"""Where `make dynamodb-local-jars` puts it. No part of the project."""

START_SECONDS = 180.0
_HOST = "127.0.0.1"
_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"
# The shell becomes the server; what it leaves behind ends the server when whoever started it is
# gone, however that happened: the end of its input comes then, and no line before it.
_WATCHED = 'exec 3<&0; (read -r line <&3 || kill $$) & exec 3<&-; exec "$@" </dev/null'


class DynamoDBLocalError(Exception):
    """DynamoDB Local cannot be had. Says why, and what to do."""


def what_is_missing() -> str | None:
    """Say what keeps DynamoDB Local from running here, and what to do; None: nothing does."""
    if not (JARS / ".ready").exists():
        return f"DynamoDB Local is not in {JARS}: make dynamodb-local-jars fetches it."
    if shutil.which("java") is None:
        return "java is not on the path, and DynamoDB Local needs it: install Java 17 or later."
    return None


class DynamoDBLocal:
    """DynamoDB Local, empty and in memory, at `url` for as long as the context lasts.

    `port` 0 takes any free port. It keeps apart what it is asked with different access keys or in
    different regions. It listens on all of the machine's addresses, which it knows no way to
    change, and lets no web page read its answers. Entering raises `DynamoDBLocalError`.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        if missing := what_is_missing():
            raise DynamoDBLocalError(missing)
        self._port = _free(self._port)
        with tempfile.TemporaryFile() as output:
            self._process = subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", *_command(self._port)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                self._wait_until_up(self._process)
            except BaseException as error:
                self.close()
                if isinstance(error, DynamoDBLocalError):
                    output.seek(0)
                    error.args = (f"{error}\n{output.read().decode(errors='replace')[-2000:]}",)
                raise
        return self

    def _wait_until_up(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while not _answers(self._port):
            if process.poll() is not None:
                raise DynamoDBLocalError(f"DynamoDB Local ended with status {process.returncode}:")
            if time.monotonic() > end:
                raise DynamoDBLocalError(f"DynamoDB Local was not up in {START_SECONDS:g} s:")
            time.sleep(0.1)

    def wait(self) -> None:
        """Wait until it ends by itself."""
        if self._process is not None:
            self._process.wait()

    def close(self) -> None:
        """End it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdin is not None
        with process.stdin as watcher:
            watcher.write(b"\n")

    def __exit__(self, *_: object) -> None:
        self.close()


def _command(port: int) -> list[str]:
    return [
        "java",
        f"-Djava.library.path={JARS}",
        "-cp",
        f"{JARS}{os.sep}*",
        _CLASS,
        "-inMemory",
        "-disableTelemetry",
        # Unless told otherwise, it lets every web page that the user visits read its answers.
        "-cors",
        f"http://{_HOST}",
        "-port",
        str(port),
    ]


def _free(port: int) -> int:
    """Return a port that is free; the given one, if it says one."""
    try:
        with socket.create_server((_HOST, port)) as listener:
            free: int = listener.getsockname()[1]
            return free
    except OSError as error:
        raise DynamoDBLocalError(
            f"Cannot listen on {_HOST}:{port}: {error.strerror}. Choose another port: "
            "make dynamodb-local PORT=..."
        ) from error


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


def main() -> None:
    """Run DynamoDB Local until it is interrupted."""
    parser = argparse.ArgumentParser(description="Run DynamoDB Local, in memory.")
    parser.add_argument("--port", type=int, default=8000)
    server = DynamoDBLocal(parser.parse_args().port)
    try:
        with server:
            python = Path(os.path.relpath(sys.executable, Path.cwd()))
            sys.stdout.write(
                f"DynamoDB Local is at {server.url}, on all of this machine's addresses. "
                "What it holds is gone when Ctrl-C ends it.\n"
                "The ring over it, from another terminal:\n"
                f"  {python} automate.py local --dynamodb {server.url}\n"
            )
            sys.stdout.flush()
            server.wait()
    except DynamoDBLocalError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        return
    sys.exit("DynamoDB Local has ended.")


if __name__ == "__main__":
    main()
