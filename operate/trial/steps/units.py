"""Capacity units that the tables consumed, and those that the documented arithmetic gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operate.pricing.bill import units
from operate.trial.context import Trial
from operate.trial.items import small_item, typed_item
from operate.trial.plan import TrialPlan

_COPY = 200
"""Bytes of the ring's attributes on a copy, and more than a writer's name differs by."""


@dataclass(frozen=True)
class Units:
    """Units that a table consumed; None: CloudWatch has no value."""

    member: str
    table: str
    writes: float | None
    reads: float | None


def expected_units(plan: TrialPlan, notes: Mapping[str, Any]) -> float:
    """Return the write units of the load, all tables together: applications and hops.

    As docs/explanation/performance.md counts them: a put is written once at each member, by the
    application or a hop; a delete takes 3N-2 writes of the hops, or N where tombstones are off.
    """
    n, load = len(plan.members), plan.load
    small, typed = (
        units(_size(make("plain-1", "00000", 1, plan.members[0].name)) + _COPY)
        for make in (small_item, typed_item)
    )
    large = sum(units(size * 1_024) + (n - 1) * units(size * 1_024 + _COPY) for size in load.sizes)
    puts = (load.inserts + int(notes["updates"])) * n * small + load.types * n * typed
    by_hops = 3 * n - 2 if plan.parsed().tombstones.enabled else n
    return puts + n * large + int(notes["deletes"]) * (1 + by_hops)


def _size(item: Mapping[str, Any]) -> int:
    """Return about how many bytes an item has."""
    return sum(len(name) + len(str(value)) for name, value in item.items()) // 2


def units_of(trial: Trial, window: tuple[float, float]) -> list[Units]:
    """Return what each table consumed in a window of time. Raises botocore's errors."""
    found = []
    for member in trial.members:
        cloudwatch = trial.client(member, "cloudwatch")
        for table in (member.table, member.tombstones):
            if table is not None:
                values = [
                    _sum(cloudwatch, table, f"Consumed{kind}CapacityUnits", window)
                    for kind in ("Write", "Read")
                ]
                found.append(Units(member.name, table, *values))
    return found


def _sum(cloudwatch: Any, table: str, metric: str, window: tuple[float, float]) -> float | None:
    """Return the sum of a table's metric; None: it has no values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    """
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/DynamoDB",
        MetricName=metric,
        Dimensions=[{"Name": "TableName", "Value": table}],
        StartTime=datetime.fromtimestamp(window[0], UTC),
        EndTime=datetime.fromtimestamp(window[1], UTC),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points) if points else None
