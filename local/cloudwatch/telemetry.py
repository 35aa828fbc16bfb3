"""Deliver a function's log lines to CloudWatch Logs and its metrics to CloudWatch."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from local.cloudwatch.delivery import put_lines, put_metrics
from local.cloudwatch.metrics import MetricBuffer, function_metric, mapping_metric
from local.lambda_emulator.mapping_stats import MappingObserver
from local.lambda_emulator.worker_process import FunctionError
from local.moto_lock import MOTO_LOCK
from local.periodic import Periodic

if TYPE_CHECKING:
    from local.lambda_emulator.batching import Record

SECONDS = 1.0
"""Interval between two deliveries; no batch of a hop waits for them."""
_STREAM = "local/[$LATEST]"
_MOST_LINES = 50_000
_log = logging.getLogger(__name__)


class Telemetry(Periodic):
    """Collect log lines and metrics of a function; a background thread delivers them.

    The lines go to the log group `group` of the function's account and region; without it they are
    lost, which is logged.
    """

    def __init__(self, account: str, region: str, function: str, group: str) -> None:
        self.metrics = MetricBuffer()
        self.function = function
        self._account = account
        self._region = region
        self._group = group
        self._lines: deque[tuple[float, str]] = deque(maxlen=_MOST_LINES)
        self._flushing = threading.Lock()
        super().__init__("telemetry", SECONDS)
        self.__enter__()

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
        """Deliver everything collected so far."""
        with self._flushing:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            for _, line in lines:
                if '"_aws"' in line:
                    self._add_metrics(line)
            written = [(when, line) for when, line in lines if line]
            place = self._account, self._region
            with MOTO_LOCK:
                if written and not put_lines(*place, self._group, _STREAM, written):
                    _log.info("Lines were lost: there is no log group %s", self._group)
                put_metrics(*place, self.metrics)

    def _add_metrics(self, line: str) -> None:
        try:
            self.metrics.add_line(line)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            _log.info("A metric was lost: %s", error)

    def work(self) -> None:
        """Deliver what was collected since the last time."""
        self.flush()

    def close(self) -> None:
        """End the thread and deliver the rest."""
        self.__exit__()
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
