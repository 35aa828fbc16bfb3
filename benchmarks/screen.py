"""Output of the benchmarks: tables on a terminal, Markdown in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

T = TypeVar("T")


class Screen:
    """Prints tables to stdout and progress to stderr."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, width=None if Console().is_terminal else 200)
        self._progress_console = Console(stderr=True)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table: words in the first column, numbers in the others."""
        style = box.SIMPLE if self._out.is_terminal else box.MARKDOWN
        table = Table(box=style)
        for place, column in enumerate(columns):
            table.add_column(column, justify="right" if place else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._out.print(f"\n{title}\n", soft_wrap=True)
        self._out.print(table)

    def say(self, text: str) -> None:
        """Print text."""
        self._out.print(text, soft_wrap=True)

    def progress(self, what: str, steps: Sequence[T]) -> Iterator[T]:
        """Iterate over the steps of a part with a progress bar, not updated during a step."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._progress_console, auto_refresh=False) as progress:
            task = progress.add_task(what, total=len(steps))
            progress.refresh()
            for step in steps:
                yield step
                progress.advance(task)
                progress.refresh()


def number(value: float) -> str:
    """Format a number with three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float) -> str:
    """Format a ratio."""
    return f"{number(value)} x"
