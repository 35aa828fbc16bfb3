"""Print the engine's progress: a line per change and, on a terminal, what is in progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

from commands.output.screen import Screen
from operate.deployment.engine_events import Step
from operate.errors import Note
from operate.rings import DeployedRing

_SIGNS = {"create": "+", "delete": "-", "update": "~", "replace": "±", "import": "=", "keep": "="}
_PAST = {
    "create": "created",
    "delete": "deleted",
    "update": "updated",
    "replace": "replaced",
    "keep": "kept",
}
_SHOWN = 3  # resources in progress on a ring's line


class LiveView:
    """Live view of operations on rings; pass `update` as their `on_event`.

    `planned`: the operations are previews.
    """

    def __init__(
        self, screen: Screen, rings: Sequence[DeployedRing], *, planned: bool = False
    ) -> None:
        self._screen = screen
        self._names = [ring.label for ring in rings]
        self._planned = planned
        self._lock = threading.Lock()  # each ring's engine calls from its own thread
        self._in_progress: dict[str, dict[str, Step]] = {name: {} for name in self._names}
        self._started = time.monotonic()
        self._end = ExitStack()

    def __enter__(self) -> Self:
        if self._screen.console.is_terminal:
            live = Live(
                console=self._screen.console,
                get_renderable=self._table,
                refresh_per_second=4,
                transient=True,
            )
            self._end.enter_context(live)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def update(self, ring: DeployedRing, event: Step | Note) -> None:
        """Show an event of a ring's engine."""
        if isinstance(event, Note):
            self._line(ring, _note(event))
            return
        with self._lock:
            steps = self._in_progress[ring.label]
            if event.state == "begun":
                steps[event.name] = event
            else:
                steps.pop(event.name, None)
        if event.is_change and event.state != "begun":
            self._line(ring, _step(event, self._planned))

    def _line(self, ring: DeployedRing, text: str) -> None:
        many = len(self._names) > 1
        for line in text.splitlines():
            self._screen.print(f"{ring.label}: {line}" if many else line)

    def _table(self) -> Table:
        """Return the resources in progress, a line per ring."""
        table = Table.grid(padding=(0, 2))
        seconds = time.monotonic() - self._started
        with self._lock:
            for name, steps in self._in_progress.items():
                first = [f"{step.operation} {step.name}" for step in list(steps.values())[:_SHOWN]]
                more = len(steps) - len(first)
                now = ", ".join(first) + (f" and {more} more" if more > 0 else "")
                table.add_row(Text(name), Text(now or "..."), Text(f"{seconds:.0f} s"))
        return table


def _step(step: Step, planned: bool) -> str:
    word = step.operation.partition("-")[0] if step.operation not in _PAST else step.operation
    sign = _SIGNS.get(word, "*")
    if step.state == "failed":
        text = f"{step.operation} failed"
    else:
        text = step.operation if planned else _PAST.get(step.operation, step.operation)
    keys = f"  ({', '.join(step.keys)})" if step.keys and word != "create" else ""
    return f"{sign} {text:<10} {step.kind:<32} {step.name}{keys}"


def _note(note: Note) -> str:
    resource = f"{note.resource}: " if note.resource else ""
    severity = "" if note.severity.startswith("info") else f"{note.severity}: "
    return f"! {severity}{resource}{note.text}"
