"""Compare values by their types, as DynamoDB does.

In moto `true` equals 1, null equals an absent attribute, and a comparison that Python does not know
fails with an internal error, so that a request with a condition on an attribute would never succeed
where an application gave that attribute another type. "If an item contains an AttributeValue
element of a different type than the one provided in the request, the value does not match":
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from moto.dynamodb import comparisons
from moto.dynamodb.models.dynamo_type import DynamoType

_ORDERED = ("S", "N", "B")
_SIZED = ("S", "B", "SS", "NS", "BS", "L", "M")
_Value = tuple[str, Any]
"""A type and a value. Two of them are equal if they are for DynamoDB."""


def _value(kind: str, content: Any) -> _Value:
    if kind == "N":
        return kind, Decimal(content)
    if kind == "NS":
        return kind, frozenset(map(Decimal, content))
    if kind in ("SS", "BS"):
        return kind, frozenset(content)
    if kind == "L":
        return kind, [_attribute_value(element) for element in content]
    if kind == "M":
        return kind, {name: _attribute_value(element) for name, element in content.items()}
    return kind, content


def _attribute_value(attribute: DynamoType | dict[str, Any]) -> _Value:
    """Return the value of an attribute, moto's or a request's."""
    if isinstance(attribute, DynamoType):
        return _value(attribute.type, attribute.value)
    ((kind, content),) = attribute.items()
    return _value(kind, content)


def _operand(side: Any, item: Any) -> _Value | None:
    """Return the value of an operand; None if it is an attribute that is absent."""
    if isinstance(side, comparisons.FuncSize):
        return _size(side, item)
    if isinstance(side, comparisons.AttributeValue):
        return _value(side.type, side.value)
    attribute = side._get_attr(item)
    return None if attribute is None else _attribute_value(attribute)


def _size(function: comparisons.FuncSize, item: Any) -> _Value | None:
    """Return the size of an operand; None if it is absent or its type has no size."""
    value = _operand(function.attr, item)
    if value is None or value[0] not in _SIZED:
        return None
    return "N", Decimal(len(value[1]))


def _equal(comparison: Any, item: Any) -> bool:
    value = _operand(comparison.lhs, item)
    return value is not None and value == _operand(comparison.rhs, item)


def _not_equal(comparison: Any, item: Any) -> bool:
    return not _equal(comparison, item)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(comparison: Any, item: Any) -> bool:
        return _in_order(compare, _operand(comparison.lhs, item), _operand(comparison.rhs, item))

    return compared


def _in_order(
    compare: Callable[[Any, Any], bool], left: _Value | None, right: _Value | None
) -> bool:
    """Compare two values, if both have the same type and that is ordered."""
    if left is None or right is None or left[0] != right[0] or left[0] not in _ORDERED:
        return False
    return compare(left[1], right[1])


def _between(function: Any, item: Any) -> bool:
    value = _operand(function.attr, item)
    start, end = _operand(function.start, item), _operand(function.end, item)
    return _in_order(operator.le, start, value) and _in_order(operator.le, value, end)


def _one_of(function: Any, item: Any) -> bool:
    value = _operand(function.attr, item)
    return value is not None and any(
        value == _operand(one, item) for one in function.possible_values
    )


def _contains(function: Any, item: Any) -> bool:
    """Find an element in a list or a set, or a text in a text."""
    value, sought = _operand(function.attr, item), _operand(function.operand, item)
    if value is None or sought is None:
        return False
    if value[0] == "L":
        return sought in value[1]
    fits = value[0] == sought[0] == "S" or value[0] == f"{sought[0]}S"
    return fits and sought[1] in value[1]


def _same(attribute: DynamoType, other: DynamoType) -> bool:
    if attribute.type == other.type == "S":
        return bool(attribute.value == other.value)
    return _attribute_value(attribute) == _attribute_value(other)


def _other(attribute: DynamoType, other: DynamoType) -> bool:
    return not _same(attribute, other)


@contextmanager
def comparisons_by_type() -> Iterator[None]:
    """Compare as DynamoDB does, while the context lasts."""
    with ExitStack() as changes:
        for owner, name, ours in (
            (comparisons.OpEqual, "expr", _equal),
            (comparisons.OpNotEqual, "expr", _not_equal),
            (comparisons.OpLessThan, "expr", _compared(operator.lt)),
            (comparisons.OpLessThanOrEqual, "expr", _compared(operator.le)),
            (comparisons.OpGreaterThan, "expr", _compared(operator.gt)),
            (comparisons.OpGreaterThanOrEqual, "expr", _compared(operator.ge)),
            (comparisons.FuncBetween, "expr", _between),
            (comparisons.FuncIn, "expr", _one_of),
            (comparisons.FuncContains, "expr", _contains),
            (DynamoType, "__eq__", _same),
            (DynamoType, "__ne__", _other),
        ):
            changes.enter_context(patch.object(owner, name, ours))
        yield
