"""Where a command's answer goes: tables and words for a person, or one JSON document."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, Protocol

import click
from rich.console import Console

from operate.errors import FailedError, MissingError, OperateError, WrongError
from operate.fleet import Ended
from ring.mistakes import escaped

_UNTOLD = "-"


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
        self.told = _Told(stderr=as_json, highlight=False)

    @property
    def may_ask(self) -> bool:
        """Whether there is a person who could answer a question."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()

    def expect_somebody(self) -> None:
        """See that there is a person to ask. Raises `WrongError` if there is none."""
        if not self.may_ask:
            raise WrongError("There is nobody here to ask: say --yes to do it without a question.")

    def say(self, text: str) -> None:
        """Say something on the way, or after the fact."""
        self.told.print(_harmless(text), markup=False, soft_wrap=True)

    def answer(self, document: Mapping[str, Any], show: Callable[[], None]) -> None:
        """Give the answer: the document as JSON, or by `show`."""
        if self.as_json:
            encoder = json.JSONEncoder(indent=2, default=str, ensure_ascii=False)
            sys.stdout.writelines(encoder.iterencode(document))
            click.echo()
        else:
            show()

    def trouble(self, error: OperateError) -> None:
        """Say what went wrong: in the document on stdout, or in words on stderr."""
        if self.as_json:
            self.answer({"ok": False, "error": error_document(error)}, lambda: None)
        else:
            click.echo(_harmless(str(error)), err=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show a table, whole: a cut name is of no use. What is None or empty is a dash.

        It goes through the rows twice.
        """
        widths = [len(column) for column in columns]
        for row in rows:
            widths = list(map(max, widths, map(len, _cells(row))))
        for cells in chain([columns], map(_cells, rows)):
            pairs = zip(cells, widths, strict=True)
            self.say("   ".join(cell.ljust(width) for cell, width in pairs).rstrip())


def _cells(row: Sequence[object]) -> list[str]:
    return [_UNTOLD if cell in (None, "") else escaped(str(cell)) for cell in row]


def _harmless(text: str) -> str:
    """Lines without codes for the terminal: they may quote what anybody has written."""
    return "\n".join(map(escaped, text.expandtabs().split("\n")))


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
    kinds = {WrongError: "wrong", MissingError: "missing"}
    kind = next((word for one, word in kinds.items() if isinstance(error, one)), "failed")
    document: dict[str, Any] = {"kind": kind, "text": str(error)}
    if isinstance(error, WrongError):
        document["mistakes"] = [asdict(mistake) for mistake in error.mistakes]
    if isinstance(error, FailedError):
        document["notes"] = [asdict(note) for note in error.notes]
    return document


def ring_document(ended: Ended[Any]) -> dict[str, Any]:
    """For scripts: which ring an operation was done to, and the error that it ended with."""
    about: dict[str, Any] = {"ring": ended.ring.label}
    return about | ({"error": error_document(ended.error)} if ended.error else {})
