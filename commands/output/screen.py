"""Where a command's answer goes: tables and words for a person, or one JSON document."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, Protocol

import click
from rich.console import Console

from operate.errors import (
    InvalidRequestError,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from operate.rings import Outcome
from ring.settings.errors import escape_unprintable

_UNTOLD = "-"
_GAP = "   "
_NUMBER = re.compile(r"-?[\d,]*\.?\d+(e[+-]?\d+)?( (s|min|h|days))?")
"""A cell that is a number, or a time with its unit."""


class _Told(Console):
    """Goes on when nobody listens any more, as with `| head`.

    Rich would end the thread that tells of the engine; the engine waits until it has told, for
    ever, and holds the stack's lock.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        # What is buffered would be tried once more in the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Screen:
    """Shows what a command has to say. What is said on the way goes to `told`, never into JSON."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = _Told(stderr=as_json, highlight=False)

    @property
    def is_interactive(self) -> bool:
        """Whether there is a person who could answer a question."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()

    def require_interactive(self) -> None:
        """See that there is a person to ask. Raises `InvalidRequestError` if there is none."""
        if not self.is_interactive:
            raise InvalidRequestError(
                "There is nobody here to ask: say --yes to do it without a question."
            )

    def print(self, text: str) -> None:
        """Say something on the way, or after the fact."""
        self.console.print(_harmless(text), markup=False, soft_wrap=True)

    def emit(self, document: Mapping[str, Any], show: Callable[[], None]) -> None:
        """Give the answer: the document as JSON, or by `show`."""
        if self.as_json:
            encoder = json.JSONEncoder(indent=2, default=str, ensure_ascii=False)
            sys.stdout.writelines(encoder.iterencode(document))
            click.echo()
        else:
            show()

    def error(self, error: OperateError) -> None:
        """Say what went wrong: in the document on stdout, or in words on stderr."""
        if self.as_json:
            self.emit({"ok": False, "error": error_document(error)}, lambda: None)
        else:
            click.echo(_harmless(str(error)), err=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show a table, whole: a cut name is of no use. What is None or empty is a dash.

        Numbers are flush right. On a terminal that is too narrow, each row is a list of its cells
        instead. It goes through the rows twice.
        """
        widths = [len(column) for column in columns]
        are_numbers = [False for _ in columns]
        are_words = [False for _ in columns]
        for cells in map(_cells, rows):
            widths = list(map(max, widths, map(len, cells)))
            for place, cell in enumerate(cells):
                are_numbers[place] |= bool(_NUMBER.fullmatch(cell))
                are_words[place] |= not _NUMBER.fullmatch(cell) and cell != _UNTOLD
        if (
            self.console.is_terminal
            and sum(widths) + len(_GAP) * (len(widths) - 1) > self.console.width
        ):
            self._list(columns, rows)
            return
        right = [one and not other for one, other in zip(are_numbers, are_words, strict=True)]
        for cells in chain([list(columns)], map(_cells, rows)):
            places = zip(cells, widths, right, strict=True)
            line = _GAP.join(c.rjust(width) if r else c.ljust(width) for c, width, r in places)
            self.print(line.rstrip())

    def _list(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        width = max(map(len, columns))
        for number, cells in enumerate(map(_cells, rows)):
            if number:
                self.print("")
            for column, cell in zip(columns, cells, strict=True):
                self.print(f"{column.ljust(width)}{_GAP}{cell}".strip())


def _cells(row: Sequence[object]) -> list[str]:
    return [_UNTOLD if cell in (None, "") else escape_unprintable(str(cell)) for cell in row]


def _harmless(text: str) -> str:
    """Lines without codes for the terminal: they may quote what anybody has written."""
    return "\n".join(map(escape_unprintable, text.expandtabs().split("\n")))


class Many(Protocol):
    """Things that are counted, and gone through as often as one likes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class Rows(list[Any]):
    """What is shown of many things, each made when its turn has come: to json it is a list."""

    def __init__(self, source: Many, show: Callable[[Any], Any] = lambda one: one) -> None:
        super().__init__()
        self._source = source
        self._show = show

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[Any]:
        return map(self._show, self._source)


def error_document(error: OperateError) -> dict[str, Any]:
    """An error for scripts: its kind (wrong, missing or failed), its text, and what it holds."""
    kinds = {InvalidRequestError: "wrong", PrerequisiteError: "missing"}
    kind = next((word for one, word in kinds.items() if isinstance(error, one)), "failed")
    document: dict[str, Any] = {"kind": kind, "text": str(error)}
    if isinstance(error, InvalidRequestError):
        document["mistakes"] = [asdict(mistake) for mistake in error.problems]
    if isinstance(error, OperationFailedError):
        document["notes"] = [asdict(note) for note in error.notes]
    return document


def ring_document(ended: Outcome[Any]) -> dict[str, Any]:
    """For scripts: which ring an operation was done to, and the error that it ended with."""
    about: dict[str, Any] = {"ring": ended.ring.label}
    return about | ({"error": error_document(ended.error)} if ended.error else {})
