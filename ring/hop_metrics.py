"""CloudWatch metrics of a hop, with their namespaces and dimensions. Pure.

The custom metrics are emitted by the handler (`handler/metrics.py`), which defines the same
namespace and dimension. The others are AWS's own and free of charge:
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
    """A metric and its statistic over a period: Sum, Maximum, p99 and so on."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"


@dataclass(frozen=True)
class HopMetrics:
    """Metrics of a hop, in its source's region. `function` is a name, `mapping` a UUID."""

    source: Member
    target: Member
    function: pulumi.Input[str]
    mapping: pulumi.Input[str]

    @property
    def label(self) -> str:
        """The hop's name for people: names of its members."""
        return f"{self.source.name} -> {self.target.name}"

    @property
    def name(self) -> str:
        """The hop's name in its own metrics: regions and tables."""
        return " -> ".join(
            f"{member.region}/{member.table}" for member in (self.source, self.target)
        )

    def custom(self, name: str, statistic: str = "Sum") -> Metric:
        """Return a custom metric, emitted by the hop's handler."""
        return Metric(NAMESPACE, name, {DIMENSION: self.name}, statistic)

    def lambda_metric(self, name: str, statistic: str = "Sum") -> Metric:
        """Return one of Lambda's metrics of the function."""
        return Metric("AWS/Lambda", name, {"FunctionName": self.function}, statistic)

    def mapping_metric(self, name: str) -> Metric:
        """Return one of Lambda's metrics of the mapping, which has to have event counts enabled."""
        return Metric("AWS/Lambda", name, {"EventSourceMappingUUID": self.mapping})

    def table_metric(self, name: str, statistic: str = "Sum") -> Metric:
        """Return one of DynamoDB's metrics of the source's table."""
        return Metric("AWS/DynamoDB", name, {"TableName": self.source.table}, statistic)


def bucket_object_count(bucket: pulumi.Input[str]) -> Metric:
    """Return the metric of a bucket's object count, which S3 updates once a day."""
    dimensions = {"BucketName": bucket, "StorageType": "AllStorageTypes"}
    return Metric("AWS/S3", "NumberOfObjects", dimensions, "Average")
