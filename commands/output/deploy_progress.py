"""What the engine does, while it does it: a line a change, and on a terminal what is under way."""

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
from operate.deployment.stack import RingStack
from operate.errors import Note

_SIGNS = {"create": "+", "delete": "-", "update": "~", "replace": "±", "import": "=", "keep": "="}
_PAST = {
    "create": "created",
    "delete": "deleted",
    "update": "updated",
    "replace": "replaced",
    "keep": "kept",
}
_SHOWN = 3  # resources under way that a ring's line has room for


class LiveView:
    """Watches the operations on some rings for as long as the context lasts; `watch` is theirs.

    With `planned` nothing is done: what is told is what would be.
    """

    def __init__(
        self, screen: Screen, rings: Sequence[RingStack], *, planned: bool = False
    ) -> None:
        self._screen = screen
        self._names = [ring.label for ring in rings]
        self._planned = planned
        self._lock = threading.Lock()  # each ring's engine tells from a thread of its own
        self._under_way: dict[str, dict[str, Step]] = {name: {} for name in self._names}
        self._began = time.monotonic()
        self._end = ExitStack()
        for ring in rings:
            ring.watch = self.watch

    def __enter__(self) -> Self:
        if self._screen.console.is_terminal:
            live = Live(
                console=self._screen.console,
                get_renderable=self._picture,
                refresh_per_second=4,
                transient=True,
            )
            self._end.enter_context(live)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()

    def watch(self, ring: RingStack, said: Step | Note) -> None:
        """Take in what the engine says about a ring."""
        if isinstance(said, Note):
            self._line(ring, _note(said))
            return
        with self._lock:
            steps = self._under_way[ring.label]
            if said.state == "begun":
                steps[said.name] = said
            else:
                steps.pop(said.name, None)
        if said.is_change and (said.state != "begun"):
            self._line(ring, _step(said, self._planned))

    def _line(self, ring: RingStack, text: str) -> None:
        many = len(self._names) > 1
        for line in text.splitlines():
            self._screen.print(f"{ring.label}: {line}" if many else line)

    def _picture(self) -> Table:
        """What is under way, a line a ring."""
        picture = Table.grid(padding=(0, 2))
        seconds = time.monotonic() - self._began
        with self._lock:
            for name, steps in self._under_way.items():
                first = [f"{step.operation} {step.name}" for step in list(steps.values())[:_SHOWN]]
                more = len(steps) - len(first)
                now = ", ".join(first) + (f" and {more} more" if more > 0 else "")
                picture.add_row(Text(name), Text(now or "..."), Text(f"{seconds:.0f} s"))
        return picture


def _step(step: Step, planned: bool) -> str:
    word = step.operation.partition("-")[0] if step.operation not in _PAST else step.operation
    sign = _SIGNS.get(word, "*")
    if step.state == "failed":
        told = f"{step.operation} failed"
    else:
        told = step.operation if planned else _PAST.get(step.operation, step.operation)
    keys = f"  ({', '.join(step.keys)})" if step.keys and word != "create" else ""
    return f"{sign} {told:<10} {step.kind:<32} {step.name}{keys}"


def _note(note: Note) -> str:
    about = f"{note.resource}: " if note.resource else ""
    word = "" if note.severity.startswith("info") else f"{note.severity}: "
    return f"! {word}{about}{note.text}"
