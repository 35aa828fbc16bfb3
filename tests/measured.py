"""The metrics that there are: those that the handler tells, and AWS's that a ring may name."""

from __future__ import annotations

from functools import cache

from handler.batch import Report
from handler.metrics import Teller
from handler.protocol.replicate import Did, Outcome
from handler.retry import Patience

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
def told_by_the_handler() -> frozenset[str]:
    """The names of all metrics that the line of a batch can have."""
    report = Report()
    report.add(Outcome(Did.WROTE, made=0), 1.0)
    report.add(Outcome(Did.LAP, made=0), 1.0)
    patience = Patience(lambda: 60.0, lambda _: False, reserve=9.0, at_once=1)
    (line,) = Teller("hop", items=False).lines(2, report, patience, 1.0)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return frozenset(metric["Name"] for metric in directive["Metrics"])
