"""Calculate capacity units as DynamoDB does. Pure.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from local.data.item_size import item_size

Value = Mapping[str, Any]
Attributes = Mapping[str, Value]
"""An item as DynamoDB's JSON has it: binary values as base64 text, or as bytes."""

_WRITE_BYTES = 1024
_READ_BYTES = 4096


def write_units(before: Attributes | None, after: Attributes | None) -> int:
    """Return the units of a write to a table or an index: one per KB of the larger image.

    A write that changes nothing, fails its condition, or deletes a missing item takes one unit.
    """
    size = max(item_size(image) if image else 0 for image in (before, after))
    return max(1, math.ceil(size / _WRITE_BYTES))


def index_units(before: Attributes | None, after: Attributes | None, keys: list[str]) -> int:
    """Return the units of a write in an index, given the projected images.

    One entry is put, changed or deleted; if its keys change, one is deleted and one is put.
    """
    old = before if before and all(key in before for key in keys) else None
    new = after if after and all(key in after for key in keys) else None
    if old == new:
        return 0
    if old and new and any(old[key] != new[key] for key in keys):
        return write_units(old, None) + write_units(None, new)
    return write_units(old, new)


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of a read: one per block of 4 KB, rounded up; half if not consistent."""
    blocks = max(1, math.ceil(size / _READ_BYTES))
    return float(blocks) if consistent else blocks / 2
