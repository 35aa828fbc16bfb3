"""How large an item is, by DynamoDB's own rule."""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

from handler.model.image import Item

LIMIT = 400 * 1024
"""In bytes, attribute names included."""


def size_of(item: Item) -> int:
    """An item's size in bytes; that of its numbers is an approximation, as in the rule itself.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B":
            return len(content.encode() if kind == "S" else content)
        case "N":
            return _number(content)
        case "SS" | "NS" | "BS":
            return sum(_size({kind[0]: member}) for member in content)
        case "L":
            return 3 + sum(1 + _size(member) for member in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(part) for name, part in content.items())
    return 1  # NULL and BOOL


def _number(text: str) -> int:
    """Two significant digits a byte, paired from the point on, one more byte, and one for a minus.

    The rule says "approximately"; this is how dynoxide and MiniStack count, too.
    """
    number = Decimal(text).normalize(Context(prec=38))
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    pairs = (len(digits) + exponent % 2 + 1) // 2 if number else 0
    return pairs + 1 + (number < 0)
