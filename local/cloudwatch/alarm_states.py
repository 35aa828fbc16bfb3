"""What CloudWatch makes of an alarm and of values: as much of it as the ring's alarms use.

Anything else raises ``NotKnownHereError``, so that no alarm of another kind is judged by chance.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

Two things are simpler here. Periods end with the values; CloudWatch looks every minute. And where
values are missing it may look further back than the evaluation periods; AWS does not say how far.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Datapoints = Callable[[Mapping[str, Any], str, int], Sequence[float | None]]
"""Given a metric (its names and period), a statistic and a number of periods: the value of each
period, oldest first; None where nothing came in it. Raises ``NotKnownHereError``."""

_OPERATIONS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.And: lambda a, b: a != 0 and b != 0,
    ast.Eq: lambda a, b: a == b,
    ast.Gt: lambda a, b: a > b,
}


class NotKnownHereError(Exception):
    """The alarm uses something of CloudWatch's that is not told here."""


def state(alarm: Mapping[str, Any], datapoints: Datapoints) -> str:
    """The state of an alarm, by its inputs as a program declares it."""
    if alarm["comparisonOperator"] != "GreaterThanThreshold":
        raise NotKnownHereError(alarm["comparisonOperator"])
    values = _values(alarm, datapoints, int(alarm["evaluationPeriods"]))
    real = [value for value in values if value is not None]
    if len(real) < len(values) and alarm["treatMissingData"] != "notBreaching":
        # Either may also go on with what it has; which, hangs on how far CloudWatch looks back.
        if real or alarm["treatMissingData"] != "missing":
            raise NotKnownHereError(f"values that are missing and {alarm['treatMissingData']}")
        return "INSUFFICIENT_DATA"
    breaching = sum(value > alarm["threshold"] for value in real)
    return "ALARM" if breaching >= alarm["datapointsToAlarm"] else "OK"


def _values(
    alarm: Mapping[str, Any], datapoints: Datapoints, periods: int
) -> Sequence[float | None]:
    """The values that an alarm looks at; None: there is none."""
    if not alarm.get("metricQueries"):
        return datapoints(alarm, alarm["statistic"], periods)
    (returned,) = (query for query in alarm["metricQueries"] if query["returnData"])
    series = {
        query["id"]: datapoints(query["metric"], query["metric"]["stat"], periods)
        for query in alarm["metricQueries"]
        if query is not returned
    }
    # AND is Python's `and`; all else that is known here is spelled alike.
    expression = ast.parse(re.sub(r"\bAND\b", "and", returned["expression"]), mode="eval").body
    return [
        _value(expression, {name: values[at] for name, values in series.items()})
        for at in range(periods)
    ]


def _value(node: ast.expr, here: Mapping[str, float | None]) -> float | None:
    """What an expression comes to in one period. What is missing makes all missing but FILL."""
    match node:
        case ast.Constant(int() | float() as number):
            return number
        case ast.Name(name):
            return here[name]
        case ast.Call(ast.Name("FILL"), [metric, number]):
            value = _value(metric, here)
            return _value(number, here) if value is None else value
        case ast.Call(ast.Name("IF"), [condition, yes, no]):
            return _of(lambda one: _value(yes if one else no, here), _value(condition, here))
        case (
            ast.BinOp(left, sign, right)
            | ast.BoolOp(sign, [left, right])
            | ast.Compare(left, [sign], [right])
        ) if type(sign) in _OPERATIONS:
            return _of(_OPERATIONS[type(sign)], _value(left, here), _value(right, here))
    raise NotKnownHereError(ast.unparse(node))


def _of(operation: Callable[..., float | None], *values: float | None) -> float | None:
    return None if None in values else operation(*values)
