"""Log lines for a batch. The last one has its metrics (CloudWatch embedded metric format).

CloudWatch makes metrics of the numbers that such a line names, without a call by the function.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handler.batch import BatchReport, Failure, sequence_number
from handler.conflict_line import Line, conflict_line
from handler.errors import FailureKind, error_code
from handler.log import format_error
from handler.protocol.hop import Action
from handler.quarantine import QuarantinedRecord
from handler.retry import RetryBudget

NAMESPACE = "DynamoDBRing"
DIMENSION = "hop"
MAX_VALUES_PER_METRIC = 100
"""Values that a metric may have in one line."""

_UNITS = {
    "records": "Count",
    **{action.value: "Count" for action in Action},
    "conflicts": "Count",
    "quarantined": "Count",
    "failures": "Count",
    "faults": "Count",
    "given_back": "Count",
    "calls": "Count",
    "retries": "Count",
    "store_ms": "Milliseconds",
    "lag": "Seconds",
    "lap": "Seconds",
    "beat_lag": "Seconds",
    "beat_lap": "Seconds",
}

METRICS = tuple(_UNITS)
"""Names of a hop's metrics."""


@dataclass(frozen=True)
class BatchReporter:
    """Formatter of a hop's log lines."""

    hop: str
    logs_items: bool
    """Whether the line of a conflict has the contents of its items."""

    def log_lines(
        self, records: int, report: BatchReport, budget: RetryBudget, now: float
    ) -> Iterator[Line]:
        """Yield the log lines of a batch, as JSON documents.

        Args:
            records: number of records in the batch.
            report: the batch's results.
            budget: that of the invocation, with its counts of calls.
            now: the time, in seconds since the epoch.
        """
        for conflict in report.conflicts:
            yield self._line("conflict", conflict_line(conflict, self.logs_items))
        for quarantined in report.quarantined:
            yield self._line("quarantined", _quarantined_line(quarantined))
        for failures in _group_failures(report.failures):
            yield self._line("failure", failures)
        numbers = _batch_metrics(records, report, budget)
        yield self._line("batch", numbers) | {"_aws": _metrics(numbers, now)}

    def _line(self, event: str, fields: Line) -> Line:
        return {"event": event, DIMENSION: self.hop, **fields}


def _batch_metrics(records: int, report: BatchReport, budget: RetryBudget) -> Line:
    numbers: Line = {
        "records": records,
        **{action.value: report.counts[action] for action in Action},
        "conflicts": len(report.conflicts),
        "quarantined": len(report.quarantined),
        "failures": len(report.failures),
        "faults": sum(failure.kind is FailureKind.FAULT for failure in report.failures),
        "given_back": len(report.unprocessed),
        "calls": budget.calls,
        "retries": budget.retries,
        "store_ms": round(budget.store_seconds * 1000),
    }
    lags = {
        "lag": _percentile_sample(report.lags),
        "lap": _percentile_sample(report.laps),
        "beat_lag": _percentile_sample(report.heartbeat_lags),
        "beat_lap": _percentile_sample(report.heartbeat_laps),
    }
    return numbers | {name: values for name, values in lags.items() if values}


def _metrics(numbers: Line, now: float) -> Line:
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    return {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}


def _percentile_sample(values: Sequence[float]) -> list[float]:
    """Return the values, or a sample of as many as a line may have, at equal steps in their order.

    The sample keeps the minimum, the maximum and every percentile of the batch. In statistics over
    many batches, a batch with more values counts as one with the maximum number.
    """
    ordered = sorted(round(value, 1) for value in values)
    if len(ordered) <= MAX_VALUES_PER_METRIC:
        return ordered
    last = len(ordered) - 1
    return [
        ordered[round(step * last / (MAX_VALUES_PER_METRIC - 1))]
        for step in range(MAX_VALUES_PER_METRIC)
    ]


def _group_failures(failures: Sequence[Failure]) -> Iterator[Line]:
    """Yield one line for all failures of a kind and code: an outage fails every key of a batch."""
    groups: dict[tuple[FailureKind, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.kind, error_code(failure.error)), []).append(failure)
    for (kind, code), group in groups.items():
        first = group[0]
        yield {
            "kind": kind,
            "code": code,
            "keys": len(group),
            "record": first.record,
            "error": format_error(first.error),
        }


def _quarantined_line(quarantined: QuarantinedRecord) -> Line:
    return {
        "record": sequence_number(quarantined.record),
        "reason": quarantined.reason,
        "error": quarantined.error,
    }
