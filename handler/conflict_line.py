"""Log line of a conflict: the key, both versions and origins and, if wanted, both items.

`automate.py conflicts` reads these lines. In all lines about one write that lost, from whichever
hop, `key` and the replica and sequence in `lost` are the same. Versions are texts
(`handler.model.version`), values are DynamoDB's JSON: binary is base64 text.

An item is cut to `MAX_ITEM_BYTES`, the largest attributes first, whose sizes and digests are named:
Lambda splits a line of more than 256 KB into two events, neither of which is JSON, and two items
may have 400 KB each. To keep them whole in the quarantine would be a write for each conflict
(docs/decisions/0015-conflicts-are-read-from-the-log.md).
"""

import json
from collections.abc import Mapping
from typing import Any

from handler.model.attribute_values import encode_binary
from handler.model.image import (
    DELETED,
    SOURCE_REGION,
    SOURCE_TABLE,
    Item,
    application_attributes,
    digest,
)
from handler.protocol.hop import Conflict

MAX_ITEM_BYTES = 100_000
"""Bytes of JSON that a line has of each item. With a key of 3 KB, twelve times as long if each of
its characters is escaped, and the names of what was left out, the line has less than 256 KB."""
_MAX_NAMES_BYTES = 10_000
"""Bytes of JSON that a line has about the attributes left out of each item."""

Line = dict[str, Any]


def conflict_line(conflict: Conflict, logs_items: bool) -> Line:
    """Return the fields of a conflict's line; with the contents of its items if `logs_items`."""
    line = {
        "key": conflict.key,
        "won": None if conflict.won is None else str(conflict.won),
        "won_origin": _origin(conflict.winner),
        "won_deleted": _is_delete(conflict.winner),
        "lost": str(conflict.lost),
        "lost_origin": _origin(conflict.loser),
        "lost_deleted": _is_delete(conflict.loser),
    }
    if logs_items:
        line |= _contents("won", conflict.winner) | _contents("lost", conflict.loser)
    return line


def _origin(item: Item | None) -> str | None:
    """Return the region and table of a write's origin; None: not known, as of a new local write."""
    if item is None or SOURCE_REGION not in item:
        return None
    return "/".join(item.get(name, {}).get("S", "") for name in (SOURCE_REGION, SOURCE_TABLE))


def _is_delete(item: Item | None) -> bool | None:
    return None if item is None else item.get(DELETED) == {"BOOL": True}


def _contents(side: str, item: Item | None) -> Line:
    """Return the fields with one side's item, and what was cut off it."""
    if item is None:
        return {f"{side}_item": None}
    attributes = application_attributes(item)
    sizes = {name: _size({name: value}) for name, value in attributes.items()}
    if sum(sizes.values()) <= MAX_ITEM_BYTES:
        return {f"{side}_item": attributes}
    kept, left_out, budget = {}, {}, MAX_ITEM_BYTES
    for name in sorted(sizes, key=lambda each: sizes[each]):
        budget -= sizes[name]
        if budget >= 0:
            kept[name] = attributes[name]
        else:
            left_out[name] = {"size": sizes[name], "digest": digest({name: attributes[name]})}
    cut = {"size": sum(sizes.values()), "digest": digest(item), **_named(left_out)}
    return {f"{side}_item": kept, f"{side}_cut": cut}


def _named(left_out: Mapping[str, Any]) -> Line:
    """Return what was left out by name, and the number of those for which there is no room."""
    named, budget = {}, _MAX_NAMES_BYTES
    for name, about in left_out.items():
        budget -= _size({name: about})
        if budget >= 0:
            named[name] = about
    return {"left_out": named, "more": len(left_out) - len(named)}


def _size(part: Mapping[str, Any]) -> int:
    return len(json.dumps(part, default=encode_binary))
