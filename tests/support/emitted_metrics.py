"""The existing metrics: those that the handler emits, and AWS's that a ring may use."""

from __future__ import annotations

from functools import cache

from handler.batch import BatchReport
from handler.metrics import BatchReporter
from handler.protocol.hop import Action, Outcome
from handler.retry import RetryBudget

# By namespace and dimensions.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
AWS: dict[tuple[str, ...], frozenset[str]] = {
    ("AWS/Lambda", "FunctionName"): frozenset(
        {
            "Invocations",
            "Errors",
            "Throttles",
            "Duration",
            "IteratorAge",
            "ConcurrentExecutions",
            "DestinationDeliveryFailures",
        }
    ),
    ("AWS/Lambda", "EventSourceMappingUUID"): frozenset(
        {
            "PolledEventCount",
            "InvokedEventCount",
            "FailedInvokeEventCount",
            "DroppedEventCount",
            "OnFailureDestinationDeliveredEventCount",
        }
    ),
    ("AWS/DynamoDB", "TableName"): frozenset(
        {"ConsumedWriteCapacityUnits", "ConditionalCheckFailedRequests", "WriteThrottleEvents"}
    ),
    ("AWS/S3", "BucketName", "StorageType"): frozenset({"BucketSizeBytes", "NumberOfObjects"}),
}


@cache
def handler_metrics() -> frozenset[str]:
    """Return the names of all metrics in the log line of a batch."""
    report = BatchReport()
    report.add(Outcome(Action.REPLICATED, written_at=0), 1.0)
    report.add(Outcome(Action.LAP_COMPLETED, written_at=0), 1.0)
    budget = RetryBudget(lambda: 60.0, lambda _: False, reserve_seconds=9.0, max_concurrency=1)
    (line,) = BatchReporter("hop", logs_items=False).log_lines(2, report, budget, 1.0)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return frozenset(metric["Name"] for metric in directive["Metrics"])
