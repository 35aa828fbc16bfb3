"""Statements and documents of IAM policies, and what they are about. Pure.

No partition is hard-coded: every ARN is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class TableAccess:
    """One end of a hop: the ARNs of its tables and of the key that encrypts them, if any."""

    region: str
    table: str
    tombstones: str | None = None
    kms_key: str | None = None


@dataclass(frozen=True)
class Bucket:
    """A bucket: its ARN, region, and account, and the ARN of the key that encrypts it, if any."""

    arn: str
    region: str
    account: str
    kms_key: str | None = None


@dataclass(frozen=True)
class SecretAccess:
    """A secret with access keys for the target: its ARN and its KMS key's, if it has its own."""

    arn: str
    kms_key: str | None = None


def allow(sid: str, actions: Sequence[str], *resources: str) -> Document:
    """Return a statement that allows actions on resources."""
    which = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": which}


def document(*statements: Document) -> Document:
    """Return a policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow_objects(sid: str, actions: str | Sequence[str], bucket: Bucket) -> Document:
    """Allow actions on all objects of a bucket."""
    return allow_in_own_account(sid, actions, f"{bucket.arn}/*", bucket)


def allow_in_own_account(
    sid: str, actions: str | Sequence[str], resource: str, bucket: Bucket
) -> Document:
    """Allow the use of a bucket for as long as it belongs to the account.

    Bucket names are global: a deleted one may belong to another account tomorrow. Lambda and Step
    Functions use it too, and cannot be given the expected owner.
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    listed = (actions,) if isinstance(actions, str) else actions
    own = {"StringEquals": {"s3:ResourceAccount": bucket.account}}
    return allow(sid, listed, resource) | {"Condition": own}


def allow_key_of_bucket(sid: str, bucket: Bucket, *actions: str) -> list[Document]:
    """Allow a bucket's key, if it has one, for the objects in it."""
    if bucket.kms_key is None:
        return []
    return [allow_key(sid, bucket.kms_key, f"s3.{bucket.region}", actions)]


def allow_key(
    sid: str, key: str, service: str, actions: Sequence[str] = ("kms:Decrypt",)
) -> Document:
    """Allow a key through one service in one region; the wildcard is the partition's domain.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    condition = {"StringLike": {"kms:ViaService": f"{service}.*"}}
    return allow(sid, actions, key) | {"Condition": condition}


def allow_logs(log_group: str) -> Document:
    """Allow writing to a log group. No CreateLogGroup: the stack creates the group."""
    return allow("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"), f"{log_group}:*")
