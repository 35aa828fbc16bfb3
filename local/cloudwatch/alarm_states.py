"""Evaluate an alarm as CloudWatch does, for the features that the ring's alarms use.

Any other feature raises `UnsupportedAlarmError`, so that no alarm gets an accidental state.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

Two things are simpler. Periods end at the time of evaluation; CloudWatch evaluates every minute.
And where values are missing CloudWatch may use older ones than those of the evaluation periods; AWS
does not document how old.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Datapoints = Callable[[Mapping[str, Any], str, int], Sequence[float | None]]
"""Given a metric (its names and period), a statistic and a number of periods: the value of each
period, oldest first; None where there is no data. Raises `UnsupportedAlarmError`."""

_OPERATIONS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.And: lambda a, b: a != 0 and b != 0,
    ast.Eq: lambda a, b: a == b,
    ast.Gt: lambda a, b: a > b,
}


class UnsupportedAlarmError(Exception):
    """The alarm uses a feature of CloudWatch that is not implemented."""


def state(alarm: Mapping[str, Any], datapoints: Datapoints) -> str:
    """Return the state of an alarm, given its inputs as a program declares them."""
    if alarm["comparisonOperator"] != "GreaterThanThreshold":
        raise UnsupportedAlarmError(alarm["comparisonOperator"])
    values = _values(alarm, datapoints, int(alarm["evaluationPeriods"]))
    real = [value for value in values if value is not None]
    if len(real) < len(values) and alarm["treatMissingData"] != "notBreaching":
        # CloudWatch may also use the values that there are; this depends on how far it looks back.
        if real or alarm["treatMissingData"] != "missing":
            raise UnsupportedAlarmError(f"values that are missing and {alarm['treatMissingData']}")
        return "INSUFFICIENT_DATA"
    breaching = sum(value > alarm["threshold"] for value in real)
    return "ALARM" if breaching >= alarm["datapointsToAlarm"] else "OK"


def _values(
    alarm: Mapping[str, Any], datapoints: Datapoints, periods: int
) -> Sequence[float | None]:
    """Return the value of each period; None where there is none."""
    if not alarm.get("metricQueries"):
        return datapoints(alarm, alarm["statistic"], periods)
    (returned,) = (query for query in alarm["metricQueries"] if query["returnData"])
    series = {
        query["id"]: datapoints(query["metric"], query["metric"]["stat"], periods)
        for query in alarm["metricQueries"]
        if query is not returned
    }
    # AND is Python's `and`; the other supported operators have the same spelling.
    expression = ast.parse(re.sub(r"\bAND\b", "and", returned["expression"]), mode="eval").body
    return [
        _value(expression, {name: values[period] for name, values in series.items()})
        for period in range(periods)
    ]


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    """Evaluate an expression in one period. A missing operand makes it missing, except in FILL."""
    match node:
        case ast.Constant(int() | float() as number):
            return number
        case ast.Name(name):
            return values[name]
        case ast.Call(ast.Name("FILL"), [metric, number]):
            value = _value(metric, values)
            return _value(number, values) if value is None else value
        case ast.Call(ast.Name("IF"), [condition, yes, no]):
            return _apply(
                lambda holds: _value(yes if holds else no, values), _value(condition, values)
            )
        case (
            ast.BinOp(left, sign, right)
            | ast.BoolOp(sign, [left, right])
            | ast.Compare(left, [sign], [right])
        ) if type(sign) in _OPERATIONS:
            return _apply(_OPERATIONS[type(sign)], _value(left, values), _value(right, values))
    raise UnsupportedAlarmError(ast.unparse(node))


def _apply(operation: Callable[..., float | None], *operands: float | None) -> float | None:
    return None if None in operands else operation(*operands)
