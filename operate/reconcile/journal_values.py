"""Values in a journal's rows, and errors of a file that is damaged, locked or not writable."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from handler.model.attribute_values import from_json
from handler.model.image import Key
from operate.errors import InvalidRequestError, OperateError, OperationFailedError
from operate.reconcile.difference_kinds import KeyFingerprints
from operate.reconcile.fingerprints import key_of, key_text


class DamageError(Exception):
    """The file's content is not what this program wrote."""


def journal_error(path: Path, error: Exception) -> OperateError:
    """Return the error to raise for an SQLite or file system error."""
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return InvalidRequestError(f"Another command has {path} open. Wait for it to end.")
    if isinstance(error, sqlite3.OperationalError | OSError) and not _is_damage(error):
        return OperationFailedError(
            f"{path} cannot be written: {error}. Name another file with --journal, or "
            "free disk space."
        )
    return OperationFailedError(
        f"{path} is damaged: {error}. Its progress is lost: delete it and run the same "
        "command again. It starts over, which is safe: finished work stays as it is."
    )


def _is_damage(error: Exception) -> bool:
    """Return whether an operational error of SQLite comes from damaged content."""
    return isinstance(error, sqlite3.OperationalError) and any(
        words in str(error) for words in ("no such table", "no such column", "decode")
    )


def is_key(text: str) -> bool:
    """Return whether a text is that of a key; see `fingerprints.key_text`."""
    try:
        return all(from_json(value) for value in json.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False


def checked_key(text: str) -> str:
    """Return the text of a key. Raises `DamageError` if it is none."""
    if not is_key(text):
        raise DamageError(f"{text[:100]!r} is not a key")
    return text


def states_of(text: str) -> list[KeyFingerprints]:
    """Parse the states of a key's members. Raises `DamageError`."""
    try:
        return [KeyFingerprints(*state) for state in json.loads(text)]
    except (ValueError, TypeError) as error:
        raise DamageError(f"{text[:100]!r} is not a list of member states") from error


def position_text(position: Key) -> str:
    """Return a position as a text: a list of its attributes' names, and one of their values.

    As lists, no attribute's name can collide with a key of the journal's own JSON.
    """
    names = list(position)
    return json.dumps([names, key_text(position, names)])


def position_of(text: str) -> Key:
    """Parse a position. Raises `DamageError`."""
    try:
        names, values = json.loads(text)
        return key_of(values, names)
    except (ValueError, TypeError) as error:
        raise DamageError(f"{text[:100]!r} is not a position in a table") from error
