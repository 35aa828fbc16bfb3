"""What is seen of a function: its log lines in CloudWatch Logs, its metrics in CloudWatch."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloudwatch.metrics import MetricBuffer, function_metric, mapping_metric
from local.lambda_emulator.event_source_mapping import Watcher
from local.lambda_emulator.function import FunctionError

SECONDS = 5.0
"""How long lines and values are gathered, so that no batch of a hop waits for them."""
_STREAM = "local/[$LATEST]"
_MOST_LINES = 50_000
_log = logging.getLogger(__name__)


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log what could not be passed on, and go on."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        _log.info("%s were lost: %s", what, error)


class Telemetry:
    """Takes in what a function and its mapping do; a thread of its own passes it on.

    The lines go to the log group `group`, if it is there. What cannot be passed on is lost, as a
    line of the program's own log says.
    """

    def __init__(self, cloudwatch: Any, logs: Any, function: str, group: str) -> None:
        self.metrics = MetricBuffer()
        self.function = function
        self._cloudwatch = cloudwatch
        self._logs = logs
        self._where = {"logGroupName": group, "logStreamName": _STREAM}
        self._lines: deque[tuple[float, str]] = deque(maxlen=_MOST_LINES)
        self._flushing = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def hear(self, line: str) -> None:
        """Take in a line of the handler's log, and what it measures."""
        self._lines.append((time.time(), line))

    def ended(self, request_id: str, seconds: float, error: FunctionError | None) -> None:
        """Take in how an invocation ended. The line that Lambda writes has what is known here."""
        now = time.time()
        if error is not None and error.by_lambda:
            self._lines.append((now, f"{request_id} {error.message}"))
        report = f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms"
        self._lines.append((now, report))
        for name, value, unit in (
            ("Invocations", 1.0, "Count"),
            ("Errors", float(error is not None), "Count"),
            ("Duration", seconds * 1000, "Milliseconds"),
        ):
            self.metrics.add(function_metric(name, self.function, unit), value, now)

    def flush(self) -> None:
        """Pass on what was taken in so far."""
        with self._flushing:
            self._flush()

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        for _, line in lines:
            if '"_aws"' in line:
                try:
                    self.metrics.add_line(line)
                except (ValueError, LookupError, TypeError, AttributeError) as error:
                    _log.info("A metric was lost: %s", error)
        if lines:
            with _logged("Lines"):
                self._write(lines)
        for namespace, data in self.metrics.take():
            with _logged("Metrics"):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _write(self, lines: list[tuple[float, str]]) -> None:
        events = [{"timestamp": int(when * 1000), "message": line} for when, line in lines if line]
        try:
            self._logs.put_log_events(**self._where, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            # The function's role may make a stream, but no group.
            self._logs.create_log_stream(**self._where)
            self._logs.put_log_events(**self._where, logEvents=events)

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            self.flush()

    def close(self) -> None:
        """Pass on the rest, and end."""
        self._ended.set()
        self._thread.join()
        self.flush()


class MappingTelemetry(Watcher):
    """Takes in what a mapping does to feed a function."""

    def __init__(self, telemetry: Telemetry, uuid: str) -> None:
        self._metrics = telemetry.metrics
        self._function = telemetry.function
        self._uuid = uuid

    def polled(self, records: int) -> None:
        """Take in that records were read."""
        self._metrics.add(
            mapping_metric("PolledEventCount", self._uuid), float(records), time.time()
        )

    def invoking(self, records: int, age: float) -> None:
        """Take in that the function is invoked; `age` is the last record's, in seconds."""
        now = time.time()
        iterator_age = function_metric("IteratorAge", self._function, "Milliseconds")
        self._metrics.add(iterator_age, age * 1000, now)
        self._metrics.add(mapping_metric("InvokedEventCount", self._uuid), float(records), now)

    def given_up(self, records: int, *, delivered: bool) -> None:
        """Take in that records were given up, and whether the destination has them."""
        now = time.time()
        if delivered:
            metric = mapping_metric("OnFailureDestinationDeliveredEventCount", self._uuid)
            self._metrics.add(metric, float(records), now)
        else:
            failures = function_metric("DestinationDeliveryFailures", self._function)
            self._metrics.add(failures, 1.0, now)
