"""What a function tells of a batch: its log lines, one of which is its metrics as well.

The line of the batch is in CloudWatch's embedded metric format: CloudWatch makes metrics of the
numbers that it names, without a call by the function.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from handler.batch import BatchReport, Failure
from handler.errors import FailureKind, error_code
from handler.log import format_error
from handler.model.image import SOURCE_REGION, SOURCE_TABLE, Item, application_attributes
from handler.protocol.hop import Action, Conflict
from handler.retry import RetryBudget

NAMESPACE = "DynamoDBRing"
DIMENSION = "hop"
MAX_VALUES_PER_METRIC = 100
"""How many values a metric may have in one line."""

_UNITS = {
    "records": "Count",
    **{did.value: "Count" for did in Action},
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
"""The names of the metrics of a hop."""

Line = dict[str, Any]


@dataclass(frozen=True)
class BatchReporter:
    """Tells of a hop's batches."""

    hop: str
    items: bool
    """Whether to tell what is in the items of a conflict."""

    def log_lines(
        self, records: int, report: BatchReport, patience: RetryBudget, now: float
    ) -> Iterator[Line]:
        """The lines of a batch; ``now`` is the time, in seconds since the epoch."""
        for conflict in report.conflicts:
            yield self._line("conflict", _conflict_line(conflict, self.items))
        for lost in report.quarantined:
            yield self._line("quarantined", asdict(lost))
        for failures in _group_failures(report.failures):
            yield self._line("failure", failures)
        numbers = _batch_metrics(records, report, patience)
        yield self._line("batch", numbers) | {"_aws": _metrics(numbers, now)}

    def _line(self, event: str, fields: Line) -> Line:
        return {"event": event, DIMENSION: self.hop, **fields}


def _batch_metrics(records: int, report: BatchReport, budget: RetryBudget) -> Line:
    numbers: Line = {
        "records": records,
        **{did.value: report.counts[did] for did in Action},
        "conflicts": len(report.conflicts),
        "quarantined": len(report.quarantined),
        "failures": len(report.failures),
        "faults": sum(one.kind is FailureKind.FAULT for one in report.failures),
        "given_back": len(report.unprocessed),
        "calls": budget.calls,
        "retries": budget.retries,
        "store_ms": round(budget.seconds * 1000),
    }
    lags = {
        "lag": _percentile_sample(report.lags),
        "lap": _percentile_sample(report.laps),
        "beat_lag": _percentile_sample(report.beat_lags),
        "beat_lap": _percentile_sample(report.beat_laps),
    }
    return numbers | {name: values for name, values in lags.items() if values}


def _metrics(numbers: Line, now: float) -> Line:
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    return {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}


def _percentile_sample(values: Sequence[float]) -> list[float]:
    """As many values as a line may have: of more, some at equal steps from least to greatest.

    So the least, the greatest and every percentile of a batch are what they were; a batch of more
    than that many weighs as much as one of that many.
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
    """One line for all failures of a kind and code: an outage fails every key of a batch."""
    groups: dict[tuple[FailureKind, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.kind, error_code(failure.error)), []).append(failure)
    for (kind, code), alike in groups.items():
        first = alike[0]
        yield {
            "kind": kind,
            "code": code,
            "keys": len(alike),
            "record": first.record,
            "error": format_error(first.error),
        }


def _conflict_line(conflict: Conflict, items: bool) -> Line:
    sides = {
        "key": conflict.key,
        "won": conflict.won,
        "won_origin": _origin(conflict.winner),
        "lost": conflict.lost,
        "lost_origin": _origin(conflict.loser),
    }
    if not items:
        return sides
    contents = {"won_item": conflict.winner, "lost_item": conflict.loser}
    return sides | {
        name: None if item is None else application_attributes(item)
        for name, item in contents.items()
    }


def _origin(item: Item | None) -> str | None:
    """Where a write was made; None where nothing says so, as nothing does of a new local write."""
    if item is None or SOURCE_REGION not in item:
        return None
    return "/".join(item.get(name, {}).get("S", "") for name in (SOURCE_REGION, SOURCE_TABLE))
