"""Amazon Resource Names, taken apart and put together. Pure.

Format: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from dataclasses import dataclass

# A region tells its partition by how it begins; every other region is in `aws`.
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
    """The parts of an ARN. A part that a service leaves empty is an empty text."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Take an ARN apart; the resource keeps its own colons. ValueError if a part is missing."""
        _, partition, service, region, account, resource = text.split(":", 5)
        return cls(partition, service, region, account, resource)

    def __str__(self) -> str:
        return ":".join(
            ("arn", self.partition, self.service, self.region, self.account, self.resource)
        )


def partition_of(region: str) -> str:
    """The partition that a region lies in, judged by the region's name alone."""
    for beginning, partition in _PARTITIONS.items():
        if region.startswith(beginning):
            return partition
    return "aws"


def table_arn(partition: str, region: str, account: str, table: str) -> str:
    """The ARN of a DynamoDB table."""
    return str(Arn(partition, "dynamodb", region, account, f"table/{table}"))


def table_of_stream(stream_arn: str) -> str:
    """The name of the table whose stream this is: `.../table/<name>/stream/<label>`."""
    return Arn.parse(stream_arn).resource.split("/")[1]


def table_arn_of_stream(stream_arn: str) -> str:
    """The ARN of the table whose stream this is."""
    return stream_arn.partition("/stream/")[0]
