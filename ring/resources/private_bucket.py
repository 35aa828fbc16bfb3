"""S3 bucket without public access."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.settings.members import Member


def private_bucket(
    name: str, what: str, member: Member, opts: pulumi.ResourceOptions, *, force_destroy: bool
) -> aws.s3.Bucket:
    """Declare a member's bucket for `what`; `force_destroy` deletes its objects along with it."""
    # A bucket's name has at most 63 characters, its prefix 37: too short for a table's name,
    # enough for the replica id.
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
