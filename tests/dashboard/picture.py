"""A dashboard drawn as CloudWatch would, near enough to see whether it can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from tests.dashboard.values import Points, Values, lines_of

COLUMNS = 24
Times = tuple[float, float]
_INCH = (0.68, 0.52)  # of a column, of a row
_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
_STATES = {"OK": "#2ca02c", "ALARM": "#d62728", "INSUFFICIENT_DATA": "#999999"}
_EDGE = 0.06  # inches that are left free around a widget


def draw(
    body: Mapping[str, Any],
    values: Values,
    states: Mapping[str, tuple[str, str]],
    path: Path,
    *,
    period: float,
) -> list[str]:
    """Draw a dashboard into a PNG; return the texts that do not fit into their widgets.

    `states` are the names and states of alarms by their ARNs. `period` is in seconds, and in place
    of the dashboard's own, so that what took a moment can be seen.
    """
    rows = max(widget["y"] + widget["height"] for widget in body["widgets"])
    figure = Figure((COLUMNS * _INCH[0], rows * _INCH[1]), dpi=100, facecolor="#f2f3f3")
    canvas = FigureCanvasAgg(figure)
    first, last = values.times
    panels = [_Panel(figure, widget, rows) for widget in body["widgets"]]
    for panel in panels:
        properties = panel.widget["properties"]
        match panel.widget["type"]:
            case "text":
                panel.write(properties["markdown"])
            case "alarm":
                panel.list_alarms(properties, states)
            case "metric":
                panel.plot(properties, lines_of(properties, values, period), (first - period, last))
    canvas.draw()  # type: ignore[no-untyped-call]
    figure.savefig(path)
    return [text for panel in panels for text in panel.too_large(canvas)]


class _Panel:
    """A widget's place in the picture."""

    def __init__(self, figure: Figure, widget: Mapping[str, Any], rows: int) -> None:
        self.widget = widget
        self._figure = figure
        wide, high = COLUMNS * _INCH[0], rows * _INCH[1]
        self._left = (widget["x"] * _INCH[0] + _EDGE) / wide
        self._bottom = 1 - ((widget["y"] + widget["height"]) * _INCH[1] - _EDGE) / high
        self._width = (widget["width"] * _INCH[0] - 2 * _EDGE) / wide
        self._height = (widget["height"] * _INCH[1] - 2 * _EDGE) / high
        self._inch = (1 / wide, 1 / high)
        self._box = Rectangle(
            (self._left, self._bottom),
            self._width,
            self._height,
            fc="white",
            ec="#d5dbdb",
            zorder=-1,
        )
        figure.add_artist(self._box)
        self._texts: list[Any] = []

    def _say(self, text: str, x: float, from_top: float, size: float, **options: Any) -> None:
        """Write a text, so many inches from the left and the top."""
        place = (
            self._left + x * self._inch[0],
            self._bottom + self._height - from_top * self._inch[1],
        )
        self._texts.append(self._figure.text(*place, text, size=size, va="top", **options))

    def write(self, markdown: str) -> None:
        top = 0.1
        for line in markdown.replace("`", "").split("\n\n"):
            text = line.lstrip("# ")
            level = len(line) - len(line.lstrip("#"))
            size = {1: 17, 2: 13}.get(level, 10)
            self._say(text, 0.12, top, size, weight="bold" if level else "normal")
            top += size / 72 * 1.9

    def list_alarms(
        self, properties: Mapping[str, Any], states: Mapping[str, tuple[str, str]]
    ) -> None:
        self._say(properties["title"], 0.12, 0.1, 13, weight="bold")
        columns = self.widget["width"] // 6
        for at, arn in enumerate(properties["alarms"]):
            name, state = states[arn]
            down, across = divmod(at, columns)
            left, top = 0.12 + across * 6 * _INCH[0], 0.6 + down * 0.4
            self._say("■", left, top, 10, color=_STATES[state])
            self._say(name, left + 0.22, top, 8)

    def plot(
        self, properties: Mapping[str, Any], lines: Mapping[str, Points], times: Times
    ) -> None:
        self._say(properties["title"], 0.12, 0.1, 10, weight="bold")
        labelled = {
            label if points else f"{label} (none)": points for label, points in lines.items()
        }
        axes = self._axes(list(labelled))
        for at, (label, points) in enumerate(labelled.items()):
            axes.plot(
                [date2num_of(seconds) for seconds in points],
                list(points.values()),
                label=label,
                color=_COLOURS[at % len(_COLOURS)],
                marker="." if len(points) < 60 else "",
                linewidth=1.3,
            )
        self._finish(axes, properties, times)

    def _axes(self, labels: Sequence[str]) -> Axes:
        """The part of the widget between its title and its legend."""
        legend = 0.12 + 0.19 * -(-len(labels) // self._legend_columns(labels))
        right, top = 0.15, 0.42
        left, bottom = 0.62, 0.3 + legend
        axes = self._figure.add_axes(
            (
                self._left + left * self._inch[0],
                self._bottom + bottom * self._inch[1],
                self._width - (left + right) * self._inch[0],
                self._height - (bottom + top) * self._inch[1],
            )
        )
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#eaeded")
        axes.tick_params(labelsize=8)
        return axes

    def _legend_columns(self, labels: Sequence[str]) -> int:
        """How many of these labels have room beside each other."""
        widest = 0.4 + 0.065 * max(map(len, labels))  # inches
        return max(1, int(float(self.widget["width"]) * _INCH[0] / widest))

    def _finish(self, axes: Axes, properties: Mapping[str, Any], times: Times) -> None:
        axes.set_ylim(bottom=properties["yAxis"]["left"]["min"])
        axes.set_ylabel(properties["yAxis"]["left"]["label"], size=8)
        whole = properties["yAxis"]["left"]["label"] == "number"
        axes.set_ylim(top=max(1.0, axes.get_ylim()[1]))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=whole))
        axes.set_xlim(*(date2num_of(seconds) for seconds in times))
        axes.xaxis.set_major_locator(AutoDateLocator(maxticks=6))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S"))  # type: ignore[no-untyped-call]
        handles, labels = axes.get_legend_handles_labels()
        legend = self._figure.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(self._left + 0.05 * self._inch[0], self._bottom),
            ncols=self._legend_columns(labels),
            fontsize=8,
            frameon=False,
            handlelength=1,
            columnspacing=1,
            labelspacing=0.25,
        )
        self._texts.append(legend)

    def too_large(self, canvas: FigureCanvasAgg) -> list[str]:
        """The texts of which a part lies outside the widget."""
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        box = self._box.get_window_extent(renderer).padded(1)
        return [
            str(getattr(text, "get_text", lambda: "a legend")())
            for text in self._texts
            if not _lies_in(text.get_window_extent(renderer), box)
        ]


def _lies_in(inner: Any, outer: Any) -> bool:
    return bool(
        inner.x0 >= outer.x0
        and inner.x1 <= outer.x1
        and inner.y0 >= outer.y0
        and inner.y1 <= outer.y1
    )


def date2num_of(seconds: float) -> float:
    """A time in seconds as matplotlib counts it."""
    return seconds / 86_400
