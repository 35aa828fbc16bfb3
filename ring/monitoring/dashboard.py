"""Dashboard of a ring's hops: lag and conflicts on top, then a row for each hop. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ring.hop_metrics import HopMetrics, Metric

_PERIOD = 60  # seconds; CloudWatch uses longer ones for long time ranges
_HEIGHT = 6
_ALARMS_HEIGHT = 3  # of the row above a hop's graphs

Json = dict[str, Any]
"""A JSON object. Its values may be Pulumi outputs."""


@dataclass(frozen=True)
class Row:
    """A hop, and the ARNs of its alarms."""

    hop: HopMetrics
    alarms: Sequence[pulumi.Input[str]]


def dashboard_body(
    table: str, rows: Sequence[Row], omitted: Sequence[str], max_lag_seconds: int
) -> Json:
    """Return a dashboard's body.

    `omitted` are the labels of the ring's hops that are not on it. `max_lag_seconds` is the
    threshold of the lag alarm.
    """
    text_height = 3 if omitted else 2  # rows of the grid
    text = _introduction(table, omitted)
    widgets = [_placed(text, x=0, y=0, width=24, height=text_height)]
    widgets += _side_by_side(_comparison([row.hop for row in rows]), y=text_height)
    for index, row in enumerate(rows):
        y = text_height + _HEIGHT + (_ALARMS_HEIGHT + _HEIGHT) * index
        widgets.append(_placed(_alarms(row), x=0, y=y, width=24, height=_ALARMS_HEIGHT))
        widgets += _side_by_side(_graphs(row.hop, max_lag_seconds), y=y + _ALARMS_HEIGHT)
    return {"start": "-PT3H", "widgets": widgets}


def _side_by_side(graphs: Iterable[Json], y: int) -> Iterator[Json]:
    """Place three graphs beside each other."""
    for index, graph in enumerate(graphs):
        yield _placed(graph, x=index * 8, y=y, width=8)


def _placed(widget: Json, *, x: int, y: int, width: int, height: int = _HEIGHT) -> Json:
    """Place a widget on the grid of 24 columns."""
    return {**widget, "x": x, "y": y, "width": width, "height": height}


def _introduction(table: str, omitted: Sequence[str]) -> Json:
    lines = [
        f"# Ring of table `{table}`",
        "One row per hop. What each alarm means and what to do: `docs/how-to/troubleshoot.md`.",
    ]
    if omitted:
        lines.append(f"Hops on dashboards of other accounts or stacks: {', '.join(omitted)}.")
    return {"type": "text", "properties": {"markdown": "\n\n".join(lines)}}


def _comparison(hops: Sequence[HopMetrics]) -> Iterator[Json]:
    """Yield the graphs that compare all hops."""
    graphs = {
        "Lag from origin to next member (p99)": ("lag", "p99", "seconds"),
        "Round trip around the ring (p99)": ("lap", "p99", "seconds"),
        "Conflicts": ("conflicts", "Sum", "number"),
    }
    for title, (name, statistic, unit) in graphs.items():
        lines = [
            _line(hop.custom(name, statistic), hop.label, region=hop.source.region) for hop in hops
        ]
        yield _graph(title, hops[0], lines, unit)


def _alarms(row: Row) -> Json:
    return {
        "type": "alarm",
        "properties": {"title": f"Alarms: {row.hop.label}", "alarms": list(row.alarms)},
    }


def _graphs(hop: HopMetrics, max_lag_seconds: int) -> Iterator[Json]:
    yield _graph(f"Records: {hop.label}", hop, _changes(hop), "number")
    yield _graph(f"Lag: {hop.label}", hop, _lags(hop, max_lag_seconds), "seconds")
    yield _graph(f"Failures: {hop.label}", hop, _failures(hop), "number")


def _changes(hop: HopMetrics) -> list[list[Any]]:
    names = {
        "records": "records",
        "replicated": "writes replicated",
        "deletes": "deletes replicated",
        "laps": "round trips completed",
        "refused": "superseded by newer writes",
    }
    return [_line(hop.custom(name), label) for name, label in names.items()]


def _lags(hop: HopMetrics, max_lag_seconds: int) -> list[list[Any]]:
    return [
        _line(hop.custom("lag", "p50"), "lag (p50)"),
        _line(hop.custom("lag", "p99"), "lag (p99)"),
        # The metric is in milliseconds. The threshold is in the label: as a line, it would scale
        # the graph so far up that nothing else could be read.
        [
            {
                "expression": "age / 1000",
                "label": f"iterator age (alarm above {max_lag_seconds} s)",
                "id": "age_seconds",
            }
        ],
        _line(hop.lambda_metric("IteratorAge", "Maximum"), "age", id="age", visible=False),
    ]


def _failures(hop: HopMetrics) -> list[list[Any]]:
    custom = {
        "failures": "keys failed",
        "faults": "faults",
        "given_back": "records to be retried",
        "quarantined": "records quarantined",
    }
    of_function = {"Errors": "invocation errors", "Throttles": "throttles"}
    return [
        *(_line(hop.custom(name), label) for name, label in custom.items()),
        *(_line(hop.lambda_metric(name), label) for name, label in of_function.items()),
    ]


def _line(metric: Metric, label: str, **options: Any) -> list[Any]:
    """Return a metric in a widget's format: names and values in a list, options at its end."""
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    rendering = {"label": label, "stat": metric.statistic, **options}
    return [metric.namespace, metric.name, *dimensions, rendering]


def _graph(title: str, hop: HopMetrics, lines: Sequence[list[Any]], unit: str) -> Json:
    """Return a graph of lines, in the hop's region unless a line names another."""
    properties = {
        "title": title,
        "region": hop.source.region,
        "view": "timeSeries",
        "period": _PERIOD,
        "metrics": list(lines),
        "yAxis": {"left": {"min": 0, "label": unit, "showUnits": False}},
    }
    return {"type": "metric", "properties": properties}
