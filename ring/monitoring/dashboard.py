"""The dashboard of a ring's hops: lag and conflicts on top, then a row for each hop. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ring.hop_metrics import HopMetrics, Metric

_PERIOD = 60  # seconds; CloudWatch takes longer ones where a graph shows weeks
_HEIGHT = 6
_ALARMS = 3  # the height of a hop's alarms, in a row above its graphs

Json = dict[str, Any]
"""JSON in which a value may be known to Pulumi alone."""


@dataclass(frozen=True)
class Row:
    """A hop, and the ARNs of its alarms."""

    hop: HopMetrics
    alarms: Sequence[pulumi.Input[str]]


def dashboard_body(table: str, rows: Sequence[Row], elsewhere: Sequence[str], late: int) -> Json:
    """A dashboard's body.

    `elsewhere` are the labels of hops that are not on it. `late` is how far a hop may lag, in
    seconds, before an alarm rings.
    """
    words = 3 if elsewhere else 2  # rows of the grid
    text = _introduction(table, elsewhere)
    widgets = [_placed(text, x=0, y=0, width=24, height=words)]
    widgets += _abreast(_across([row.hop for row in rows]), y=words)
    for at, row in enumerate(rows):
        y = words + _HEIGHT + (_ALARMS + _HEIGHT) * at
        widgets.append(_placed(_alarms(row), x=0, y=y, width=24, height=_ALARMS))
        widgets += _abreast(_graphs(row.hop, late), y=y + _ALARMS)
    return {"start": "-PT3H", "widgets": widgets}


def _abreast(three: Iterable[Json], y: int) -> Iterator[Json]:
    """Three graphs beside each other."""
    for at, graph in enumerate(three):
        yield _placed(graph, x=at * 8, y=y, width=8)


def _placed(widget: Json, *, x: int, y: int, width: int, height: int = _HEIGHT) -> Json:
    """A widget in its place on a grid of 24 columns."""
    return {**widget, "x": x, "y": y, "width": width, "height": height}


def _introduction(table: str, elsewhere: Sequence[str]) -> Json:
    lines = [
        f"# The ring of `{table}`",
        "From each member to the next. What an alarm means and what to do: `docs/runbook.md`.",
    ]
    if elsewhere:
        lines.append(f"On dashboards of other accounts or stacks: {', '.join(elsewhere)}.")
    return {"type": "text", "properties": {"markdown": "\n\n".join(lines)}}


def _across(hops: Sequence[HopMetrics]) -> Iterator[Json]:
    """What all hops are compared by."""
    graphs = {
        "Lag to the next member (p99)": ("lag", "p99", "seconds"),
        "Lap until it was everywhere (p99)": ("lap", "p99", "seconds"),
        "Conflicts": ("conflicts", "Sum", "number"),
    }
    for title, (name, statistic, unit) in graphs.items():
        lines = [
            _line(hop.custom(name, statistic), hop.label, region=hop.source.region) for hop in hops
        ]
        yield _graph(title, hops[0], lines, unit)


def _alarms(row: Row) -> Json:
    return {"type": "alarm", "properties": {"title": row.hop.label, "alarms": list(row.alarms)}}


def _graphs(hop: HopMetrics, late: int) -> Iterator[Json]:
    yield _graph("Changes", hop, _changes(hop), "number")
    yield _graph("Lag", hop, _lags(hop, late), "seconds")
    yield _graph("Trouble", hop, _troubles(hop), "number")


def _changes(hop: HopMetrics) -> list[list[Any]]:
    names = {
        "records": "records",
        "replicated": "written",
        "deletes": "deleted",
        "laps": "laps",
        "refused": "refused",
    }
    return [_line(hop.custom(name), label) for name, label in names.items()]


def _lags(hop: HopMetrics, late: int) -> list[list[Any]]:
    return [
        _line(hop.custom("lag", "p50"), "lag (p50)"),
        _line(hop.custom("lag", "p99"), "lag (p99)"),
        # Lambda tells it in milliseconds. A line across the graph where it rings would make it so
        # high that nothing else could be read.
        [{"expression": "age / 1000", "label": f"iterator age (rings above {late})", "id": "told"}],
        _line(hop.lambda_metric("IteratorAge", "Maximum"), "age", id="age", visible=False),
    ]


def _troubles(hop: HopMetrics) -> list[list[Any]]:
    own = ("failures", "faults", "given_back", "quarantined")
    of_function = {"Errors": "errors", "Throttles": "throttles"}
    return [
        *(_line(hop.custom(name), name.replace("_", " ")) for name in own),
        *(_line(hop.lambda_metric(name), label) for name, label in of_function.items()),
    ]


def _line(metric: Metric, label: str, **options: Any) -> list[Any]:
    """A metric as a widget has it: names and values in a row, and options behind them."""
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    told = {"label": label, "stat": metric.statistic, **options}
    return [metric.namespace, metric.name, *dimensions, told]


def _graph(title: str, hop: HopMetrics, lines: Sequence[list[Any]], unit: str) -> Json:
    """A graph of lines in a hop's region, where they say no other."""
    properties = {
        "title": title,
        "region": hop.source.region,
        "view": "timeSeries",
        "period": _PERIOD,
        "metrics": list(lines),
        "yAxis": {"left": {"min": 0, "label": unit, "showUnits": False}},
    }
    return {"type": "metric", "properties": properties}
