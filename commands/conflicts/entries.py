"""Format conflicts: as rows of a list, in full with both items, and as JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from commands.conflicts.side_by_side import format_value, side_by_side
from handler.model.attribute_values import encode_binary
from handler.model.image import Item, application_attributes
from operate.conflicts.entries import ConflictEntry, member_of, side_document
from operate.conflicts.log_line import Side
from operate.conflicts.standing import Standing
from ring.text import counted

COLUMNS = ("id", "since", "key", "won", "lost", "by")
_NOT_LOGGED = "not in the log"


def plain_json(value: Any) -> Any:
    """Return a value with its binary as base64 text."""
    return json.loads(json.dumps(value, default=encode_binary))


def document_of(entry: ConflictEntry, members: Mapping[str, str]) -> dict[str, Any]:
    """Return a conflict as a JSON document."""
    document: dict[str, Any] = plain_json(
        {
            "id": entry.id,
            "key": entry.key,
            "since": entry.since,
            "hops": entry.hops,
            "won": side_document(entry.won, members),
            "lost": side_document(entry.lost, members),
            "by": vars(entry.margin),
        }
    )
    return document


def row_of(entry: ConflictEntry, members: Mapping[str, str]) -> Sequence[object]:
    """Return a conflict's row of the list."""
    return (
        entry.id,
        format_time(entry.since),
        format_key(entry.key),
        _side(entry.won, members),
        _side(entry.lost, members),
        _margin(entry),
    )


def format_time(seconds: float) -> str:
    """Format a time in seconds since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def format_key(key: Item) -> str:
    """Format a key."""
    return " ".join(f"{name}={format_value(value)}" for name, value in key.items())


def _side(side: Side, members: Mapping[str, str]) -> str:
    return f"{member_of(side, members)}{' (delete)' if side.is_delete else ''}"


def _margin(entry: ConflictEntry) -> str:
    margin = entry.margin
    words = {"counter": "0 s, counter", "member": "0 s, member's ID", "repair": "-"}
    return words.get(margin.decided_by, f"{margin.seconds} s")


def full_text(
    entry: ConflictEntry,
    members: Mapping[str, str],
    at: str,
    standing: Standing,
    width: int,
) -> Iterator[str]:
    """Yield the lines that show all of a conflict: what is known, and both items side by side."""
    hops = counted(len(entry.hops), "hop")
    stands = standing.is_winner(entry)
    for name, text in (
        ("conflict", f"{entry.id}, logged {format_time(entry.since)} by {hops}"),
        ("key", format_key(entry.key)),
        ("won", f"{_side(entry.won, members)}, written {_written(entry.won)}"),
        ("lost", f"{_side(entry.lost, members)}, written {_written(entry.lost)}"),
        ("by", _margin(entry)),
        ("now", f"{'what won' if stands else 'something else'} stands at {at}"),
    ):
        yield f"{name.ljust(8)}  {text}"
    won = entry.won.item
    if won is None and stands and standing.item is not None:
        won = application_attributes(standing.item)
    yield ""
    headings = (
        f"won: {member_of(entry.won, members)}",
        f"lost: {member_of(entry.lost, members)}",
    )
    yield from side_by_side(headings, [*_rows(entry, won)], width)
    yield from _notes(entry)


def _written(side: Side) -> str:
    seconds = side.version.seconds
    return format_time(seconds) if seconds else "at an unknown time"


def _rows(entry: ConflictEntry, won: Item | None) -> Iterator[tuple[str, str, str]]:
    sides = ((entry.won, won), (entry.lost, entry.lost.item))
    names = {name: None for _, item in sides for name in item or ()}
    names |= {name: None for side, _ in sides if side.cut for name in side.cut.left_out}
    if not names:
        names = dict.fromkeys(entry.key)
    for name in names:
        cells = [_cell(side, item, name, entry) for side, item in sides]
        yield name, cells[0], cells[1]


def _cell(side: Side, item: Item | None, name: str, entry: ConflictEntry) -> str:
    if side.is_delete:
        return "deleted"
    if name in entry.key:
        return format_value(entry.key[name])
    if side.cut and name in side.cut.left_out:
        about = side.cut.left_out[name]
        return f"{about['size']:,} bytes, not in the log; digest {about['digest']}"
    return _NOT_LOGGED if item is None else format_value(item.get(name))


def _notes(entry: ConflictEntry) -> Iterator[str]:
    if entry.lost.item is None and not entry.lost.is_delete:
        yield ""
        yield (
            "The log has no items: set `function.log_items: true` to have those of later conflicts."
        )
        yield (
            "The item that lost is in the stream of its member for 24 hours after it was written."
        )
    for name, side in (("won", entry.won), ("lost", entry.lost)):
        if side.cut is not None:
            yield ""
            yield (
                f"The item that {name} has {side.cut.size:,} bytes (digest {side.cut.digest}): too "
                "many for a log line."
            )


def item_rows(left: Item | None, right: Item | None) -> list[tuple[str, str, str]]:
    """Return the rows of two items side by side; None: there is none."""
    names = dict.fromkeys([*(left or ()), *(right or ())])
    return [(name, _of(left, name), _of(right, name)) for name in names]


def _of(item: Item | None, name: str) -> str:
    return "no item" if item is None else format_value(item.get(name))
