"""Trust policies: who may assume a role. Pure."""

from __future__ import annotations

from ring.arn import Arn
from ring.policies.statements import Document, document


def lambda_trust() -> Document:
    """Let Lambda assume the role. The service principal is the same in every partition."""
    return _trust({"Service": "lambda.amazonaws.com"})


def writer_trust(role: str) -> Document:
    """Let one other role, that of a function, assume the role."""
    return _trust({"AWS": role})


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


def _trust(
    principal: dict[str, str], condition: dict[str, dict[str, str]] | None = None
) -> Document:
    return document(
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "sts:AssumeRole",
            **({"Condition": condition} if condition else {}),
        }
    )
