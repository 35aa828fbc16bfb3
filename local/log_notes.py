"""A handler's log lines about single keys, in words for a person who watches. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handler.model.version import Version
from ring.settings.errors import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_words(line: str, members: Mapping[str, str]) -> str:
    """Tell a log line in words; one that is none of the handler's, as it is.

    `members` are the members' names, by the ids that stand in versions.
    """
    try:
        fields = json.loads(line)
        return escape_unprintable(_WORDS[fields["event"]](fields, members))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return escape_unprintable(line)


def _conflict(fields: Mapping[str, Any], members: Mapping[str, str]) -> str:
    won, lost = (_write(fields[side], members) for side in ("won", "lost"))
    return f"conflict: {_key(fields['key'])}: {won} over {lost}"


def _quarantined(fields: Mapping[str, Any], _: Mapping[str, str]) -> str:
    key = _key(fields["record"]["dynamodb"]["Keys"])
    return f"set aside: {key}: {fields['reason']}: {fields['error']}"


def _failure(fields: Mapping[str, Any], _: Mapping[str, str]) -> str:
    count = "1 key" if fields["keys"] == 1 else f"{fields['keys']:,} keys"
    return f"failed ({fields['kind']}): {count}: {fields['code']}: {fields['error']}"


_WORDS = {"conflict": _conflict, "quarantined": _quarantined, "failure": _failure}


def _write(text: str, members: Mapping[str, str]) -> str:
    """A write, by its version: where it was made, and when."""
    version = Version.parse(text)
    if version is None:
        raise ValueError(f"{text!r} is no version")
    place = members.get(version.replica, version.replica)
    return f"{place} at {datetime.fromtimestamp(version.seconds, UTC):%H:%M:%S} UTC"


def _key(key: Mapping[str, Mapping[str, Any]]) -> str:
    return " ".join(f"{name}={next(iter(value.values()))}" for name, value in key.items())
