"""Validate arguments against the types of Pulumi's AWS provider, as its `Check` does.

The provider's plugin is not used here, but its Python package is generated from the same schema:
each resource has a class of arguments with the properties' names and types.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi_aws as aws
from pulumi import _types as pulumi_types
from pulumi.runtime import rpc

_ARGUMENTS: Mapping[str, type] = {
    "aws:cloudwatch/dashboard:Dashboard": aws.cloudwatch.DashboardArgs,
    "aws:cloudwatch/eventRule:EventRule": aws.cloudwatch.EventRuleArgs,
    "aws:cloudwatch/eventTarget:EventTarget": aws.cloudwatch.EventTargetArgs,
    "aws:cloudwatch/logGroup:LogGroup": aws.cloudwatch.LogGroupArgs,
    "aws:cloudwatch/metricAlarm:MetricAlarm": aws.cloudwatch.MetricAlarmArgs,
    "aws:dynamodb/table:Table": aws.dynamodb.TableArgs,
    "aws:iam/role:Role": aws.iam.RoleArgs,
    "aws:iam/rolePolicy:RolePolicy": aws.iam.RolePolicyArgs,
    "aws:iam/user:User": aws.iam.UserArgs,
    "aws:iam/userPolicy:UserPolicy": aws.iam.UserPolicyArgs,
    "aws:lambda/eventSourceMapping:EventSourceMapping": aws.lambda_.EventSourceMappingArgs,
    "aws:lambda/function:Function": aws.lambda_.FunctionArgs,
    "aws:lambda/permission:Permission": aws.lambda_.PermissionArgs,
    "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig": (
        aws.lambda_.RuntimeManagementConfigArgs
    ),
    "aws:s3/bucket:Bucket": aws.s3.BucketArgs,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        aws.s3.BucketLifecycleConfigurationArgs
    ),
    "aws:s3/bucketPolicy:BucketPolicy": aws.s3.BucketPolicyArgs,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": aws.s3.BucketPublicAccessBlockArgs,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        aws.s3.BucketServerSideEncryptionConfigurationInitArgs
    ),
    "aws:sfn/stateMachine:StateMachine": aws.sfn.StateMachineArgs,
    "aws:sns/topic:Topic": aws.sns.TopicArgs,
    "aws:sns/topicSubscription:TopicSubscription": aws.sns.TopicSubscriptionArgs,
    "pulumi:providers:aws": aws.ProviderArgs,
}
_BASIC: Mapping[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int, float),
    float: (int, float),
}


@dataclass(frozen=True)
class Failure:
    """A property that the provider would reject, by its path, and the reason."""

    property: str
    reason: str


def failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return the invalid arguments of a resource. Values that are not known yet are valid.

    Numbers and booleans may be text, as in Pulumi. A type without an entry here has no failures.
    """
    arguments = _ARGUMENTS.get(token)
    return list(_in_object(inputs, arguments, "")) if arguments else []


def _in_object(value: Mapping[str, Any], arguments: type, path: str) -> typing.Iterator[Failure]:
    known = _properties(arguments)
    for name, part in value.items():
        part_path = f"{path}.{name}" if path else name
        if name in known:
            yield from _in_value(part, known[name], part_path)
        elif not name.startswith("__"):
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            yield Failure(part_path, f"{arguments.__name__} has no property `{name}`.{hint}")


def _in_value(value: Any, wanted: Any, path: str) -> typing.Iterator[Failure]:
    wanted = pulumi_types.unwrap_type(wanted)
    if value is None or value == rpc.UNKNOWN:
        return
    if pulumi_types.is_input_type(wanted):
        if isinstance(value, Mapping):
            yield from _in_object(value, wanted, path)
        else:
            yield Failure(path, f"{value!r} is not a {wanted.__name__}.")
        return
    parts = typing.get_args(wanted)
    match typing.get_origin(wanted):
        case origin if origin is Sequence:
            yield from _in_list(value, parts[0], path)
        case origin if origin is Mapping:
            yield from _in_map(value, parts[1], path)
        case None if wanted in _BASIC and not _is_a(value, wanted):
            yield Failure(path, f"{value!r} is not a {wanted.__name__}.")


def _in_list(value: Any, wanted: Any, path: str) -> typing.Iterator[Failure]:
    if not isinstance(value, list):
        yield Failure(path, f"{value!r} is not a list.")
        return
    for index, part in enumerate(value):
        yield from _in_value(part, wanted, f"{path}[{index}]")


def _in_map(value: Any, wanted: Any, path: str) -> typing.Iterator[Failure]:
    if not isinstance(value, Mapping):
        yield Failure(path, f"{value!r} is not a map.")
        return
    for name, part in value.items():
        yield from _in_value(part, wanted, f"{path}.{name}")


def _is_a(value: Any, wanted: type) -> bool:
    if wanted is bool:
        return isinstance(value, bool) or value in ("true", "false")
    if wanted is str:
        return isinstance(value, str)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return False
    whole = wanted is float or (isinstance(value, (int, float)) and value == int(value))
    return isinstance(value, _BASIC[wanted]) and not isinstance(value, bool) and whole


@cache
def _properties(arguments: type) -> Mapping[str, Any]:
    """Return the property types of an argument class, by Pulumi's names."""
    return pulumi_types.input_type_types(arguments) if pulumi_types.is_input_type(arguments) else {}


def is_input(token: str, name: str) -> bool:
    """Return whether a resource type has an input of this name."""
    arguments = _ARGUMENTS.get(token)
    return arguments is not None and name in _properties(arguments)
