"""Send a function's log lines to CloudWatch Logs and its metrics to CloudWatch."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloudwatch.metrics import MetricBuffer, function_metric, mapping_metric
from local.lambda_emulator.mapping_stats import MappingObserver
from local.lambda_emulator.worker_process import FunctionError

if TYPE_CHECKING:
    from local.lambda_emulator.batching import Record

SECONDS = 1.0
"""Interval between two deliveries; no batch of a hop waits for them."""
_STREAM = "local/[$LATEST]"
_MOST_LINES = 50_000
_log = logging.getLogger(__name__)


@contextmanager
def _log_errors(subject: str) -> Iterator[None]:
    """Log an error of AWS instead of raising it."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        _log.info("%s were lost: %s", subject, error)


class Telemetry:
    """Collect log lines and metrics of a function; a background thread sends them.

    The lines go to the log group `group`, if it exists. What cannot be sent is lost, which is
    logged.
    """

    def __init__(self, cloudwatch: Any, logs: Any, function: str, group: str) -> None:
        self.metrics = MetricBuffer()
        self.function = function
        self._cloudwatch = cloudwatch
        self._logs = logs
        self._log_stream = {"logGroupName": group, "logStreamName": _STREAM}
        self._lines: deque[tuple[float, str]] = deque(maxlen=_MOST_LINES)
        self._flushing = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def add_line(self, line: str) -> None:
        """Add a line of the handler's log, with the metrics in it."""
        self._lines.append((time.time(), line))

    def add_invocation(self, request_id: str, seconds: float, error: FunctionError | None) -> None:
        """Add a finished invocation: Lambda's metrics, and a short form of its REPORT line."""
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
        """Send everything collected so far."""
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
            with _log_errors("Lines"):
                self._write(lines)
        for namespace, data in self.metrics.take():
            with _log_errors("Metrics"):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def _write(self, lines: list[tuple[float, str]]) -> None:
        events = [{"timestamp": int(when * 1000), "message": line} for when, line in lines if line]
        try:
            self._logs.put_log_events(**self._log_stream, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            # As in Lambda, the function's role may create the stream, but not the group.
            self._logs.create_log_stream(**self._log_stream)
            self._logs.put_log_events(**self._log_stream, logEvents=events)

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            self.flush()

    def close(self) -> None:
        """Send the rest and end the thread."""
        self._ended.set()
        self._thread.join()
        self.flush()


class MappingTelemetry(MappingObserver):
    """Collect the metrics of an event source mapping."""

    def __init__(self, telemetry: Telemetry, uuid: str) -> None:
        self._metrics = telemetry.metrics
        self._function = telemetry.function
        self._uuid = uuid

    def polled(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Count records read from the stream."""
        polled = mapping_metric("PolledEventCount", self._uuid)
        self._metrics.add(polled, float(len(records)), time.time())

    def invoking(self, records: int, age: float) -> None:
        """Count an invocation; `age` is that of the last record, in seconds."""
        now = time.time()
        iterator_age = function_metric("IteratorAge", self._function, "Milliseconds")
        self._metrics.add(iterator_age, age * 1000, now)
        self._metrics.add(mapping_metric("InvokedEventCount", self._uuid), float(records), now)

    def discarded(self, records: Sequence[Record], *, delivered: bool) -> None:
        """Count discarded records, and whether the failure destination took them."""
        now = time.time()
        if delivered:
            metric = mapping_metric("OnFailureDestinationDeliveredEventCount", self._uuid)
            self._metrics.add(metric, float(len(records)), now)
        else:
            failures = function_metric("DestinationDeliveryFailures", self._function)
            self._metrics.add(failures, 1.0, now)
