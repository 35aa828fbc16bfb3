"""IAM policy documents of the ring. Pure: takes ARNs, returns dictionaries.

A hop may do what its handler does, on the tables that it uses, and nothing else. No partition is
hard-coded: every ARN is passed in.
Actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ring.arn import Arn
from ring.state_machine import LABEL

Document = dict[str, Any]

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
# The API calls of a distributed check, and those that a backfill adds:
# operate/reconcile/fingerprints.py, operate/reconcile/compare_page.py,
# operate/reconcile/member_states.py, operate/reconcile/backfill_key.py.
_CHECK = ("dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:GetItem")
_BACKFILL = ("dynamodb:PutItem",)
_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
# CloudWatch Logs delivers the logs; the state machine's role sets the delivery up. These actions
# have no resource types. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)


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


def lambda_trust() -> Document:
    """Let Lambda assume the role. The service principal is the same in every partition."""
    return _trust({"Service": "lambda.amazonaws.com"})


def states_trust(location: str, name: str) -> Document:
    """Let Step Functions assume the role, for this stack's state machine alone.

    `location` is any ARN in its region and account. The machine is created after its role, so its
    name is known except for the suffix that Pulumi adds; after it, the ARN may have a Map's label.
    The service's name is the same in every partition.
    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    """
    arn = Arn.parse(location)
    machine = Arn(arn.partition, "states", arn.region, arn.account, f"stateMachine:{name}-*")
    return _trust(
        {"Service": "states.amazonaws.com"},
        {
            "StringEquals": {"aws:SourceAccount": arn.account},
            "ArnLike": {"aws:SourceArn": str(machine)},
        },
    )


def writer_trust(role: str) -> Document:
    """Let one other role, that of a function, assume the role."""
    return _trust({"AWS": role})


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
    return _document(
        _allow("ReadStream", _STREAM, stream),
        # ListStreams has no resource type, so a stream's ARN would allow nothing:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
        _allow("ListStreams", ("dynamodb:ListStreams",), "*"),
        *_end("Source", source),
        *_target(target),
        _logs(log_group),
        # A failure destination in S3 needs both:
        # https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
        _objects("QuarantineRecords", "s3:PutObject", quarantine),
        _own("FindQuarantine", "s3:ListBucket", quarantine.arn, quarantine),
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
        *_in_bucket("QuarantineKey", quarantine, "kms:GenerateDataKey"),
    )


def writer_policy(target: TableAccess) -> Document:
    """Return the policy of the role or user in the target's account that a hop writes as."""
    return _document(*_end("Target", target))


def segments_policy(
    *,
    direct: Sequence[TableAccess],
    roles: Sequence[str],
    log_group: str,
    results: Bucket,
    writes: bool,
) -> Document:
    """Return the policy of the function that processes segments. It may write only if `writes`.

    `direct` are the members that it reaches with its own role, `roles` those that it assumes for
    the others; `log_group` is an ARN as well. In `results` it reads where its last call ended.
    """
    return _document(
        *(_whole_tables(direct, writes) if direct else ()),
        *([_allow("AssumeReaders", ("sts:AssumeRole",), *roles)] if roles else ()),
        _logs(log_group),
        _objects("Results", ("s3:PutObject", "s3:GetObject"), results),
        *_in_bucket("ResultsKey", results, "kms:GenerateDataKey", "kms:Decrypt"),
    )


def reader_policy(end: TableAccess, *, writes: bool) -> Document:
    """Return the policy of the role in a member's account that processes segments there."""
    return _document(*_whole_tables([end], writes))


def log_delivery_policy() -> Document:
    """Return the policy that lets a state machine log its executions.

    Step Functions checks it when the machine is created, so it has to exist before.
    """
    return _document(_allow("DeliverLogs", _LOG_DELIVERY, "*"))


def machine_policy(*, machine: str, function: str, results: Bucket) -> Document:
    """Return the policy of a state machine with a Distributed Map; `machine`, `function` are ARNs.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    executions = machine.replace(":stateMachine:", ":execution:")
    return _document(
        _allow("StartSegments", ("states:StartExecution",), machine),
        _allow(
            "WatchSegments",
            ("states:DescribeExecution", "states:StopExecution"),
            f"{executions}:*",
        ),
        _allow("RedriveSegments", ("states:RedriveExecution",), f"{executions}/{LABEL}:*"),
        _allow("WorkOnSegments", ("lambda:InvokeFunction",), function),
        # Step Functions has no parameter for the bucket's expected owner: the policy checks it.
        _objects("ReadParts", "s3:GetObject", results),
        *_in_bucket("PartsKey", results, "kms:Decrypt"),
    )


def tls_only(bucket: str) -> Document:
    """Return a bucket policy that denies every request without TLS. `bucket` is an ARN.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    return _document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def _whole_tables(ends: Sequence[TableAccess], writes: bool) -> list[Document]:
    """Return one statement for all tables of a kind: the size of a role's policies is limited."""
    items = (*_CHECK, *(_BACKFILL if writes else ()))
    statements = [_allow("Items", items, *(end.table for end in ends))]
    if tombstones := [end.tombstones for end in ends if end.tombstones]:
        statements.append(_allow("Tombstones", _CHECK, *tombstones))
    keyed = [(end.kms_key, end.region) for end in ends if end.kms_key]
    return statements + [
        _through(f"Key{index}", key, f"dynamodb.{region}")
        for index, (key, region) in enumerate(dict.fromkeys(keyed))
    ]


def _logs(log_group: str) -> Document:
    # No CreateLogGroup: the stack creates the group.
    return _allow("WriteLogs", ("logs:CreateLogStream", "logs:PutLogEvents"), f"{log_group}:*")


def _target(target: TableAccess | str | SecretAccess) -> list[Document]:
    match target:
        case TableAccess():
            return _end("Target", target)
        case SecretAccess():
            return _keys(target)
        case role:
            return [_allow("AssumeWriter", ("sts:AssumeRole",), role)]


def _keys(secret: SecretAccess) -> list[Document]:
    statements = [_allow("ReadKeys", ("secretsmanager:GetSecretValue",), secret.arn)]
    if secret.kms_key:
        # Without one, the key is AWS-managed, and the whole account may use it:
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        region = Arn.parse(secret.arn).region
        statements.append(_through("SecretKey", secret.kms_key, f"secretsmanager.{region}"))
    return statements


def _end(side: str, end: TableAccess) -> list[Document]:
    items = (*_ITEMS, *_INSERT) if side == "Target" else _ITEMS
    statements = [_allow(f"{side}Items", items, end.table)]
    if end.tombstones:
        statements.append(_allow(f"{side}Tombstones", _TOMBSTONES, end.tombstones))
    if end.kms_key:
        # Reading and writing a table needs no other action on its key. The others are needed to
        # set the key, and for the grants that this gives to DynamoDB.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
        statements.append(_through(f"{side}Key", end.kms_key, f"dynamodb.{end.region}"))
    return statements


def _objects(sid: str, actions: str | Sequence[str], bucket: Bucket) -> Document:
    return _own(sid, actions, f"{bucket.arn}/*", bucket)


def _own(sid: str, actions: str | Sequence[str], resource: str, bucket: Bucket) -> Document:
    """Allow the use of a bucket for as long as it belongs to the account.

    Bucket names are global: a deleted one may belong to another account tomorrow. Lambda and Step
    Functions use it too, and cannot be given the expected owner.
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    listed = (actions,) if isinstance(actions, str) else actions
    own = {"StringEquals": {"s3:ResourceAccount": bucket.account}}
    return _allow(sid, listed, resource) | {"Condition": own}


def _in_bucket(sid: str, bucket: Bucket, *actions: str) -> list[Document]:
    """Allow a bucket's key, if it has one, for the objects in it."""
    if bucket.kms_key is None:
        return []
    return [_through(sid, bucket.kms_key, f"s3.{bucket.region}", actions)]


def _through(
    sid: str, key: str, service: str, actions: Sequence[str] = ("kms:Decrypt",)
) -> Document:
    """Allow a key through one service in one region; the wildcard is the partition's domain.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    condition = {"StringLike": {"kms:ViaService": f"{service}.*"}}
    return _allow(sid, actions, key) | {"Condition": condition}


def _trust(
    principal: dict[str, str], condition: dict[str, dict[str, str]] | None = None
) -> Document:
    return _document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "sts:AssumeRole",
            **({"Condition": condition} if condition else {}),
        }
    )


def _allow(sid: str, actions: Sequence[str], *resources: str) -> Document:
    which = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": which}


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
