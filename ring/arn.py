"""Parse and format Amazon Resource Names. Pure.

Format: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from dataclasses import dataclass

# Prefix of a region's name -> its partition; every other region is in `aws`.
# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


@dataclass(frozen=True)
class Arn:
    """The parts of an ARN. A part that a service leaves empty is an empty string."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Parse an ARN; the resource keeps its own colons. ValueError if a part is missing."""
        _, partition, service, region, account, resource = text.split(":", 5)
        return cls(partition, service, region, account, resource)

    def __str__(self) -> str:
        return ":".join(
            ("arn", self.partition, self.service, self.region, self.account, self.resource)
        )


def partition_of(region: str) -> str:
    """Return the partition of a region, by the region's name alone."""
    for prefix, partition in _PARTITIONS.items():
        if region.startswith(prefix):
            return partition
    return "aws"


def table_arn(partition: str, region: str, account: str, table: str) -> str:
    """Return the ARN of a DynamoDB table."""
    return str(Arn(partition, "dynamodb", region, account, f"table/{table}"))


def table_of_stream(stream_arn: str) -> str:
    """Return the table's name from a stream's ARN: `.../table/<name>/stream/<label>`."""
    return Arn.parse(stream_arn).resource.split("/")[1]


def table_arn_of_stream(stream_arn: str) -> str:
    """Return the table's ARN from a stream's ARN."""
    return stream_arn.partition("/stream/")[0]
