"""A Lambda function: its archive, run in a process of its own with Lambda's environment."""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import time
import uuid
import zipfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from local.clients import FAKE_CREDENTIALS
from local.lambda_emulator.worker_process import FunctionError, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG_LINES = 1000
# Python itself may need these to start; nothing else is inherited.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class FunctionSpec:
    """A function as the stack declares it. `timeout` is in seconds, `memory` in MB.

    `credentials` are those of its role, as environment variables. An empty `log_group` stands for
    Lambda's default.
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
    """A function with one worker process, started on demand and restarted if it was killed.

    Invocations wait for each other. `log` has the last lines that the handler wrote to stdout or
    stderr; `on_line` is called with each line, from another thread, and `on_end` with the request
    ID, duration in seconds, and error of each invocation.
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
        self._worker: WorkerProcess | None = None
        self._closed = False
        self._working: WorkerProcess | None = None
        with zipfile.ZipFile(io.BytesIO(spec.archive)) as archive:
            archive.extractall(self._task_root.name)

    def start(self) -> None:
        """Start the worker without waiting until it is ready."""
        if self._worker is None:
            self._worker = WorkerProcess(
                self.spec.handler, self._environment(), self._task_root.name, self._add_line
            )

    def invoke(self, event: Any) -> Any:
        """Call the handler with `event` and return its response, both converted to and from JSON.

        Raises `FunctionError` when the handler raises, exceeds the timeout, or the process ends.
        """
        with self._invoking:
            if self._closed:
                raise FunctionError("Closed", "The local ring is shutting down.")
            self.start()
            worker = self._worker
            assert worker is not None
            try:
                return self._request(worker, event)
            finally:
                if worker.dead:
                    worker.close()
                    self._worker = None

    def _request(self, worker: WorkerProcess, event: Any) -> Any:
        request_id, began, error = str(uuid.uuid4()), time.monotonic(), None
        try:
            worker.wait_until_ready()
            request = {
                "event": event,
                "requestId": request_id,
                "functionArn": self.spec.arn,
                "seconds": self.spec.timeout,
            }
            self._working = worker
            response = worker.request(request, self.spec.timeout)
        except FunctionError as failed:
            error = failed
            raise
        finally:
            self._working = None
            if not self._closed:
                self._on_end(request_id, time.monotonic() - began, error)
        return json.loads(response["answer"])

    def _add_line(self, line: str) -> None:
        self.log.append(line)
        self._on_line(line)

    def _environment(self) -> dict[str, str]:
        spec = self.spec
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {
            **inherited,
            **spec.environment,
            # Variables that Lambda sets and a function cannot change:
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
            # Keep all requests on this machine: no account-based endpoints, configuration files,
            # or credentials from the instance metadata service.
            **spec.credentials,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        }

    def kill_if_invoked(self) -> bool:
        """Kill the worker if it processes an event; return whether it did."""
        worker = self._working
        if worker is not None:
            worker.kill()
        return worker is not None

    def close(self) -> None:
        """Kill the worker, even during an invocation, and remove the unpacked archive."""
        self._closed = True
        if self._worker is not None:
            # A running invocation then fails and releases the lock.
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
