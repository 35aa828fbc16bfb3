"""A bucket that is closed to the public."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.settings.members import Member


def private_bucket(
    name: str, what: str, member: Member, opts: pulumi.ResourceOptions, *, force_destroy: bool
) -> aws.s3.Bucket:
    """Declare a member's bucket for `what`; `emptied`: what is in it goes when the bucket goes."""
    # A bucket's name has 63 characters at most and a prefix 37, which a table's name could
    # overrun; the replica id cannot.
    bucket = aws.s3.Bucket(
        name, bucket_prefix=f"ring-{what}-{member.id}-", force_destroy=force_destroy, opts=opts
    )
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    return bucket
