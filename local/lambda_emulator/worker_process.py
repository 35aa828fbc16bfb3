"""The process that runs a function's handler, and the pipes to and from it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

INIT_SECONDS = 10.0
"""Time that Lambda gives a function to import its handler.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""
_TIMED_OUT = "Sandbox.Timedout"
_ENDED = "Runtime.ExitError"


class FunctionError(Exception):
    """An invocation failed: the handler raised an error, timed out, or its process ended.

    `kind` is the exception's type, or Lambda's name for a timeout or an ended process.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message

    @property
    def by_lambda(self) -> bool:
        """Whether Lambda reports the error, rather than the handler."""
        return self.kind in (_TIMED_OUT, _ENDED)


class WorkerProcess:
    """A process that imports the handler once and answers events one by one."""

    def __init__(
        self,
        handler: str,
        environment: dict[str, str],
        task_root: str,
        on_line: Callable[[str], None],
    ) -> None:
        events, self._events = os.pipe()
        self._responses, responses = os.pipe()
        script = str(Path(__file__).with_name("worker.py"))
        self._process = subprocess.Popen(
            # -P keeps the worker's own directory, and with it this project, off the path.
            [sys.executable, "-P", script, handler, str(events), str(responses)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=task_root,
            pass_fds=(events, responses),
            # Ctrl-C must reach the ring only, which ends its workers itself.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
        os.close(events)
        os.close(responses)
        self._unread = b""
        self._ready = False
        self.dead = False
        self._listener = threading.Thread(target=self._read_output, args=(on_line,), daemon=True)
        self._listener.start()

    def _read_output(self, on_line: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                on_line(line.rstrip("\n"))

    def wait_until_ready(self) -> None:
        """Wait until the handler is imported."""
        if not self._ready:
            self.dead = True  # until it reports that it is ready
            self._receive(INIT_SECONDS)
            self.dead = False
            self._ready = True

    def request(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request and return the response, which must come within `seconds`."""
        with suppress(BrokenPipeError):  # receiving fails, too, and with the reason
            # An event was read from JSON, so it has no cycle: looking for one takes a third longer.
            _write(self._events, json.dumps(request, check_circular=False).encode() + b"\n")
        return self._receive(seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._read_line(time.monotonic() + seconds, seconds))
        if "errorType" in message:
            raise FunctionError(message["errorType"], message["errorMessage"])
        return message

    def _read_line(self, end: float, seconds: float) -> bytes:
        while b"\n" not in self._unread:
            readable, _, _ = select.select(
                [self._responses], [], [], max(0.0, end - time.monotonic())
            )
            if not readable:
                self.dead = True
                raise FunctionError(_TIMED_OUT, f"Task timed out after {seconds:.2f} seconds")
            chunk = os.read(self._responses, 1 << 16)
            if not chunk:
                self.dead = True
                status = self._process.wait()
                raise FunctionError(_ENDED, f"The process ended with status {status}")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def kill(self) -> None:
        """Kill the process and its children."""
        with suppress(ProcessLookupError, PermissionError):  # it has already ended
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process, wait for its end, and read the rest of its output."""
        os.close(self._events)
        self.kill()
        self._process.wait()
        self._listener.join(timeout=1)
        os.close(self._responses)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
