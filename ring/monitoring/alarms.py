"""When somebody must look at a hop. Pure: what is measured in, alarms as values out.

An alarm sees metrics of its own region alone, so what a neighbour does is judged by the table that
they share: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Cross-Account-Cross-Region.html
Why these, and what they cost: docs/decisions/0010-alarms-are-on.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

from ring.hop_metrics import HopMetrics, Metric, bucket_object_count

_MINUTE, _DAY = 60, 24 * 60 * 60

Missing = Literal["notBreaching", "missing", "ignore"]


@dataclass(frozen=True)
class Alarm:
    """An alarm: it rings when in `hits` of the last `periods` a value was above `above`.

    `period` is in seconds. Of several metrics, named by their keys, `expression` makes one value.
    `missing` is what a period without a value counts for.
    """

    slug: str
    runbook_section: str
    """The heading in docs/runbook.md that says what to do."""
    summary: str
    remedy: str
    metrics: Mapping[str, Metric]
    expression: str | None = None
    threshold: float = 0
    period: int = 5 * _MINUTE
    datapoints_to_alarm: int = 2
    evaluation_periods: int = 3
    missing: Missing = "notBreaching"

    def description(self, of: str) -> str:
        """What whoever is called reads: of what, what it means, what to do, and where more is."""
        return f"{of}: {self.summary} {self.remedy} docs/runbook.md: {self.runbook_section}"


def alarms_of_hop(hop: HopMetrics, late: int) -> tuple[Alarm, ...]:
    """All alarms of a hop. `late` is how far it may lag, in seconds."""
    return (
        _iterator_age_alarm(hop, late),
        _errors_alarm(hop),
        _throttles_alarm(hop),
        _fault_alarm(hop),
        _quarantine_alarm(hop),
        _lost_records_alarm(hop),
        _silent_alarm(hop),
    )


def alarm_of_quarantine(bucket: pulumi.Input[str]) -> Alarm:
    """The alarm of a member's quarantine, by its bucket's name.

    S3 may not count a bucket that is empty, so no count means neither good nor bad.
    """
    return Alarm(
        slug="quarantine-kept",
        runbook_section="Quarantine not empty",
        summary="Something was in the quarantine when S3 last counted, which it does once a day.",
        remedy="Play it again.",
        metrics={"objects": bucket_object_count(bucket)},
        period=_DAY,
        datapoints_to_alarm=1,
        evaluation_periods=1,
        missing="missing",
    )


def _iterator_age_alarm(hop: HopMetrics, late: int) -> Alarm:
    return Alarm(
        slug="lags",
        runbook_section="The hop lags",
        summary=f"Iterator age above {late} s for 5 minutes.",
        remedy="Find out what holds it up; after `mapping.record_age` records are given up.",
        metrics={"age": hop.lambda_metric("IteratorAge", "Maximum")},
        threshold=late * 1000,  # the metric is in milliseconds
        period=_MINUTE,
        datapoints_to_alarm=5,
        evaluation_periods=5,
    )


def _errors_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="fails",
        runbook_section="The function fails",
        summary="Invocations end without an answer, and not only once.",
        remedy="Read Lambda's own lines in the log: time, memory or a package is missing.",
        metrics={"errors": hop.lambda_metric("Errors")},
    )


def _throttles_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="throttled",
        runbook_section="The function is throttled",
        summary="Lambda has no concurrency left for the function, and not only once.",
        remedy="Raise the account's limit, or reserve some for the function.",
        metrics={"throttles": hop.lambda_metric("Throttles")},
    )


def _fault_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="at-fault",
        runbook_section="The hop is at fault",
        summary="Something about the hop itself is wrong: rights, a table, a key.",
        remedy="Mend it; records wait in the stream until then.",
        metrics={"faults": hop.custom("faults")},
    )


def _quarantine_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="quarantined",
        runbook_section="Quarantine not empty",
        summary="Changes went into the quarantine, and are missing from the next member on.",
        remedy="Find out why, then play them again.",
        metrics={
            "aside": hop.custom("quarantined"),
            "given_up": hop.of_mapping("OnFailureDestinationDeliveredEventCount"),
        },
        expression="FILL(aside, 0) + FILL(given_up, 0)",
        # One of several, since FILL takes a value that comes late for none:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
        datapoints_to_alarm=1,
    )


def _lost_records_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="loses",
        runbook_section="Records are lost",
        summary="Lambda gave records up, and could not put them into the quarantine.",
        remedy="Mend the bucket at once; what was lost has to be compared and written again.",
        metrics={"undelivered": hop.lambda_metric("DestinationDeliveryFailures")},
        datapoints_to_alarm=1,
        evaluation_periods=1,
    )


def _silent_alarm(hop: HopMetrics) -> Alarm:
    """The source's table is written, by applications or the hop before, and nobody is called.

    A write that is refused reaches no stream, and a hop that starts over is refused for hours.
    """
    return Alarm(
        slug="silent",
        runbook_section="The hop is silent",
        summary="Its table is written, and its function is not called.",
        remedy="See whether the mapping is disabled or gone, or the table has another stream.",
        metrics={
            "writes": hop.of_table("ConsumedWriteCapacityUnits", "SampleCount"),
            "refused": hop.of_table("ConditionalCheckFailedRequests"),
            # One for each batch that is sent; `Invocations` counts calls for heartbeats too.
            # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
            "calls": hop.lambda_metric("IteratorAge", "SampleCount"),
        },
        expression="IF(FILL(calls, 0) == 0 AND FILL(writes, 0) > FILL(refused, 0), 1, 0)",
        # Two of many: one alone can be a write at the end of a period that is read in the next,
        # and on a quiet table writes are far between.
        period=15 * _MINUTE,
        datapoints_to_alarm=2,
        evaluation_periods=8,
        # What alarms on metrics of DynamoDB's do in any case:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        missing="ignore",
    )
