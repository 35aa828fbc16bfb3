"""Sizes of items in bytes, by DynamoDB's rules. Pure.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

LIMIT = 400 * 1024
"""Bytes of an item, attribute names included:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""
_DIGITS = Context(prec=38)


def item_size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes of an item's attribute names and values. Binary may be bytes or base64 text."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B" | "N":
            return _SCALARS[kind](content)
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: member}) for member in content)
        case "L":
            return 3 + sum(1 + _value_size(member) for member in content)
        case "M":
            return 3 + sum(
                1 + len(name.encode()) + _value_size(member) for name, member in content.items()
            )
    return 1  # NULL and BOOL


def _binary_size(content: bytes | str) -> int:
    if isinstance(content, bytes):
        return len(content)
    return len(content) * 3 // 4 - content[-2:].count("=")


def _number_size(text: str) -> int:
    """Two significant digits a byte, paired from the point on, one more byte, and one for a minus.

    The rule says "approximately"; this is how dynoxide and MiniStack count, too.
    """
    number = Decimal(text).normalize(_DIGITS)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    pairs = (len(digits) + exponent % 2 + 1) // 2 if number else 0
    return pairs + 1 + (number < 0)


_SCALARS: Mapping[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "B": _binary_size,
    "N": _number_size,
}
