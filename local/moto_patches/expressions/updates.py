"""Evaluate update expressions as DynamoDB does: by value, and exactly.

moto assigns an attribute's value itself, not a copy: after `SET y = x`, a change of a part of `y`
changes `x` as well. Its sums lose the digits after the 28th, and it cannot read exponents.
DynamoDB's numbers have up to 38 digits; what does not fit is an error:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Context, Decimal, DecimalException, Inexact, Overflow, Subnormal
from typing import Any
from unittest.mock import patch

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.validators import ExpressionPathResolver

_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Overflow, Subnormal, Inexact])
_PROBLEMS: dict[type[DecimalException], str] = {
    Overflow: "Number overflow. Attempting to store a number with magnitude larger than "
    "supported range",
    Subnormal: "Number underflow. Attempting to store a number with magnitude smaller than "
    "supported range",
    Inexact: "Attempting to store more than 38 significant digits in a Number",
}
"""DynamoDB's words; an overflow is inexact, too, so the order counts."""

_resolve = ExpressionPathResolver.resolve_expression_path
_add = DynamoType.__add__
_subtract = DynamoType.__sub__


def _resolve_copy(resolver: ExpressionPathResolver, item: Any, path: Any) -> Any:
    """Find the value of a path in an expression, and return a copy of it."""
    return copy.deepcopy(_resolve(resolver, item, path))


def _exact(
    operation: Callable[[DynamoType, DynamoType], DynamoType],
    compute: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[DynamoType, DynamoType], DynamoType]:
    """Wrap an operation to compute with numbers exactly; all else is moto's affair."""

    @functools.wraps(operation)
    def computed(left: DynamoType, right: DynamoType) -> DynamoType:
        if not (left.is_number() and right.is_number()):
            return operation(left, right)
        try:
            result = _NUMBERS.normalize(compute(Decimal(left.value), Decimal(right.value)))
        except tuple(_PROBLEMS) as error:
            problem = next(text for kind, text in _PROBLEMS.items() if isinstance(error, kind))
            raise MockValidationException(problem) from error
        return DynamoType({"N": f"{result:f}"})

    return computed


@contextmanager
def updates_by_value() -> Iterator[None]:
    """Assign copies, and compute exactly, while the context lasts."""
    with ExitStack() as changes:
        for owner, name, ours in (
            (ExpressionPathResolver, "resolve_expression_path", _resolve_copy),
            (DynamoType, "__add__", _exact(_add, _NUMBERS.add)),
            (DynamoType, "__sub__", _exact(_subtract, _NUMBERS.subtract)),
        ):
            changes.enter_context(patch.object(owner, name, ours))
        yield
