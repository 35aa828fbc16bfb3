"""What a function tells of a batch: its log lines, one of which is its metrics as well.

The line of the batch is in CloudWatch's embedded metric format: CloudWatch makes metrics of the
numbers that it names, without a call by the function.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from handler.batch import Failure, Report
from handler.errors import Kind, code_of
from handler.log import told
from handler.model.image import SOURCE_REGION, SOURCE_TABLE, Item, own_attributes
from handler.protocol.replicate import Conflict, Did
from handler.retry import Patience

NAMESPACE = "DynamoDBRing"
DIMENSION = "hop"
MOST_VALUES = 100
"""How many values a metric may have in one line."""

_UNITS = {
    "records": "Count",
    **{did.value: "Count" for did in Did},
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
class Teller:
    """Tells of a hop's batches."""

    hop: str
    items: bool
    """Whether to tell what is in the items of a conflict."""

    def lines(self, records: int, report: Report, patience: Patience, now: float) -> Iterator[Line]:
        """The lines of a batch; ``now`` is the time, in seconds since the epoch."""
        for conflict in report.conflicts:
            yield self._line("conflict", _of_conflict(conflict, self.items))
        for lost in report.quarantined:
            yield self._line("quarantined", asdict(lost))
        for failures in _alike(report.failures):
            yield self._line("failure", failures)
        numbers = _of_batch(records, report, patience)
        yield self._line("batch", numbers) | {"_aws": _metrics(numbers, now)}

    def _line(self, event: str, fields: Line) -> Line:
        return {"event": event, DIMENSION: self.hop, **fields}


def _of_batch(records: int, report: Report, patience: Patience) -> Line:
    numbers: Line = {
        "records": records,
        **{did.value: report.counts[did] for did in Did},
        "conflicts": len(report.conflicts),
        "quarantined": len(report.quarantined),
        "failures": len(report.failures),
        "faults": sum(one.kind is Kind.FAULT for one in report.failures),
        "given_back": len(report.undone),
        "calls": patience.calls,
        "retries": patience.retries,
        "store_ms": round(patience.seconds * 1000),
    }
    lags = {
        "lag": _sample(report.lags),
        "lap": _sample(report.laps),
        "beat_lag": _sample(report.beat_lags),
        "beat_lap": _sample(report.beat_laps),
    }
    return numbers | {name: values for name, values in lags.items() if values}


def _metrics(numbers: Line, now: float) -> Line:
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    return {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}


def _sample(values: Sequence[float]) -> list[float]:
    """As many values as a line may have: of more, some at equal steps from least to greatest.

    So the least, the greatest and every percentile of a batch are what they were; a batch of more
    than that many weighs as much as one of that many.
    """
    ordered = sorted(round(value, 1) for value in values)
    if len(ordered) <= MOST_VALUES:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(step * last / (MOST_VALUES - 1))] for step in range(MOST_VALUES)]


def _alike(failures: Sequence[Failure]) -> Iterator[Line]:
    """One line for all failures of a kind and code: an outage fails every key of a batch."""
    groups: dict[tuple[Kind, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.kind, code_of(failure.error)), []).append(failure)
    for (kind, code), alike in groups.items():
        first = alike[0]
        yield {
            "kind": kind,
            "code": code,
            "keys": len(alike),
            "record": first.record,
            "error": told(first.error),
        }


def _of_conflict(conflict: Conflict, items: bool) -> Line:
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
        name: None if item is None else own_attributes(item) for name, item in contents.items()
    }


def _origin(item: Item | None) -> str | None:
    """Where a write was made; None where nothing says so, as nothing does of a new local write."""
    if item is None or SOURCE_REGION not in item:
        return None
    return "/".join(item.get(name, {}).get("S", "") for name in (SOURCE_REGION, SOURCE_TABLE))
