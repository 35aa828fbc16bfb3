"""The project with one thing taken out of it, to see who notices."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ring.project import PROJECT_ROOT


class MutantError(Exception):
    """A mutant that cannot be made: the code is not what it says."""


@dataclass(frozen=True)
class Cut:
    """What is taken out of a file, and what stands there instead."""

    file: str
    old: str
    """What stands in the file, exactly once."""
    new: str


@contextmanager
def without(cut: Cut, parts: Iterable[str]) -> Iterator[Path]:
    """A folder with some files and folders of the project, and the cut made in one.

    Raises:
        MutantError: the text to replace is not there, or there more than once.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in parts:
            _copy(PROJECT_ROOT / part, folder / part)
        _make(cut, folder / cut.file)
        yield folder


def _copy(there: Path, here: Path) -> None:
    if there.is_dir():
        shutil.copytree(there, here, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(there, here)


def _make(cut: Cut, file: Path) -> None:
    file.write_text(cut_out(cut, file.read_text()))


def cut_out(cut: Cut, text: str) -> str:
    """Return a file's text with the cut made in it.

    Raises:
        MutantError: the text to replace is not there, or there more than once.
    """
    if text.count(cut.old) != 1:
        raise MutantError(
            f"{cut.file} has {cut.old!r} {text.count(cut.old)} times, not once: say again what is "
            "to be taken out"
        )
    return text.replace(cut.old, cut.new)
