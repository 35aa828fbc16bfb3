"""Find or create a journal's file. Its header identifies it; no other file is ever touched.

The first 100 bytes of an SQLite file describe it. They are read as bytes here, because SQLite may
write to a database, or to files next to it, as soon as it opens one.
https://www.sqlite.org/fileformat.html#the_database_header
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from operate.errors import InvalidRequestError

APPLICATION = 0x52696E67
"""Marks a database as a journal of this program (`Ring` in ASCII):
https://www.sqlite.org/pragma.html#pragma_application_id"""
VERSION = 3
"""Version of a journal's schema."""

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_INSTEAD = "Name another file with --journal"


def find(path: Path) -> bool:
    """Return whether there is a journal to resume. Opens nothing for writing.

    Raises:
        InvalidRequestError: The file is not a journal, or another version's.
        OSError: The file cannot be read.
    """
    if not path.exists():
        if leftovers := [file for file in side_files(path) if file.exists()]:
            raise InvalidRequestError(
                f"{leftovers[0]} exists without {path}; SQLite would read it as part of that file. "
                f"{_INSTEAD}, or delete it if nobody needs it."
            )
        return False
    if not path.is_file():
        raise InvalidRequestError(
            f"{path} is not a file, so it cannot hold the checkpoint. {_INSTEAD}."
        )
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if reason := _foreign_reason(header):
        raise InvalidRequestError(
            f"{path} is not a checkpoint file: {reason}. It was not touched. {_INSTEAD}, "
            "or delete it if nobody needs it."
        )
    if (version := _number(header, 60)) != VERSION:
        raise InvalidRequestError(
            f"{path} is a checkpoint file of another version of this program ({version}; this one "
            f"has {VERSION}), and was not touched. Finish its operation with that version, or "
            "delete it and start over, which is safe: finished work stays as it is."
        )
    return True


def claim(path: Path) -> None:
    """Create an empty journal at a path that does not exist yet, with its header complete.

    Raises:
        OSError: The file cannot be created, or exists.
        sqlite3.Error: The header cannot be written. The file is deleted again, as it is after
            Ctrl-C: an empty file would be refused by the next run.
    """
    path.open("xb").close()
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
            db.executescript(
                f"BEGIN EXCLUSIVE; PRAGMA application_id={APPLICATION};"
                f"PRAGMA user_version={VERSION}; COMMIT;"
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def age_of(path: Path) -> float:
    """Return the seconds since a journal was written last."""
    files = [file for file in (path, *side_files(path)) if file.exists()]
    return time.time() - max(file.stat().st_mtime for file in files)


def side_files(path: Path) -> Sequence[Path]:
    """Return the files that SQLite keeps next to a database.

    https://www.sqlite.org/tempfiles.html
    """
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]


def _foreign_reason(header: bytes) -> str:
    """Return why a file is not a journal; empty if it is one."""
    if not header:
        return "it is empty"
    if not header.startswith(_MAGIC):
        return "it is not an SQLite database"
    if len(header) < _HEADER:
        return "it ends within its header"
    return "" if _number(header, 68) == APPLICATION else "another program made it"


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
