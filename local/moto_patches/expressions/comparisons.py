"""Compare values of two types as DynamoDB does: neither is less than the other.

In moto such a comparison fails with an internal error, so that a request with a condition on an
attribute would never succeed where an application gave that attribute another type. "If an item
contains an AttributeValue element of a different type than the one provided in the request, the
value does not match":
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb import comparisons

_ORDERED = (
    comparisons.OpLessThan,
    comparisons.OpLessThanOrEqual,
    comparisons.OpGreaterThan,
    comparisons.OpGreaterThanOrEqual,
)


def _of_one_type(compare: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(compare)
    def compared(operator: Any, item: Any) -> bool:
        types = {_type(side, item) for side in (operator.lhs, operator.rhs)}
        return len(types) == 1 and compare(operator, item)

    return compared


def _type(side: Any, item: Any) -> Any:
    """Return the type of one side; `size(attribute)` is a number."""
    return "N" if isinstance(side, comparisons.FuncSize) else side.get_type(item)


@contextmanager
def comparisons_by_type() -> Iterator[None]:
    """Compare as DynamoDB does, while the context lasts."""
    with ExitStack() as changes:
        for operator in _ORDERED:
            ours = _of_one_type(operator.expr)
            changes.enter_context(patch.object(operator, "expr", ours))
        yield
