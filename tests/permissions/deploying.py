"""The calls of a deployer: every resource of a stack made, read, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from local.clients import FAKE_CREDENTIALS, HOME_ACCOUNT, Accounts
from local.cloud.cloud import Change, Cloud
from local.cloud.program import Deployment, run_program
from local.endpoint.server import LocalServer
from local.stack_config import StackConfig
from ring.arn import Arn, partition_of
from ring.project import PROJECT_ROOT
from tests.permissions.calls import RecordedCall, listening
from tests.permissions.judge import Call

_PROGRAM = PROJECT_ROOT / "__main__.py"
_DEPLOYER = f"arn:aws:iam::{HOME_ACCOUNT}:role/deploys"

_OURS = {("lambda", "ListEventSourceMappings"), ("sts", "AssumeRole")}
"""Calls by which the local provider does what AWS does by itself, and plays another account."""
_UNLIMITED = {("lambda", "CreateEventSourceMapping"), ("sns", "GetSubscriptionAttributes")}
"""Calls that IAM asks for on `*`, though they name something:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""

_SERVICES = {"stepfunctions": "states"}
ACTIONS = {
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "DeleteBucketTagging"): "PutBucketTagging",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "GetBucketLifecycleConfiguration"): "GetLifecycleConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutLifecycleConfiguration",
    ("s3", "DeleteBucketLifecycle"): "PutLifecycleConfiguration",
    ("s3", "GetBucketEncryption"): "GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "DeleteBucketEncryption"): "PutEncryptionConfiguration",
}
"""Actions that are not called as their operations are:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""

# How each service names what a call is about: the parameter, and the beginning of the resource.
_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", "table/"),),
    "lambda": (("UUID", "event-source-mapping:"), ("FunctionName", "function:")),
    "iam": (("RoleName", "role/"), ("UserName", "user/")),
    "s3": (("Bucket", ""),),
    "logs": (("logGroupName", "log-group:"),),
    "cloudwatch": (("AlarmName", "alarm:"), ("DashboardName", "dashboard/")),
    "events": (("Rule", "rule/"), ("Name", "rule/")),
    "sns": (("Name", ""),),
    "stepfunctions": (("name", "stateMachine:"),),
}
_LISTED = {"AlarmNames": "alarm:", "DashboardNames": "dashboard/"}
_GLOBAL = {"iam": ("", HOME_ACCOUNT), "s3": ("", "")}


def lives(*stacks: StackConfig) -> list[Call]:
    """Return the calls of the lives of stacks, in an account of their own, as IAM sees them."""
    with listening() as ear:
        ear.whose[FAKE_CREDENTIALS["AWS_ACCESS_KEY_ID"]] = _DEPLOYER
        for stack in stacks:
            with ExitStack() as end:
                server = end.enter_context(LocalServer())
                cloud = Cloud(end.enter_context(Accounts(server.endpoint)))
                end.enter_context(ear.opened())
                _live(run_program(_PROGRAM, stack, cloud), cloud)
    return [call for made in ear.recorded for call in _asked(made)]


def _live(deployment: Deployment, cloud: Cloud) -> None:
    for one in deployment.resources:
        assert cloud.read(one.token, one.name, one.id, one.location)
        cloud.validate_plan(one.token, one.name, {}, one.outputs, one.location)
        for new in _changes(one.outputs):
            cloud.update(one.token, one.name, one.id, Change(one.outputs, new), one.location)
    for one in reversed(deployment.resources):
        cloud.delete(one.token, one.name, one.id, one.location, one.outputs)


def _changes(outputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Changes that leave out or put in what a resource of any kind may have."""
    yield {**outputs, "tags": {"team": "orders"}, "description": "changed", "timeout": 7}
    yield {**outputs, "tags": {}, "batchSize": 7, "architectures": ["x86_64"]}
    if "retentionInDays" in outputs:
        yield {name: value for name, value in outputs.items() if name != "retentionInDays"}
    for name in {"kmsKeyId", "kmsMasterKeyId"} & outputs.keys():
        yield {**outputs, name: outputs[name] + "0"}
        yield {here: value for here, value in outputs.items() if here != name}
    if "assumeRolePolicy" in outputs:
        yield {
            **outputs,
            "assumeRolePolicy": json.dumps(json.loads(outputs["assumeRolePolicy"]), indent=1),
        }
    if "deletionProtectionEnabled" in outputs:
        ttl = {"attributeName": "expires", "enabled": False}
        off = {"deletionProtectionEnabled": False, "pointInTimeRecovery": {"enabled": False}}
        yield {**outputs, **off, "ttl": ttl}


def _asked(call: RecordedCall) -> Iterator[Call]:
    if (call.service, call.operation) in _OURS:
        return
    service = _SERVICES.get(call.service, call.service)
    action = ACTIONS.get((call.service, call.operation), call.operation)
    for resource in _resources(call):
        yield Call(_DEPLOYER, f"{service}:{action}", resource)
    for name in ("Role", "roleArn"):
        if name in call.params:
            yield Call(_DEPLOYER, "iam:PassRole", call.params[name])


def _resources(call: RecordedCall) -> list[str]:
    """Return the ARNs that a call is about, or `*` for one that is about none."""
    params = call.params
    if (call.service, call.operation) in _UNLIMITED:
        return ["*"]
    if call.service == "s3" and "Key" in params:
        return [_arn(call, f"{params['Bucket']}/{params['Key']}")]
    for name, beginning in _NAMED.get(call.service, ()):
        if name in params:
            return [_arn(call, beginning + params[name].rpartition(":")[2])]
    for name, beginning in _LISTED.items():
        if name in params:
            return [_arn(call, beginning + one) for one in params[name]]
    arns = [value for name, value in params.items() if name.lower().endswith("arn")]
    arns += [params["Resource"]] if "Resource" in params else []
    return [arn for arn in arns if str(arn).startswith("arn:")][:1] or ["*"]


def _arn(call: RecordedCall, resource: str) -> str:
    region, account = _GLOBAL.get(call.service, (call.region, HOME_ACCOUNT))
    if resource.startswith("dashboard/"):
        region = ""
    service = _SERVICES.get(call.service, call.service)
    return str(Arn(partition_of(call.region), service, region, account, resource))
