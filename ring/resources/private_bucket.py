"""Private S3 buckets of a member: TLS only, encrypted with the member's key.

None is versioned. An object is written once, under a name of its own, and deleted when it has
served, so there is no older state to restore; a kept version would be item data that nothing lists,
that outlives the item's deletion from the tables, and that keeps S3 from deleting the bucket.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from ring.policies.bucket import tls_only
from ring.settings.members import Member

_UPLOADS = 1
"""Days until an unfinished multipart upload is deleted. The ring makes none."""
_REDRIVEN = 1
"""Days until an old version is deleted, if someone has enabled versioning."""
RESULTS_KEPT = 30
"""Days. An execution that failed can be redriven for 14 days:
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html"""


def private_bucket(
    name: str,
    what: str,
    member: Member,
    opts: pulumi.ResourceOptions,
    *,
    kept_days: int | None,
) -> aws.s3.Bucket:
    """Declare a member's bucket for `what`.

    Objects that can be recreated expire after `kept_days`, and go with the bucket. None: they
    cannot, so they stay until someone deletes them, and the bucket with them.
    """
    # A bucket's name has at most 63 characters, its prefix 37: too short for a table's name,
    # enough for the replica id.
    bucket = aws.s3.Bucket(
        name,
        bucket_prefix=f"ring-{what}-{member.id}-",
        force_destroy=kept_days is not None,
        opts=opts,
    )
    block = aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    # In sequence: S3 rejects a change of a bucket during another one (OperationAborted). https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    policy = aws.s3.BucketPolicy(
        name,
        bucket=bucket.id,
        policy=pulumi.Output.json_dumps(bucket.arn.apply(tls_only)),
        opts=_after(block, opts),
    )
    lifecycle = _lifecycle(name, bucket, kept_days, _after(policy, opts))
    if member.kms_key:
        _encrypted(name, bucket, member.kms_key, _after(lifecycle, opts))
    return bucket


def _lifecycle(
    name: str, bucket: aws.s3.Bucket, kept_days: int | None, opts: pulumi.ResourceOptions
) -> aws.s3.BucketLifecycleConfiguration:
    """Declare what S3 deletes by itself.

    A redriven object is deleted at once. If someone has enabled versioning (an account may do that
    for every bucket), an old version remains, which is deleted a day later.
    """
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs
    everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs()
    deleted = rule(
        id="deleted",
        status="Enabled",
        filter=everything,
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=_REDRIVEN
            )
        ),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=_UPLOADS
            )
        ),
        # Delete markers without versions. S3 does not allow this in a rule that also has days.
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
            expired_object_delete_marker=True
        ),
    )
    old = rule(
        id="old",
        status="Enabled",
        filter=everything,
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=kept_days),
    )
    return aws.s3.BucketLifecycleConfiguration(
        name, bucket=bucket.id, rules=[deleted, old] if kept_days else [deleted], opts=opts
    )


def _encrypted(
    name: str, bucket: aws.s3.Bucket, key: str, opts: pulumi.ResourceOptions
) -> aws.s3.BucketServerSideEncryptionConfiguration:
    """Encrypt objects with the member's key, unless a request names another.

    With a bucket key, S3 calls KMS now and then instead of for every object.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """
    rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs
    default = (
        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
    )
    return aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=bucket.id,
        rules=[
            rule(
                apply_server_side_encryption_by_default=default(
                    sse_algorithm="aws:kms", kms_master_key_id=key
                ),
                bucket_key_enabled=True,
            )
        ],
        opts=opts,
    )


def _after(first: pulumi.Resource, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[first]))
