"""The deployer's rights that docs/reference/iam.md lists: what deploying asks for, and no more."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from tests.permissions.deploying import lives
from tests.permissions.judge import Call, permits, read_policy
from tests.permissions.test_permissions import lint

DOCS = (PROJECT_ROOT / "docs" / "reference" / "iam.md").read_text()
KEY = "arn:aws:kms:us-east-1:123456789012:key/1f0f2d4e-5f0b-4c7a-9a53-6d8c1c5b7a10"
FULL = StackConfig.of(
    {
        "table": {
            "name": "orders",
            "partition_key": {"name": "id", "type": "S"},
            "ttl": {"attribute": "expires"},
        },
        "members": [{"region": "us-east-1", "kms_key": KEY}, {"region": "eu-west-1"}],
        "heartbeat": {"enabled": True},
        "distributed": {"enabled": True},
        "monitoring": {"email": "ops@example.com"},
        "function": {"runtime_updates": "function_update"},
    }
)
_TERRAFORM = "https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service"
_PULUMI = "https://github.com/pulumi/pulumi-aws/blob/master/provider"

BEYOND: dict[str, tuple[str, ...]] = {
    f"{_PULUMI}/config.go": ("sts:GetCallerIdentity",),
    f"{_TERRAFORM}/lambda/function.go": (
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionConfiguration",
        "lambda:ListVersionsByFunction",
    ),
    f"{_TERRAFORM}/lambda/runtime_management_config.go": (
        "lambda:GetRuntimeManagementConfig",
        "lambda:PutRuntimeManagementConfig",
    ),
    f"{_TERRAFORM}/sfn/state_machine.go": ("states:ListStateMachineVersions",),
    f"{_TERRAFORM}/iam/role.go": ("iam:ListInstanceProfilesForRole",),
    f"{_TERRAFORM}/iam/user.go": ("iam:ListGroupsForUser",),
    # Of a subscription that somebody has confirmed.
    f"{_TERRAFORM}/sns/topic_subscription.go": ("sns:Unsubscribe",),
    f"{_TERRAFORM}/s3/bucket.go": (
        "s3:DeleteObject",  # with all that is in a bucket of results
        "s3:DeleteObjectVersion",
        "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl",
        "s3:GetBucketCORS",
        "s3:GetBucketLocation",
        "s3:GetBucketLogging",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketRequestPayment",
        "s3:GetBucketVersioning",
        "s3:GetBucketWebsite",
        "s3:GetReplicationConfiguration",
        "s3:ListBucketVersions",
    ),
}
"""What the real provider calls and the one here does not, by where it does so."""


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return lives(FULL, StackConfig.read(PROJECT_ROOT, "china"))


def document(partition: str = "aws") -> Any:
    (text,) = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)
    return json.loads(text.replace("arn:aws:", f"arn:{partition}:"))


@pytest.mark.long
def test_all_that_deploying_asks_for_is_listed(calls: list[Call]) -> None:
    law = [read_policy(document(one)) for one in ("aws", "aws-cn")]
    denied = {f"{call.action} on {call.resource}" for call in calls if not permits(law, call)}
    assert denied == set()


def test_all_of_it_fits_into_one_managed_policy() -> None:
    assert len(json.dumps(document("aws-us-gov"), separators=(",", ":"))) <= 6_144


@pytest.mark.long
def test_all_that_is_listed_is_asked_for(calls: list[Call]) -> None:
    beyond = {action for actions in BEYOND.values() for action in actions}
    idle = {
        f"{statement['Sid']}: {action}"
        for statement in document()["Statement"]
        for action in statement["Action"]
        if action not in beyond and not any(is_for(statement, action, call) for call in calls)
    }
    assert idle == set()


def is_for(statement: dict[str, Any], action: str, call: Call) -> bool:
    alone = {"Version": "2012-10-17", "Statement": [{**statement, "Action": action}]}
    return permits([read_policy(alone)], call)


@pytest.mark.long
def test_all_that_the_real_provider_asks_for_beyond_that_is_listed(calls: list[Call]) -> None:
    listed = {action for one in document()["Statement"] for action in one["Action"]}
    beyond = {action for actions in BEYOND.values() for action in actions}
    assert beyond <= listed
    assert beyond & {call.action for call in calls} == set()


def test_each_right_is_on_something_that_it_can_be_given_on() -> None:
    # Of what a deployer may do, the linter says that it is much; it is what deploying is.
    # Who may write a bucket's policy could let himself in; so could who writes a role's.
    expected = {
        "RESOURCE_STAR",
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        "PRIVILEGE_ESCALATION",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
    }
    found = lint("arn:aws:iam::1:role/deploys", document())
    assert [str(one) for one in found if one.issue not in expected] == []
