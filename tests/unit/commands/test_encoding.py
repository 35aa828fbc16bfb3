"""What is printed where the encoding has not all characters, as on an old terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands.framework import run
from commands.output.screen import Screen
from operate.errors import OperationFailedError


@contextmanager
def ascii_stdout(monkeypatch: pytest.MonkeyPatch, file: Path) -> Iterator[Path]:
    """Give stdout an encoding without most characters, and return where it is written to."""
    with file.open("w", encoding="ascii") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        yield file


def test_a_text_is_printed_with_escapes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with ascii_stdout(monkeypatch, tmp_path / "printed") as file, pytest.raises(SystemExit):
        run(lambda: Screen(as_json=False).print("≠ Zoë"))
    assert file.read_bytes() == rb"\u2260 Zo\u00eb" + b"\n"


def test_a_json_document_stays_the_same_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = {"name": 'Zoë 🦊 "\\'}
    with ascii_stdout(monkeypatch, tmp_path / "printed") as file, pytest.raises(SystemExit):
        run(lambda: Screen(as_json=True).emit(document, lambda: None))
    assert json.loads(file.read_bytes()) == document


def test_what_has_to_be_printed_as_it_is_is_not_escaped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def print_whole() -> None:
        with Screen(as_json=False).require_written("Nothing was deleted."):
            sys.stdout.write("Zoë")

    refused = pytest.raises(OperationFailedError, match="Nothing was deleted")
    with ascii_stdout(monkeypatch, tmp_path / "printed") as file, refused:
        run(print_whole)
    assert file.read_bytes() == b""
