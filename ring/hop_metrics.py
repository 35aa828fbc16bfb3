"""What CloudWatch measures of a hop, by the names that it goes by there. Pure.

The hop's own metrics are told by its handler (`handler/metrics.py`); here is the one place where
their namespace and dimension stand on this side. The others are AWS's, and cost nothing:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from ring.settings.members import Member

NAMESPACE = "DynamoDBRing"
DIMENSION = "hop"


@dataclass(frozen=True)
class Metric:
    """A metric, and how its values in a period become one: Sum, Maximum, p99 and so on."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"


@dataclass(frozen=True)
class HopMetrics:
    """A hop whose metrics are in its source's region. `function` is a name, `mapping` a UUID."""

    source: Member
    target: Member
    function: pulumi.Input[str]
    mapping: pulumi.Input[str]

    @property
    def label(self) -> str:
        """The hop as a person reads it."""
        return f"{self.source.name} -> {self.target.name}"

    @property
    def name(self) -> str:
        """The hop as its function calls itself."""
        return " -> ".join(f"{end.region}/{end.table}" for end in (self.source, self.target))

    def custom(self, name: str, statistic: str = "Sum") -> Metric:
        """What the hop tells of itself."""
        return Metric(NAMESPACE, name, {DIMENSION: self.name}, statistic)

    def lambda_metric(self, name: str, statistic: str = "Sum") -> Metric:
        """What Lambda tells of the function."""
        return Metric("AWS/Lambda", name, {"FunctionName": self.function}, statistic)

    def of_mapping(self, name: str) -> Metric:
        """What Lambda tells of the mapping, if that is told to count its events."""
        return Metric("AWS/Lambda", name, {"EventSourceMappingUUID": self.mapping})

    def of_table(self, name: str, statistic: str = "Sum") -> Metric:
        """What DynamoDB tells of the source's table."""
        return Metric("AWS/DynamoDB", name, {"TableName": self.source.table}, statistic)


def bucket_object_count(bucket: pulumi.Input[str]) -> Metric:
    """How many objects are in a bucket: S3 counts them once a day."""
    dimensions = {"BucketName": bucket, "StorageType": "AllStorageTypes"}
    return Metric("AWS/S3", "NumberOfObjects", dimensions, "Average")
