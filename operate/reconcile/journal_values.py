"""Values in a journal's rows, and errors of a file that is damaged, locked or not writable."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

from handler.model.attribute_values import from_json
from handler.model.image import Key
from operate.errors import InvalidRequestError, OperateError, OperationFailedError
from operate.reconcile.difference_kinds import KeyFingerprints
from operate.reconcile.fingerprints import key_of, key_text

_MALFORMED = (ValueError, TypeError, AttributeError, RecursionError)


class DamageError(Exception):
    """The file's content is not what this program wrote."""


class RowShape(NamedTuple):
    """Number of parts that each key has, and of members whose states it has. None: any."""

    key_parts: int | None = None
    members: int | None = None


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


def is_key(text: str, parts: int | None = None) -> bool:
    """Return whether a text is that of a key (`fingerprints.key_text`), with so many parts."""
    try:
        values = [from_json(value) for value in json.loads(text)]
    except _MALFORMED:
        return False
    return parts in (None, len(values))


def are_states(value: Any, members: int | None = None) -> bool:
    """Return whether a value read from JSON is a list of states, of so many members."""
    return isinstance(value, list) and members in (None, len(value)) and all(map(_is_state, value))


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == len(KeyFingerprints._fields)
        and all(mark is None or isinstance(mark, str) for mark in value)
    )


def suspect_of(
    row: tuple[int, str, str | None], shape: RowShape
) -> tuple[int, str, list[KeyFingerprints] | None]:
    """Return a suspect with its states parsed. Raises `DamageError`, also for another shape."""
    number, key, states = row
    if not is_key(key, shape.key_parts):
        raise DamageError(f"{key[:100]!r} is not a key of these tables")
    return number, key, _states_of(states, shape.members) if states else None


def _states_of(text: str, members: int | None) -> list[KeyFingerprints]:
    try:
        states = json.loads(text)
    except _MALFORMED as error:
        raise DamageError(f"{text[:100]!r} is not a list of member states") from error
    if not are_states(states, members):
        raise DamageError(f"{text[:100]!r} is not a list of member states")
    return [KeyFingerprints(*state) for state in states]


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
    except _MALFORMED as error:
        raise DamageError(f"{text[:100]!r} is not a position in a table") from error
