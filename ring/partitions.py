"""What AWS lacks in some of its partitions. Pure."""

from __future__ import annotations


def mappings_are_limited(partition: str) -> bool:
    """Return whether mappings have no tags, no metrics of their own, and no S3 to give up to.

    AWS says so of these two. It names neither Python 3.13 nor arm64 as missing there.
    https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-lambda.html
    https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html
    """
    return partition in ("aws-cn", "aws-us-gov")
