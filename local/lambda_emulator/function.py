"""A function as Lambda runs it: its own archive, in its own process, with its own environment."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.clients import FAKE_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Mapping

INIT_SECONDS = 10.0
"""What Lambda gives a function to import its handler.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""
_LOG_LINES = 1000
_TIMED_OUT = "Sandbox.Timedout"
_ENDED = "Runtime.ExitError"
# What Python itself may need to start where the user installed it; nothing else is inherited.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


class FunctionError(Exception):
    """The function did not answer: it raised an error, ran out of time or ended.

    `kind` is the exception's type, or what Lambda calls a timeout or a process that ended.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message

    @property
    def by_lambda(self) -> bool:
        """Whether it is Lambda that says so, since the handler could not."""
        return self.kind in (_TIMED_OUT, _ENDED)


@dataclass(frozen=True)
class FunctionSpec:
    """A function as the stack declares it. `timeout` is in seconds, `memory` in MB.

    `credentials` are those of its role, as environment variables. `log_group` is where its lines
    go, if not where Lambda's go by default.
    """

    name: str
    arn: str
    region: str
    handler: str
    archive: bytes
    timeout: float = 3.0
    memory: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=lambda: FAKE_CREDENTIALS)
    log_group: str = ""


OnEnd = Callable[[str, float, FunctionError | None], None]


class LocalFunction:
    """One function, in one worker process that is started when needed and restarted when killed.

    Invocations wait for each other: there is one worker. `log` holds the last lines that the
    handler wrote to stdout or stderr; `on_line` is called with each of them, from another thread,
    and `on_end` with the request, seconds and error of each invocation.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        endpoint: str,
        on_line: Callable[[str], None] = lambda _: None,
        on_end: OnEnd = lambda _, __, ___: None,
    ) -> None:
        self.spec = spec
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self._endpoint = endpoint
        self._on_line = on_line
        self._on_end = on_end
        self._invoking = threading.Lock()
        self._task_root = tempfile.TemporaryDirectory(prefix="ring-function-")
        self._worker: _Worker | None = None
        self._closed = False
        with zipfile.ZipFile(io.BytesIO(spec.archive)) as archive:
            archive.extractall(self._task_root.name)

    def start(self) -> None:
        """Start the worker, without waiting until it is ready."""
        if self._worker is None:
            self._worker = _Worker(
                self.spec.handler, self._environment(), self._task_root.name, self._hear
            )

    def invoke(self, event: Any) -> Any:
        """Call the handler with `event` and return its answer, both as JSON would carry them.

        Raises `FunctionError` when the handler raises, exceeds the timeout, or the process ends.
        """
        with self._invoking:
            if self._closed:
                raise FunctionError("Closed", "The local ring is shutting down.")
            self.start()
            worker = self._worker
            assert worker is not None
            try:
                return self._ask(worker, event)
            finally:
                if worker.dead:
                    worker.close()
                    self._worker = None

    def _ask(self, worker: _Worker, event: Any) -> Any:
        request_id, began, error = str(uuid.uuid4()), time.monotonic(), None
        try:
            worker.wait_until_ready()
            request = {
                "event": event,
                "requestId": request_id,
                "functionArn": self.spec.arn,
                "seconds": self.spec.timeout,
            }
            answer = worker.ask(request, self.spec.timeout)
        except FunctionError as failed:
            error = failed
            raise
        finally:
            if not self._closed:
                self._on_end(request_id, time.monotonic() - began, error)
        return json.loads(answer["answer"])

    def _hear(self, line: str) -> None:
        self.log.append(line)
        self._on_line(line)

    def _environment(self) -> dict[str, str]:
        spec = self.spec
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {
            **inherited,
            **spec.environment,
            # What Lambda sets, which a function's own environment cannot change:
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
            "_HANDLER": spec.handler,
            "AWS_REGION": spec.region,
            "AWS_DEFAULT_REGION": spec.region,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group or f"/aws/lambda/{spec.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
            "LAMBDA_TASK_ROOT": self._task_root.name,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            # What keeps it on this machine: no account-based endpoints, no configuration files,
            # no asking the instance's metadata service for credentials.
            **spec.credentials,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        }

    def close(self) -> None:
        """End the worker, whatever it is doing, and remove the unpacked archive."""
        self._closed = True
        if self._worker is not None:
            # A running invocation sees its worker go, and then lets go of the lock.
            self._worker.kill()
        with self._invoking:
            if self._worker is not None:
                self._worker.close()
                self._worker = None
        self._task_root.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    """The process of a function, and the pipes to and from it."""

    def __init__(
        self,
        handler: str,
        environment: dict[str, str],
        task_root: str,
        hear: Callable[[str], None],
    ) -> None:
        events, self._events = os.pipe()
        self._answers, answers = os.pipe()
        script = str(Path(__file__).with_name("worker.py"))
        self._process = subprocess.Popen(
            # -P keeps the worker's own directory, and with it this project, off the path.
            [sys.executable, "-P", script, handler, str(events), str(answers)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=task_root,
            pass_fds=(events, answers),
            # Ctrl-C is for the ring, which ends its workers itself.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
        os.close(events)
        os.close(answers)
        self._unread = b""
        self._ready = False
        self.dead = False
        self._listener = threading.Thread(target=self._listen, args=(hear,), daemon=True)
        self._listener.start()

    def _listen(self, hear: Callable[[str], None]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                hear(line.rstrip("\n"))

    def wait_until_ready(self) -> None:
        """Wait until the handler is imported."""
        if not self._ready:
            self.dead = True  # unless it says that it is ready
            self._receive(INIT_SECONDS)
            self.dead = False
            self._ready = True

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a request and return the answer, which must come within `seconds`."""
        with suppress(BrokenPipeError):  # the answer will not come either, and tells why
            _write(self._events, json.dumps(request).encode() + b"\n")
        return self._receive(seconds)

    def _receive(self, seconds: float) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._read_line(time.monotonic() + seconds, seconds))
        if "errorType" in message:
            raise FunctionError(message["errorType"], message["errorMessage"])
        return message

    def _read_line(self, end: float, seconds: float) -> bytes:
        while b"\n" not in self._unread:
            readable, _, _ = select.select(
                [self._answers], [], [], max(0.0, end - time.monotonic())
            )
            if not readable:
                self.dead = True
                raise FunctionError(_TIMED_OUT, f"Task timed out after {seconds:.2f} seconds")
            chunk = os.read(self._answers, 1 << 16)
            if not chunk:
                self.dead = True
                status = self._process.wait()
                raise FunctionError(_ENDED, f"The process ended with status {status}")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def kill(self) -> None:
        """End the process, and all that it started."""
        with suppress(ProcessLookupError, PermissionError):  # gone already
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, and wait until it is gone and all that it wrote was heard."""
        os.close(self._events)
        self.kill()
        self._process.wait()
        self._listener.join(timeout=1)
        os.close(self._answers)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
