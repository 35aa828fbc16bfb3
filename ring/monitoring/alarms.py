"""CloudWatch alarms of a hop. Pure: takes metrics, returns alarms as values.

An alarm reads metrics of its own region alone, so the previous hop's writes are measured at the
table that both use: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Cross-Account-Cross-Region.html
Why these alarms, and what they cost: docs/decisions/0010-alarms-are-on.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

from ring.hop_metrics import HopMetrics, Metric, bucket_object_count
from ring.text import shortened

_MINUTE, _DAY = 60, 24 * 60 * 60
_MAX_DESCRIPTION = 1_024
"""Characters. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""

Missing = Literal["notBreaching", "missing", "ignore"]


@dataclass(frozen=True)
class Alarm:
    """An alarm, with CloudWatch's own words for its parts.

    It goes to ALARM if in `datapoints_to_alarm` of the last `evaluation_periods` the value was
    above `threshold`. `period` is in seconds. `expression` combines several metrics, by their keys.
    `missing` says how a period without a value counts.
    """

    slug: str
    runbook_section: str
    """The heading in docs/how-to/troubleshoot.md."""
    summary: str
    """What happened."""
    meaning: str
    remedy: str
    """The first thing to do."""
    metrics: Mapping[str, Metric]
    expression: str | None = None
    threshold: float = 0
    period: int = 5 * _MINUTE
    datapoints_to_alarm: int = 2
    evaluation_periods: int = 3
    missing: Missing = "notBreaching"

    def description(self, subject: str) -> str:
        """Return the text of the notification: subject, event, meaning, first step, runbook.

        A subject that is too long, with the names of three tables, is cut.
        """
        text = (
            f": {self.summary} {self.meaning} {self.remedy} "
            f"See docs/how-to/troubleshoot.md: {self.runbook_section}"
        )
        return shortened(subject, _MAX_DESCRIPTION - len(text)) + text


def hop_alarms(hop: HopMetrics, max_lag_seconds: int) -> tuple[Alarm, ...]:
    """Return all alarms of a hop."""
    return (
        _iterator_age_alarm(hop, max_lag_seconds),
        _errors_alarm(hop),
        _throttles_alarm(hop),
        _fault_alarm(hop),
        _quarantine_alarm(hop),
        _lost_records_alarm(hop),
        _silent_alarm(hop),
    )


def quarantine_bucket_alarm(bucket: pulumi.Input[str]) -> Alarm:
    """Return the alarm of a member's quarantine, by its bucket's name.

    S3 may publish no count for an empty bucket, so a missing count means neither OK nor ALARM.
    """
    return Alarm(
        slug="quarantine-kept",
        runbook_section="Quarantine not empty",
        summary="The quarantine had entries when S3 last counted them (once a day).",
        meaning="Their changes are missing at the next members.",
        remedy="Run `automate.py redrive` to list the entries with their reasons.",
        metrics={"objects": bucket_object_count(bucket)},
        period=_DAY,
        datapoints_to_alarm=1,
        evaluation_periods=1,
        missing="missing",
    )


def _iterator_age_alarm(hop: HopMetrics, max_lag_seconds: int) -> Alarm:
    return Alarm(
        slug="lags",
        runbook_section="The hop lags",
        summary=f"Iterator age above {max_lag_seconds} s for 5 minutes.",
        meaning=(
            "The next members get changes late; records older than `mapping.record_age` go to the "
            "quarantine."
        ),
        remedy="Run `automate.py lag` to find the slow hop.",
        metrics={"age": hop.lambda_metric("IteratorAge", "Maximum")},
        threshold=max_lag_seconds * 1000,  # the metric is in milliseconds
        period=_MINUTE,
        datapoints_to_alarm=5,
        evaluation_periods=5,
    )


def _errors_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="fails",
        runbook_section="The function fails",
        summary="Invocations of the hop's function keep failing.",
        meaning="Lambda retries the same batch; the hop makes little or no progress.",
        remedy="Look for a timeout, an exit or an import error in the function's log group.",
        metrics={"errors": hop.lambda_metric("Errors")},
    )


def _throttles_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="throttled",
        runbook_section="The function is throttled",
        summary="Lambda keeps throttling the hop's function.",
        meaning="No record is lost, but the hop lags.",
        remedy="Compare `ConcurrentExecutions` of the region with the account's limit.",
        metrics={"throttles": hop.lambda_metric("Throttles")},
    )


def _fault_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="at-fault",
        runbook_section="The hop reports faults",
        summary="The hop reports faults: access denied, a missing table or a disabled key, say.",
        meaning="Records wait in the stream until the fault is fixed.",
        remedy='Find lines with "kind": "fault" in the function\'s log group.',
        metrics={"faults": hop.custom("faults")},
    )


def _quarantine_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="quarantined",
        runbook_section="Quarantine not empty",
        summary="Records went to the quarantine in the last 15 minutes.",
        meaning="Their changes are missing at the next member and those after it.",
        remedy="Run `automate.py redrive` to list the entries with their reasons.",
        metrics={
            "by_hop": hop.custom("quarantined"),
            "by_lambda": hop.mapping_metric("OnFailureDestinationDeliveredEventCount"),
        },
        expression="FILL(by_hop, 0) + FILL(by_lambda, 0)",
        # One of several, since FILL takes a late value for none:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
        datapoints_to_alarm=1,
    )


def _lost_records_alarm(hop: HopMetrics) -> Alarm:
    return Alarm(
        slug="loses",
        runbook_section="Records are lost",
        summary="Lambda discarded a batch and could not write it to the quarantine.",
        meaning=(
            "Its records are in the stream alone, until 24 hours after they were written: for one "
            "more hour, if `mapping.record_age` is the default."
        ),
        remedy="Check now that the bucket exists and the function's role may write to it.",
        metrics={"undelivered": hop.lambda_metric("DestinationDeliveryFailures")},
        datapoints_to_alarm=1,
        evaluation_periods=1,
    )


def _silent_alarm(hop: HopMetrics) -> Alarm:
    """Return the alarm for a table that is written while the hop's function is not invoked.

    A rejected write reaches no stream, and the writes of a hop that starts over are rejected for
    hours.
    """
    return Alarm(
        slug="silent",
        runbook_section="The hop is silent",
        summary="The source's table is written, but the hop's function is not invoked.",
        meaning="Records are lost 24 hours after they were written. Expected only while paused.",
        remedy="Run `automate.py status`: the mapping or the stream may be disabled or replaced.",
        metrics={
            "writes": hop.table_metric("ConsumedWriteCapacityUnits", "SampleCount"),
            "refused": hop.table_metric("ConditionalCheckFailedRequests"),
            # One for each batch; `Invocations` also counts heartbeats.
            # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
            "calls": hop.lambda_metric("IteratorAge", "SampleCount"),
        },
        expression="IF(FILL(calls, 0) == 0 AND FILL(writes, 0) > FILL(refused, 0), 1, 0)",
        # Two of many: a single one can be a write at the end of a period that is read in the next,
        # and writes to a quiet table are far apart.
        period=15 * _MINUTE,
        datapoints_to_alarm=2,
        evaluation_periods=8,
        # Alarms on DynamoDB's metrics always do this:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        missing="ignore",
    )
