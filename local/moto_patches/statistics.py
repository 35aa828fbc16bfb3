"""Let moto's CloudWatch calculate percentiles, and see the values of the current second."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any, SupportsFloat
from unittest.mock import patch

from moto.cloudwatch.models import CloudWatchBackend, Statistics

_statistic = Statistics.get_statistics_for_type
_get_metric_statistics = CloudWatchBackend.get_metric_statistics
_get_metric_data = CloudWatchBackend.get_metric_data


@contextmanager
def metric_statistics() -> Iterator[None]:
    """Patch the statistics of metrics while the context lasts."""
    with ExitStack() as changes:
        changes.enter_context(
            patch.object(Statistics, "get_statistics_for_type", _statistic_or_percentile)
        )
        changes.enter_context(
            patch.object(CloudWatchBackend, "get_metric_statistics", _statistics_until_now)
        )
        changes.enter_context(patch.object(CloudWatchBackend, "get_metric_data", _data_until_now))
        yield


def _statistic_or_percentile(statistics: Statistics, stat: str) -> SupportsFloat | None:
    """Also calculate percentiles, which moto does not implement: the value at its rank.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    if not re.fullmatch(r"p\d{1,2}(\.\d+)?", stat):
        return _statistic(statistics, stat)
    values = sorted(statistics.metric_single_values_list)
    rank = math.ceil(float(stat[1:]) / 100 * len(values))
    return values[max(rank - 1, 0)] if values else None


def _statistics_until_now(
    backend: CloudWatchBackend,
    namespace: str,
    metric_name: str,
    start_time: datetime,
    end_time: datetime,
    *arguments: Any,
    **options: Any,
) -> list[Statistics]:
    return _get_metric_statistics(
        backend, namespace, metric_name, start_time, _next_second(end_time), *arguments, **options
    )


def _data_until_now(
    backend: CloudWatchBackend,
    queries: list[dict[str, Any]],
    start_time: datetime,
    end_time: datetime,
    *arguments: Any,
    **options: Any,
) -> list[dict[str, Any]]:
    return _get_metric_data(
        backend, queries, start_time, _next_second(end_time), *arguments, **options
    )


def _next_second(end: datetime) -> datetime:
    """Round the end of a window up: moto cuts its fraction off, with the values of that second."""
    return end + timedelta(seconds=1) if end.microsecond else end
