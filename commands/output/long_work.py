"""Show the progress of a long operation, and end it with Ctrl-C, in order or at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from commands.exit_codes import FAILED
from commands.output.screen import Screen
from operate.reporting import ProgressCallback
from operate.stop import Stop, StoppedError

_LINE_EVERY = 5.0
"""Seconds between two lines of progress, without a terminal."""

_LOOK_EVERY = 0.05
_WIDE, _BAR = 78, 10
"""Terminal columns from which on there is a bar, and its length at that width."""


@contextmanager
def at_work(screen: Screen, stop: Stop) -> Iterator[ProgressCallback]:
    """Show progress, and let Ctrl-C or SIGTERM request a stop; yields the progress callback.

    The first Ctrl-C finishes the work in progress. A second one ends the process at once, which is
    safe: the checkpoint file is consistent, and unfinished work is repeated.
    """
    with _shown(screen) as on_progress, _stoppable(screen, stop):
        yield on_progress


@contextmanager
def _stoppable(screen: Screen, stop: Stop) -> Iterator[None]:
    over = threading.Event()

    # A signal handler must not print: the interrupted thread may be printing.
    def announce() -> None:
        while not stop.is_asked and not over.wait(_LOOK_EVERY):
            pass
        if stop.is_asked:
            screen.print(
                "Stopping; finishing the work in progress. Press Ctrl-C again to end at once."
            )

    def on_signal(*_: Any) -> None:
        if stop.is_asked:
            _end_at_once(screen)
        stop.ask()

    before = {one: signal.signal(one, on_signal) for one in (signal.SIGINT, signal.SIGTERM)}
    announcer = threading.Thread(target=announce, daemon=True)
    announcer.start()
    try:
        yield
    finally:
        over.set()
        announcer.join()
        for one, handler in before.items():
            signal.signal(one, handler)


def _end_at_once(screen: Screen) -> None:
    if screen.console.is_terminal:
        os.write(screen.console.file.fileno(), b"\x1b[?25h\n")  # a bar hides the cursor
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"Ended at once.\n")
    os._exit(FAILED)


@contextmanager
def _shown(screen: Screen) -> Iterator[ProgressCallback]:
    """Show a bar with rate and remaining time on a terminal, otherwise lines on stderr."""
    if not screen.console.is_terminal:
        lines = _Lines()
        try:
            yield lines.update
        except StoppedError:
            lines.print_latest()
            raise
        return
    with Progress(*_columns(screen.console.width), console=screen.console) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=done, total=of)

        yield on_progress


def _columns(width: int) -> Iterator[ProgressColumn]:
    """Yield the columns that fit: the numbers first."""
    is_wide = width >= _WIDE
    yield TextColumn("{task.description}", table_column=Column(no_wrap=True))
    if is_wide:
        yield BarColumn(bar_width=min(40, width - _WIDE + _BAR))
    yield _Done(table_column=Column(no_wrap=True))
    if is_wide:
        yield _Rate(table_column=Column(no_wrap=True))
        yield TimeRemainingColumn()


class _Lines:
    """Prints progress every few seconds. Thread-safe."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        echo: Callable[[str], None] = lambda line: click.echo(line, err=True),
    ) -> None:
        self._now = now
        self._print = echo
        self._lock = threading.Lock()
        self._last = now()
        self._pending: str | None = None

    def update(self, what: str, done: int, of: int) -> None:
        with self._lock:
            self._pending = f"{what}: {done:,} of {of:,}"
            if self._now() - self._last >= _LINE_EVERY:
                self._print_pending()

    def print_latest(self) -> None:
        """Print how far a stopped operation came, if the last line does not have it."""
        with self._lock:
            self._print_pending()

    def _print_pending(self) -> None:
        if self._pending is not None:
            self._print(self._pending)
        self._last, self._pending = self._now(), None


class _Done(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")
