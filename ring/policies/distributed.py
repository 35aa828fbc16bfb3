"""Policies of the state machine, functions and roles that process segments. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ring.policies.statements import (
    Bucket,
    Document,
    TableAccess,
    allow,
    allow_key,
    allow_key_of_bucket,
    allow_logs,
    allow_objects,
    document,
)
from ring.state_machine import LABEL

# The API calls of a distributed check, and those that a backfill adds:
# operate/reconcile/fingerprints.py, operate/reconcile/compare_page.py,
# operate/reconcile/member_states.py, operate/reconcile/backfill_key.py.
_CHECK = ("dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:GetItem")
_BACKFILL = ("dynamodb:PutItem",)
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
    return document(
        *(_whole_tables(direct, writes) if direct else ()),
        *([allow("AssumeReaders", ("sts:AssumeRole",), *roles)] if roles else ()),
        allow_logs(log_group),
        allow_objects("Results", ("s3:PutObject", "s3:GetObject"), results),
        *allow_key_of_bucket("ResultsKey", results, "kms:GenerateDataKey", "kms:Decrypt"),
    )


def reader_policy(end: TableAccess, *, writes: bool) -> Document:
    """Return the policy of the role in a member's account that processes segments there."""
    return document(*_whole_tables([end], writes))


def log_delivery_policy() -> Document:
    """Return the policy that lets a state machine log its executions.

    Step Functions checks it when the machine is created, so it has to exist before.
    """
    return document(allow("DeliverLogs", _LOG_DELIVERY, "*"))


def machine_policy(*, machine: str, function: str, results: Bucket) -> Document:
    """Return the policy of a state machine with a Distributed Map; `machine`, `function` are ARNs.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    executions = machine.replace(":stateMachine:", ":execution:")
    return document(
        allow("StartSegments", ("states:StartExecution",), machine),
        allow(
            "WatchSegments",
            ("states:DescribeExecution", "states:StopExecution"),
            f"{executions}:*",
        ),
        allow("RedriveSegments", ("states:RedriveExecution",), f"{executions}/{LABEL}:*"),
        allow("WorkOnSegments", ("lambda:InvokeFunction",), function),
        # Step Functions has no parameter for the bucket's expected owner: the policy checks it.
        allow_objects("ReadParts", "s3:GetObject", results),
        *allow_key_of_bucket("PartsKey", results, "kms:Decrypt"),
    )


def _whole_tables(ends: Sequence[TableAccess], writes: bool) -> list[Document]:
    """Return one statement for all tables of a kind: the size of a role's policies is limited."""
    items = (*_CHECK, *(_BACKFILL if writes else ()))
    statements = [allow("Items", items, *(end.table for end in ends))]
    if tombstones := [end.tombstones for end in ends if end.tombstones]:
        statements.append(allow("Tombstones", _CHECK, *tombstones))
    keyed = [(end.kms_key, end.region) for end in ends if end.kms_key]
    return statements + [
        allow_key(f"Key{index}", key, f"dynamodb.{region}")
        for index, (key, region) in enumerate(dict.fromkeys(keyed))
    ]
