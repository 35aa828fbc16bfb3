"""Readable forms of a handler's log lines about single keys, for the live view. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handler.model.version import OPERATOR_REPLICA_ID, Version
from ring.text import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping


def describe(line: str, members: Mapping[str, str]) -> str:
    """Describe a log line; a line in another format is returned unchanged.

    `members` are the members' names, by the replica IDs used in versions.
    """
    try:
        fields = json.loads(line)
        return escape_unprintable(_DESCRIPTIONS[fields["event"]](fields, members))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return escape_unprintable(line)


def _conflict(fields: Mapping[str, Any], members: Mapping[str, str]) -> str:
    won, lost = (_write(fields[side], members) for side in ("won", "lost"))
    return f"conflict: {_key(fields['key'])}: {won} won over {lost}"


def _quarantined(fields: Mapping[str, Any], _: Mapping[str, str]) -> str:
    return f"quarantined: record {fields['record']}: {fields['reason']}: {fields['error']}"


def _failure(fields: Mapping[str, Any], _: Mapping[str, str]) -> str:
    count = "1 key" if fields["keys"] == 1 else f"{fields['keys']:,} keys"
    return f"failed ({fields['kind']}): {count}: {fields['code']}: {fields['error']}"


_DESCRIPTIONS = {"conflict": _conflict, "quarantined": _quarantined, "failure": _failure}


def _write(text: str, members: Mapping[str, str]) -> str:
    """Describe a write by its version: its member and time.

    A repair of items of which none has a version makes one without a time.
    """
    version = Version.from_text(text)
    if version is None:
        raise ValueError(f"{text!r} is not a version")
    member = {**members, OPERATOR_REPLICA_ID: "a repair"}.get(version.replica, version.replica)
    if not version.seconds:
        return member
    return f"{member} at {datetime.fromtimestamp(version.seconds, UTC):%H:%M:%S} UTC"


def _key(key: Mapping[str, Mapping[str, Any]]) -> str:
    return " ".join(f"{name}={next(iter(value.values()), '')}" for name, value in key.items())
