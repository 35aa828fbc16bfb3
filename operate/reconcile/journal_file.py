"""A journal's file: known by its header, and never taken from anybody else.

What an SQLite file says of itself stands in its first 100 bytes, which are read as bytes here:
SQLite itself may write beside a database, or into it, as soon as it opens one.
https://www.sqlite.org/fileformat.html#the_database_header
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from operate.errors import InvalidRequestError

APPLICATION = 0x52696E67
"""Marks a database as a journal of this program (`Ring` in ASCII):
https://www.sqlite.org/pragma.html#pragma_application_id"""
VERSION = 2
"""Of a journal's tables."""

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_INSTEAD = "Name another file with --journal"


def find(path: Path) -> bool:
    """Tell whether a journal is there that can be gone on with. Nothing is opened for writing.

    Raises:
        InvalidRequestError: another file is there, or a journal that another version has made.
        OSError: it cannot be read.
    """
    if not path.exists():
        if beside := [file for file in side_files(path) if file.exists()]:
            raise InvalidRequestError(
                f"{beside[0]} is there without {path}, to which SQLite would take it to belong. "
                f"{_INSTEAD}, or delete it if nobody needs it."
            )
        return False
    if not path.is_file():
        raise InvalidRequestError(
            f"{path} is no file, so no journal can be kept there. {_INSTEAD}."
        )
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if what := _strange(header):
        raise InvalidRequestError(
            f"{path} is no journal of this program: {what}. It was not touched. {_INSTEAD}, "
            "or delete it if nobody needs it."
        )
    if (version := _number(header, 60)) != VERSION:
        raise InvalidRequestError(
            f"{path} is a journal of another version of this program ({version}; this one has "
            f"{VERSION}), and was not touched. Finish what it is of with that version, or delete "
            "it and begin from the start, which does no harm to what is done."
        )
    return True


def claim(path: Path) -> None:
    """Make an empty journal where nothing is, marked as one from its first byte on.

    Raises OSError, or sqlite3.Error, and leaves nothing there.
    """
    path.open("xb").close()
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
            db.executescript(
                f"BEGIN EXCLUSIVE; PRAGMA application_id={APPLICATION};"
                f"PRAGMA user_version={VERSION}; COMMIT;"
            )
    except sqlite3.Error:
        path.unlink(missing_ok=True)
        raise


def side_files(path: Path) -> Sequence[Path]:
    """The files that SQLite keeps beside a database.

    https://www.sqlite.org/tempfiles.html
    """
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]


def _strange(header: bytes) -> str:
    """What a file is that is no journal; empty if it is one."""
    if not header:
        return "it is empty"
    if not header.startswith(_MAGIC):
        return "it is no SQLite database"
    if len(header) < _HEADER:
        return "it ends in the midst of its header"
    return "" if _number(header, 68) == APPLICATION else "another program has made it"


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
