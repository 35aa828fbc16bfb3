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


@dataclass(frozen=True)
class TableAccess:
    """One end of a hop: the ARNs of its tables and of the key that encrypts them, if any."""

    region: str
    table: str
    tombstones: str | None = None
    kms_key: str | None = None


@dataclass(frozen=True)
class SecretAccess:
    """A secret with access keys for the target: its ARN and its KMS key's, if it has its own."""

    arn: str
    kms_key: str | None = None


def lambda_trust() -> Document:
    """Let Lambda assume the role. The service principal is the same in every partition."""
    return _trust({"Service": "lambda.amazonaws.com"})


def states_trust() -> Document:
    """Let Step Functions assume the role. The principal is the same in every partition."""
    return _trust({"Service": "states.amazonaws.com"})


def writer_trust(role: str) -> Document:
    """Let one other role, that of a function, assume the role."""
    return _trust({"AWS": role})


def hop_policy(
    *,
    source: TableAccess,
    stream: str,
    log_group: str,
    quarantine: str,
    target: TableAccess | str | SecretAccess,
) -> Document:
    """Return the policy of a hop's function.

    `target` is the other end or, if the function's own role cannot write there, the ARN of the role
    to assume or the secret with a user's access keys. `log_group` and `quarantine` (a bucket) are
    ARNs as well.
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
        _allow("QuarantineRecords", ("s3:PutObject",), f"{quarantine}/*"),
        _allow("FindQuarantine", ("s3:ListBucket",), quarantine),
    )


def writer_policy(target: TableAccess) -> Document:
    """Return the policy of the role or user in the target's account that a hop writes as."""
    return _document(*_end("Target", target))


def segments_policy(
    *,
    direct: Sequence[TableAccess],
    roles: Sequence[str],
    log_group: str,
    results: str,
    writes: bool,
) -> Document:
    """Return the policy of the function that processes segments. It may write only if `writes`.

    `direct` are the members that it reaches with its own role, `roles` those that it assumes for
    the others; `log_group` and `results` (a bucket) are ARNs as well.
    """
    return _document(
        *(_whole_tables(direct, writes) if direct else ()),
        *([_allow("AssumeReaders", ("sts:AssumeRole",), *roles)] if roles else ()),
        _logs(log_group),
        _allow("WriteResults", ("s3:PutObject",), f"{results}/*"),
    )


def reader_policy(end: TableAccess, *, writes: bool) -> Document:
    """Return the policy of the role in a member's account that processes segments there."""
    return _document(*_whole_tables([end], writes))


def machine_policy(*, machine: str, function: str, results: str) -> Document:
    """Return the policy of a state machine with a Distributed Map; all are ARNs.

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
        _allow("ReadParts", ("s3:GetObject",), f"{results}/*"),
    )


def _whole_tables(ends: Sequence[TableAccess], writes: bool) -> list[Document]:
    """Return one statement for all tables of a kind: the size of a role's policies is limited."""
    items = (*_CHECK, *(_BACKFILL if writes else ()))
    statements = [_allow("Items", items, *(end.table for end in ends))]
    if tombstones := [end.tombstones for end in ends if end.tombstones]:
        statements.append(_allow("Tombstones", _CHECK, *tombstones))
    keyed = [(end.kms_key, end.region) for end in ends if end.kms_key]
    return statements + [
        _decrypt(f"Key{index}", key, f"dynamodb.{region}")
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
        statements.append(_decrypt("SecretKey", secret.kms_key, f"secretsmanager.{region}"))
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
        statements.append(_decrypt(f"{side}Key", end.kms_key, f"dynamodb.{end.region}"))
    return statements


def _decrypt(sid: str, key: str, service: str) -> Document:
    """Allow a key through one service in one region; the wildcard is the partition's domain.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    condition = {"StringLike": {"kms:ViaService": f"{service}.*"}}
    return _allow(sid, ("kms:Decrypt",), key) | {"Condition": condition}


def _trust(principal: dict[str, str]) -> Document:
    return _document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "sts:AssumeRole",
        }
    )


def _allow(sid: str, actions: Sequence[str], *resources: str) -> Document:
    which = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": which}


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
