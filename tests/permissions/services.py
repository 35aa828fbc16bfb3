"""The calls that AWS's services make with a role of the ring's: listed, since no client makes them.

Everything else that a role does is recorded (see `calls`). Each entry has its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ring.arn import Arn, table_arn_of_stream
from tests.permissions.calls import owner_of_bucket
from tests.permissions.judge import ASSUME, Call

LAMBDA = "lambda.amazonaws.com"
STATES = "states.amazonaws.com"

_LOG_DELIVERY = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)
_WITH_KEY = {"s3:PutObject": "GenerateDataKey", "s3:ListBucket": None}
"""What S3 does with a key, where that is not to decrypt."""


@dataclass(frozen=True)
class Served:
    """What Lambda is given about a hop: ARNs, and the mapping's UUID.

    `quarantine` is None where Lambda gives no record up.
    """

    function: str
    role: str
    stream: str
    log_group: str
    quarantine: str | None
    mapping: str


@dataclass(frozen=True)
class Mapped:
    """What Step Functions is given of segments: ARNs, `parts` of the object that lists them."""

    machine: str
    machine_role: str
    function: str
    role: str
    log_group: str
    parts: str


def states(part: Mapped) -> Iterator[Call]:
    """What Step Functions does to have segments worked on, and Lambda for it."""
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    machine = Arn.parse(part.machine)
    source = (("aws:SourceAccount", machine.account), ("aws:SourceArn", part.machine))
    yield Call(STATES, ASSUME, part.machine_role, source)
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    for action in _LOG_DELIVERY:
        yield Call(part.machine_role, f"logs:{action}", "*")
    # Which executions each is about:
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    executions = part.machine.replace(":stateMachine:", ":execution:")
    yield Call(part.machine_role, "states:StartExecution", part.machine)
    for action in ("DescribeExecution", "StopExecution"):
        yield Call(part.machine_role, f"states:{action}", f"{executions}:0f1e2d")
    yield Call(part.machine_role, "states:RedriveExecution", f"{executions}/segments:0f1e2d")
    # https://docs.aws.amazon.com/step-functions/latest/dg/lambda-iam.html
    yield Call(part.machine_role, "lambda:InvokeFunction", part.function)
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    yield Call(part.machine_role, "s3:GetObject", part.parts, owner_of_bucket(part.machine_role))
    yield from _runs(part.role, part.log_group)


def _runs(role: str, log_group: str) -> Iterator[Call]:
    """What Lambda does to run a function."""
    # The service's name is the same in every partition.
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    yield Call(LAMBDA, ASSUME, role)
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html#monitoring-cloudwatchlogs-prereqs
    # The stream's name is Lambda's to choose.
    log_stream = f"{log_group}:log-stream:2026/01/01/[$LATEST]0123456789abcdef"
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Call(role, f"logs:{action}", log_stream)


def lambdas(hop: Served) -> Iterator[Call]:
    """What Lambda does to run a hop's function and to feed it."""
    yield from _runs(hop.role, hop.log_group)
    # https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-permissions.html
    # and, for what each can be limited to,
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    for action in ("DescribeStream", "GetRecords", "GetShardIterator"):
        yield Call(hop.role, f"dynamodb:{action}", hop.stream)
    yield Call(hop.role, "dynamodb:ListStreams", "*")
    if hop.quarantine is None:
        return
    # https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html#dynamodb-on-failure-destination-console
    given_up = f"aws/lambda/{hop.mapping}/shardId-0/2026/01/01/2026-01-01T00.00.00-0"
    owner = owner_of_bucket(hop.role)
    yield Call(hop.role, "s3:PutObject", f"{hop.quarantine}/{given_up}", owner)
    yield Call(hop.role, "s3:ListBucket", hop.quarantine, owner)


def in_the_callers_name(calls: Iterable[Call], keys: Mapping[str, str]) -> Iterator[Call]:
    """What services do with the keys of tables, streams' tables, buckets and secrets (by ARN).

    DynamoDB decrypts the table's key when it is accessed; that alone is done in the name of who
    accesses it, as the CloudTrail events there show. A stream has its table's key.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-cmk-trail
    S3 asks for a key in the name of who puts an object, and decrypts in that of who gets it.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    Secrets Manager decrypts a secret in the name of who reads it.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-authz
    """
    for call in calls:
        whole = call.resource.partition("/")[0] if ":s3:" in call.resource else call.resource
        key, action = keys.get(table_arn_of_stream(whole)), _WITH_KEY.get(call.action, "Decrypt")
        if key is not None and action is not None:
            arn = Arn.parse(key)
            suffix = "amazonaws.com.cn" if arn.partition == "aws-cn" else "amazonaws.com"
            through = f"{Arn.parse(whole).service}.{arn.region}.{suffix}"
            yield Call(call.who, f"kms:{action}", key, (("kms:ViaService", through),))
