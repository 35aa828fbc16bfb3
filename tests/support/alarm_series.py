"""Alarms over values as a test tells them, minute by minute (see ``cloudwatch.alarm_states``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.cloudwatch import alarm_states
from local.cloudwatch.alarm_states import UnsupportedAlarmError

__all__ = ["Samples", "UnsupportedAlarmError", "state"]

Samples = Sequence[Sequence[float]]
"""What was told of a metric: of each minute, oldest first, what came in it."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "SampleCount": len,
    "Average": lambda samples: sum(samples) / len(samples),
}


def state(alarm: Mapping[str, Any], told: Mapping[str, Samples]) -> str:
    """The state of an alarm, by its inputs as it is deployed, after what was told by metric's name.

    A metric of which nothing was told has no values.
    """

    def datapoints(
        metric: Mapping[str, Any], statistic: str, periods: int
    ) -> Sequence[float | None]:
        return _datapoints(told.get(metric["metricName"], ()), metric, statistic, periods)

    return alarm_states.state(alarm, datapoints)


def _datapoints(
    samples: Samples, metric: Mapping[str, Any], statistic: str, periods: int
) -> list[float | None]:
    """The last values of a metric, one for each period; None where nothing came in it."""
    if statistic not in _STATISTICS:
        raise UnsupportedAlarmError(statistic)
    minutes = int(metric["period"]) // 60
    padded = [*([()] * minutes * periods), *samples]
    starts = range(len(padded) - minutes * periods, len(padded), minutes)
    found = [[one for minute in padded[at : at + minutes] for one in minute] for at in starts]
    return [_STATISTICS[statistic](one) if one else None for one in found]
