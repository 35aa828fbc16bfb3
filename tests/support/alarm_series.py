"""Alarm states for given samples, minute by minute (see ``cloudwatch.alarm_states``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.cloudwatch import alarm_states
from local.cloudwatch.alarm_states import UnsupportedAlarmError

__all__ = ["Samples", "UnsupportedAlarmError", "state"]

Samples = Sequence[Sequence[float]]
"""The samples of a metric in each minute, oldest first."""

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "SampleCount": len,
    "Average": lambda samples: sum(samples) / len(samples),
}


def state(alarm: Mapping[str, Any], samples: Mapping[str, Samples]) -> str:
    """Return the state of a deployed alarm, by its inputs, for samples by metric's name.

    A metric without samples has no values.
    """

    def datapoints(
        metric: Mapping[str, Any], statistic: str, periods: int
    ) -> Sequence[float | None]:
        return _datapoints(samples.get(metric["metricName"], ()), metric, statistic, periods)

    return alarm_states.state(alarm, datapoints)


def _datapoints(
    samples: Samples, metric: Mapping[str, Any], statistic: str, periods: int
) -> list[float | None]:
    """Return a metric's last values, one for each period; None for a period without samples."""
    if statistic not in _STATISTICS:
        raise UnsupportedAlarmError(statistic)
    minutes = int(metric["period"]) // 60
    padded = [*([()] * minutes * periods), *samples]
    starts = range(len(padded) - minutes * periods, len(padded), minutes)
    found = [[v for minute in padded[at : at + minutes] for v in minute] for at in starts]
    return [_STATISTICS[statistic](values) if values else None for values in found]
