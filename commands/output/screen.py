"""Print results: tables and text for a person, or one JSON document."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from typing import IO, Any, Protocol

import click
from rich.console import Console

from commands.output.encoding import refuse_unencodable
from operate.errors import (
    InvalidRequestError,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from operate.rings import Outcome
from ring.text import escape_unprintable

_EMPTY = "-"
_GAP = "   "
_NUMBER = re.compile(r"-?[\d,]*\.?\d+(e[+-]?\d+)?( (s|min|h|days))?")
"""Matches a cell that is a number or a duration."""


class _PipeConsole(Console):
    """Console that goes on after a broken pipe, as with `| head`.

    Rich would end the thread that reads the engine's events; the engine would then block forever
    and hold the stack's lock.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _drop(self.file)


class Screen:
    """Output of a command. With JSON, messages go to stderr."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = _PipeConsole(stderr=as_json, highlight=False, emoji=False)
        self._has_document = False

    @property
    def is_interactive(self) -> bool:
        """Whether a person can answer a question."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()

    def require_interactive(self) -> None:
        """Raise `InvalidRequestError` if nobody can answer a question."""
        if not self.is_interactive:
            raise InvalidRequestError("Not a terminal: pass --yes to skip the confirmation.")

    def print(self, text: str) -> None:
        """Print a message or a line of the result."""
        self.console.print(_escape_lines(text), markup=False, soft_wrap=True)

    def emit(self, document: Mapping[str, Any], show: Callable[[], None]) -> None:
        """Print the result: the document as JSON, or with `show`."""
        if self.as_json:
            self._has_document = True
            encoder = json.JSONEncoder(indent=2, default=str, ensure_ascii=False)
            sys.stdout.writelines(encoder.iterencode(document))
            click.echo()
        else:
            show()

    @contextmanager
    def require_written(self, consequence: str) -> Iterator[None]:
        """Raise `OperationFailedError` if what is printed inside does not get to stdout.

        The error ends with the consequence, as "Nothing was deleted."
        """
        reason = ""
        try:
            with refuse_unencodable(sys.stdout):
                yield
                sys.stdout.flush()
        except (OSError, UnicodeEncodeError) as error:
            reason = str(error)
            _drop(sys.stdout)
        if self.console.quiet:
            reason = "it was closed"
        if reason:
            raise OperationFailedError(
                f"Not all of the output could be written to stdout: {reason}. {consequence}"
            )

    def note(self, text: str) -> None:
        """Print a message on stderr, beside a result on stdout."""
        click.echo(_escape_lines(text), err=True)

    def error(self, error: OperateError) -> None:
        """Print an error: as JSON on stdout, or as text on stderr.

        With JSON too it is text on stderr if a result was printed before: stdout has one document.
        """
        if self.as_json and not self._has_document:
            self.emit({"ok": False, "error": error_document(error)}, lambda: None)
        else:
            self.note(str(error))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table without cutting cells. An empty cell is a dash; numbers are right-aligned.

        On a terminal that is too narrow, each row is a list of its cells. Iterates twice over the
        rows.
        """
        widths = [len(column) for column in columns]
        are_numbers = [False for _ in columns]
        are_words = [False for _ in columns]
        for cells in map(_cells, rows):
            widths = list(map(max, widths, map(len, cells)))
            for place, cell in enumerate(cells):
                are_numbers[place] |= bool(_NUMBER.fullmatch(cell))
                are_words[place] |= not _NUMBER.fullmatch(cell) and cell != _EMPTY
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


def _drop(file: IO[str]) -> None:
    """Discard what is written to a file from now on: Python writes its buffer again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def _cells(row: Sequence[object]) -> list[str]:
    return [_EMPTY if cell in (None, "") else escape_unprintable(str(cell)) for cell in row]


def _escape_lines(text: str) -> str:
    """Escape control codes of the terminal: the text may quote untrusted data."""
    return "\n".join(map(escape_unprintable, text.expandtabs().split("\n")))


class Many(Protocol):
    """A sized collection that can be iterated several times."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class Rows(list[Any]):
    """Rows that are created while they are printed. `json` takes them for a list."""

    def __init__(self, source: Many, show: Callable[[Any], Any] = lambda one: one) -> None:
        super().__init__()
        self._source = source
        self._show = show

    def __len__(self) -> int:
        return len(self._source)

    def __iter__(self) -> Iterator[Any]:
        return map(self._show, self._source)


def error_document(error: OperateError) -> dict[str, Any]:
    """Return an error as a document: its kind (invalid, missing or failed), text and details."""
    kinds = {InvalidRequestError: "invalid", PrerequisiteError: "missing"}
    kind = next((word for one, word in kinds.items() if isinstance(error, one)), "failed")
    document: dict[str, Any] = {"kind": kind, "text": str(error)}
    if isinstance(error, InvalidRequestError):
        document["problems"] = [asdict(problem) for problem in error.problems]
    if isinstance(error, OperationFailedError):
        document["notes"] = [asdict(note) for note in error.notes]
    return document


def ring_document(outcome: Outcome[Any]) -> dict[str, Any]:
    """Return the ring of an outcome, and its error, as a document."""
    about: dict[str, Any] = {"ring": outcome.ring.label}
    return about | ({"error": error_document(outcome.error)} if outcome.error else {})
