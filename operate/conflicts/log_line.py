"""Parse the log lines that hops write of conflicts (`handler.conflict_line`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.model.image import Item, Key
from handler.model.records import read_item
from handler.model.version import Version
from operate.untrusted_json import MalformedJsonError, fields_of, read_json


@dataclass(frozen=True)
class Cut:
    """What a log line has of an item that is too large for it.

    `size` is in bytes of JSON; `digest` is that of the item, as versions have it. `left_out` are
    the attributes that are missing, with their sizes and digests, and `more` the number of those
    that are not even named.
    """

    size: int
    digest: str
    left_out: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    more: int = 0


@dataclass(frozen=True)
class Side:
    """One of the two writes of a conflict.

    `origin` is the region and table where it was made, if the hop knew. `item` has the
    application's attributes, without those of `cut`; None: the log has no contents.
    """

    version: Version
    origin: str | None = None
    is_delete: bool | None = None
    item: Item | None = None
    cut: Cut | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the log has all that the write left."""
        return bool(self.is_delete) or (self.item is not None and self.cut is None)


@dataclass(frozen=True)
class ConflictLine:
    """A conflict as one hop saw it, at a time in seconds since the epoch."""

    hop: str
    time: float
    key: Key
    won: Side
    lost: Side


def parse_line(text: str, time: float) -> ConflictLine | None:
    """Parse a log line; None: it is not one of a conflict.

    Raises:
        MalformedJsonError: it is incomplete or malformed, or its winner has no version.
    """
    document = read_json(text)
    if not isinstance(document, dict) or document.get("event") != "conflict":
        return None
    hop, key = fields_of(document, hop=str, key=dict)
    try:
        return ConflictLine(
            hop, time, read_item(key), _side(document, "won"), _side(document, "lost")
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedJsonError(f"{type(error).__name__}: {error}") from error


def _side(document: Mapping[str, Any], name: str) -> Side:
    version = Version.from_text(document.get(name))
    if version is None:
        raise ValueError(f"`{name}` is not a version")
    item, cut = document.get(f"{name}_item"), document.get(f"{name}_cut")
    return Side(
        version,
        _optional(document.get(f"{name}_origin"), str),
        _optional(document.get(f"{name}_deleted"), bool),
        None if item is None else read_item(item),
        None if cut is None else _cut(cut),
    )


def _optional(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None


def _cut(document: Any) -> Cut:
    size, of_item, left_out, more = fields_of(
        document, size=int, digest=str, left_out=dict, more=int
    )
    for about in left_out.values():
        fields_of(about, size=int, digest=str)
    return Cut(size, of_item, left_out, more)
