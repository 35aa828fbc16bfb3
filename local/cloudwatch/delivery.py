"""Put log lines and metrics of AWS's own services into moto, without a client and its requests.

A client would take a tenth of the processor time of a ring that is at work. Whoever calls holds
`local.moto_lock.MOTO_LOCK`, unless a request to moto does already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.cloudwatch.metrics import MetricBuffer


def put_metrics(account: str, region: str, metrics: MetricBuffer) -> None:
    """Empty a buffer of metrics into CloudWatch."""
    backend = cloudwatch_backends[account][region]
    for namespace, data in metrics.take():
        # moto's timestamps have no time zone, and must be comparable with these.
        plain = [{**datum, "Timestamp": datum["Timestamp"].replace(tzinfo=None)} for datum in data]
        backend.put_metric_data(namespace, plain)


def put_lines(
    account: str, region: str, group: str, stream: str, lines: Sequence[tuple[float, str]]
) -> bool:
    """Add lines to a log stream, which is created; each with its time in seconds since 1970.

    Returns False if the log group does not exist: AWS's services do not create it.
    """
    found = logs_backends[account][region].groups.get(group)
    if found is None:
        return False
    if stream not in found.streams:
        found.create_log_stream(stream)
    events = [{"timestamp": int(when * 1000), "message": line} for when, line in lines]
    found.put_log_events(stream, events)
    return True
