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

Samples = Sequence[Sequence[float]]
"""What was told of a metric: of each minute, oldest first, what came in it."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "SampleCount": len,
    "Average": lambda samples: sum(samples) / len(samples),
}
_OPERATIONS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.And: lambda a, b: a != 0 and b != 0,
    ast.Eq: lambda a, b: a == b,
    ast.Gt: lambda a, b: a > b,
}


class NotKnownHereError(Exception):
    """The alarm uses something of CloudWatch's that is not told here."""


def state(alarm: Mapping[str, Any], told: Mapping[str, Samples]) -> str:
    """The state of an alarm, by its inputs as it is deployed, after what was told by metric's name.

    A metric of which nothing was told has no values.
    """
    if alarm["comparisonOperator"] != "GreaterThanThreshold":
        raise NotKnownHereError(alarm["comparisonOperator"])
    values = _values(alarm, told, int(alarm["evaluationPeriods"]))
    real = [value for value in values if value is not None]
    if len(real) < len(values) and alarm["treatMissingData"] != "notBreaching":
        # Either may also go on with what it has; which, hangs on how far CloudWatch looks back.
        if real or alarm["treatMissingData"] != "missing":
            raise NotKnownHereError(f"values that are missing and {alarm['treatMissingData']}")
        return "INSUFFICIENT_DATA"
    breaching = sum(value > alarm["threshold"] for value in real)
    return "ALARM" if breaching >= alarm["datapointsToAlarm"] else "OK"


def _values(
    alarm: Mapping[str, Any], told: Mapping[str, Samples], periods: int
) -> Sequence[float | None]:
    """The values that an alarm looks at; None: there is none."""
    if "metricQueries" not in alarm:
        return _datapoints(told.get(alarm["metricName"], ()), alarm, alarm["statistic"], periods)
    (returned,) = (query for query in alarm["metricQueries"] if query["returnData"])
    series = {
        query["id"]: _datapoints(
            told.get(query["metric"]["metricName"], ()),
            query["metric"],
            query["metric"]["stat"],
            periods,
        )
        for query in alarm["metricQueries"]
        if query is not returned
    }
    # AND is Python's `and`; all else that is known here is spelled alike.
    expression = ast.parse(re.sub(r"\bAND\b", "and", returned["expression"]), mode="eval").body
    return [
        _value(expression, {name: values[at] for name, values in series.items()})
        for at in range(periods)
    ]


def _datapoints(
    samples: Samples, metric: Mapping[str, Any], statistic: str, periods: int
) -> list[float | None]:
    """The last values of a metric, one for each period; None where nothing came in it."""
    if statistic not in _STATISTICS:
        raise NotKnownHereError(statistic)
    minutes = int(metric["period"]) // 60
    padded = [*([()] * minutes * periods), *samples]
    starts = range(len(padded) - minutes * periods, len(padded), minutes)
    found = [[one for minute in padded[at : at + minutes] for one in minute] for at in starts]
    return [_STATISTICS[statistic](one) if one else None for one in found]


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
