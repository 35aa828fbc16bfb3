"""Policies of a hop's function, and of the role or user that it writes as. Pure.

A hop may do what its handler does, on the tables that it uses, and nothing else.
Actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

from ring.arn import Arn
from ring.partitions import mappings_are_limited
from ring.policies.statements import (
    Bucket,
    Document,
    SecretAccess,
    TableAccess,
    allow,
    allow_in_own_account,
    allow_key,
    allow_key_of_bucket,
    allow_logs,
    allow_objects,
    document,
)

# BatchExecuteStatement has no action of its own; each kind of statement needs one:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
_ITEMS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
)
# Only the target: what a hop writes back to its source, it writes with PutItem.
_INSERT = ("dynamodb:PartiQLInsert",)
_TOMBSTONES = (
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:PartiQLInsert",
)
_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def hop_policy(
    *,
    source: TableAccess,
    stream: str,
    log_group: str,
    quarantine: Bucket,
    target: TableAccess | str | SecretAccess,
) -> Document:
    """Return the policy of a hop's function.

    `target` is the other end or, if the function's own role cannot write there, the ARN of the role
    to assume or the secret with a user's access keys. `log_group` is an ARN as well.
    """
    return document(
        allow("ReadStream", _STREAM, stream),
        # ListStreams has no resource type, so a stream's ARN would allow nothing:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        allow("ListStreams", ("dynamodb:ListStreams",), "*"),
        *_use_tables("Source", source),
        *_target(target),
        allow_logs(log_group),
        allow_objects("QuarantineRecords", "s3:PutObject", quarantine),
        *_as_destination(quarantine),
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
        *allow_key_of_bucket("QuarantineKey", quarantine, "kms:GenerateDataKey"),
    )


def _as_destination(quarantine: Bucket) -> list[Document]:
    """Return what else Lambda needs to give records up to the quarantine, where it can.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    if mappings_are_limited(Arn.parse(quarantine.arn).partition):
        return []
    return [allow_in_own_account("FindQuarantine", "s3:ListBucket", quarantine.arn, quarantine)]


def writer_policy(target: TableAccess) -> Document:
    """Return the policy of the role or user in the target's account that a hop writes as."""
    return document(*_use_tables("Target", target))


def _target(target: TableAccess | str | SecretAccess) -> list[Document]:
    match target:
        case TableAccess():
            return _use_tables("Target", target)
        case SecretAccess():
            return _read_secret(target)
        case role:
            return [allow("AssumeWriter", ("sts:AssumeRole",), role)]


def _read_secret(secret: SecretAccess) -> list[Document]:
    statements = [allow("ReadKeys", ("secretsmanager:GetSecretValue",), secret.arn)]
    if secret.kms_key:
        # Without one, the key is AWS-managed, and the whole account may use it:
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        region = Arn.parse(secret.arn).region
        statements.append(allow_key("SecretKey", secret.kms_key, f"secretsmanager.{region}"))
    return statements


def _use_tables(side: str, end: TableAccess) -> list[Document]:
    items = (*_ITEMS, *_INSERT) if side == "Target" else _ITEMS
    statements = [allow(f"{side}Items", items, end.table)]
    if end.tombstones:
        statements.append(allow(f"{side}Tombstones", _TOMBSTONES, end.tombstones))
    if end.kms_key:
        # Reading and writing a table needs no other action on its key. The others are needed to
        # set the key, and for the grants that this gives to DynamoDB.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
        statements.append(allow_key(f"{side}Key", end.kms_key, f"dynamodb.{end.region}"))
    return statements
