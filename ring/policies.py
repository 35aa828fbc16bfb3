"""The IAM documents of the ring. Pure: ARNs in, plain dictionaries out.

A hop may do what its handler does, on the tables that it does it to, and nothing else. No
partition is written here: every ARN comes from outside.
Actions and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ring.arn import Arn
from ring.state_machine import LABEL

Document = dict[str, Any]

# A batch of statements needs no action of its own, but one for each kind of statement:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
_ITEMS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
)
# What is brought back to the source is put there one by one.
_CREATED = ("dynamodb:PartiQLInsert",)
_TOMBSTONES = (
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:PartiQLInsert",
)
# What the functions of a check do to tables, and of a backfill besides:
# operate/reconcile/fingerprints.py, operate/reconcile/compare_page.py,
# operate/reconcile/member_states.py, operate/reconcile/backfill_key.py.
_CHECKED = ("dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:GetItem")
_FILLED = ("dynamodb:PutItem",)
_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
# Logs are delivered by CloudWatch Logs itself; what a state machine's role does is to have it set
# up, which IAM limits to no resource. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
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
    """What a hop touches at one end: the ARNs of the tables there and of the key, if any."""

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
    """A secret with keys for the target: its ARN, and that of the key that encrypts it, if any."""

    arn: str
    kms_key: str | None = None


def lambda_trust() -> Document:
    """Lambda may take the role. The service's name is the same in every partition."""
    return _trust({"Service": "lambda.amazonaws.com"})


def states_trust(place: str, name: str) -> Document:
    """Step Functions may take the role, for this stack's state machine alone.

    `place` is the ARN of anything in its region and account. The machine itself comes after its
    role, so its name is known but for the end that Pulumi makes up; what follows the name there is
    a Map's label. The service's name is the same in every partition.
    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    """
    arn = Arn.parse(place)
    machine = Arn(arn.partition, "states", arn.region, arn.account, f"stateMachine:{name}-*")
    return _trust(
        {"Service": "states.amazonaws.com"},
        {
            "StringEquals": {"aws:SourceAccount": arn.account},
            "ArnLike": {"aws:SourceArn": str(machine)},
        },
    )


def writer_trust(role: str) -> Document:
    """One other role, that of a hop's function, may take the role."""
    return _trust({"AWS": role})


def hop_policy(
    *,
    source: TableAccess,
    stream: str,
    log_group: str,
    quarantine: Bucket,
    target: TableAccess | str | SecretAccess,
) -> Document:
    """What a hop's function may do.

    `target` is the other end, or, where the function's own role cannot write there, the ARN of the
    role to take for it, or the secret with a user's keys. `log_group` is an ARN as well.
    """
    return _document(
        _allow("ReadStream", _STREAM, stream),
        # AWS limits ListStreams to no resource, so a stream's ARN here would allow nothing:
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
    """What a role, or a user, in the target's account may do for the functions that write as it."""
    return _document(*_end("Target", target))


def segments_policy(
    *,
    here: Sequence[TableAccess],
    roles: Sequence[str],
    log_group: str,
    results: Bucket,
    writes: bool,
) -> Document:
    """What the function that works on segments may do: read, and write only if it `writes`.

    `here` are the members that it reaches as what it is, `roles` those that it takes for the
    others; `log_group` is an ARN as well. In `results` it finds where its call before has ended.
    """
    return _document(
        *(_whole_tables(here, writes) if here else ()),
        *([_allow("AssumeReaders", ("sts:AssumeRole",), *roles)] if roles else ()),
        _logs(log_group),
        _objects("Results", ("s3:PutObject", "s3:GetObject"), results),
        *_in_bucket("ResultsKey", results, "kms:GenerateDataKey", "kms:Decrypt"),
    )


def reader_policy(end: TableAccess, *, writes: bool) -> Document:
    """What a role in a member's account may do for the function that works on segments."""
    return _document(*_whole_tables([end], writes))


def log_delivery_policy() -> Document:
    """What a state machine whose executions are logged may do for that.

    Step Functions asks for all of it when the machine is made, so before there is a machine.
    """
    return _document(_allow("DeliverLogs", _LOG_DELIVERY, "*"))


def machine_policy(*, machine: str, function: str, results: Bucket) -> Document:
    """What a state machine with a Distributed Map may do; `machine` and `function` are ARNs.

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
        # Step Functions cannot be told whom to expect as the bucket's owner: this says so for it.
        _objects("ReadParts", "s3:GetObject", results),
        *_in_bucket("PartsKey", results, "kms:Decrypt"),
    )


def tls_only(bucket: str) -> Document:
    """The policy of a bucket (its ARN) that is reached by TLS alone, whoever asks.

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
    """One statement for all tables of a kind: there is room for so much in a role."""
    items = (*_CHECKED, *(_FILLED if writes else ()))
    statements = [_allow("Items", items, *(end.table for end in ends))]
    if buried := [end.tombstones for end in ends if end.tombstones]:
        statements.append(_allow("Tombstones", _CHECKED, *buried))
    keyed = [(end.kms_key, end.region) for end in ends if end.kms_key]
    return statements + [
        _through(f"Key{at}", key, f"dynamodb.{region}")
        for at, (key, region) in enumerate(dict.fromkeys(keyed))
    ]


def _logs(log_group: str) -> Document:
    # The group is the stack's own, so there is no CreateLogGroup.
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
        # Without one, it is encrypted with a key of AWS's that the whole account may use:
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        region = Arn.parse(secret.arn).region
        statements.append(_through("SecretKey", secret.kms_key, f"secretsmanager.{region}"))
    return statements


def _end(side: str, end: TableAccess) -> list[Document]:
    items = (*_ITEMS, *_CREATED) if side == "Target" else _ITEMS
    statements = [_allow(f"{side}Items", items, end.table)]
    if end.tombstones:
        statements.append(_allow(f"{side}Tombstones", _TOMBSTONES, end.tombstones))
    if end.kms_key:
        # That is all that DynamoDB asks of who reads or writes a table. The rest is asked of who
        # chooses the key, and of the grants that this one gives it.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
        statements.append(_through(f"{side}Key", end.kms_key, f"dynamodb.{end.region}"))
    return statements


def _objects(sid: str, actions: str | Sequence[str], bucket: Bucket) -> Document:
    return _own(sid, actions, f"{bucket.arn}/*", bucket)


def _own(sid: str, actions: str | Sequence[str], resource: str, bucket: Bucket) -> Document:
    """Use of a bucket for as long as it is the account's own.

    Names of buckets are everybody's: one that is deleted may be another's tomorrow. Lambda and Step
    Functions, which use it too, cannot be told whom to expect as its owner.
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    told = (actions,) if isinstance(actions, str) else actions
    own = {"StringEquals": {"s3:ResourceAccount": bucket.account}}
    return _allow(sid, told, resource) | {"Condition": own}


def _in_bucket(sid: str, bucket: Bucket, *actions: str) -> list[Document]:
    """Use of the key of a bucket, if it has one, for what is in there."""
    if bucket.kms_key is None:
        return []
    return [_through(sid, bucket.kms_key, f"s3.{bucket.region}", actions)]


def _through(
    sid: str, key: str, service: str, actions: Sequence[str] = ("kms:Decrypt",)
) -> Document:
    """Use of a key through a service in a region alone; what follows is the partition's domain.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    through = {"StringLike": {"kms:ViaService": f"{service}.*"}}
    return _allow(sid, actions, key) | {"Condition": through}


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
