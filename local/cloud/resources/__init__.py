"""The supported types of resources, with the boto3 calls that create them.

Inputs and outputs have the camelCase names of Pulumi's AWS provider:
https://www.pulumi.com/registry/packages/aws/api-docs/
"""

from __future__ import annotations

from collections.abc import Mapping

from local.cloud.resources.alarm import MetricAlarm
from local.cloud.resources.bucket import Bucket, BucketPublicAccessBlock
from local.cloud.resources.bucket_settings import (
    BucketLifecycleConfiguration,
    BucketPolicy,
    BucketServerSideEncryptionConfiguration,
)
from local.cloud.resources.dashboard import Dashboard
from local.cloud.resources.function import EventSourceMapping, Function
from local.cloud.resources.iam.inline_policy import RolePolicy, UserPolicy
from local.cloud.resources.iam.role import Role
from local.cloud.resources.iam.user import User
from local.cloud.resources.log_group import LogGroup
from local.cloud.resources.resource_type import (
    Created,
    Location,
    PartlyCreatedError,
    Properties,
    ResourceType,
)
from local.cloud.resources.runtime_updates import RuntimeManagementConfig
from local.cloud.resources.schedule import EventRule, EventTarget, Permission
from local.cloud.resources.state_machine import StateMachine
from local.cloud.resources.table import Table
from local.cloud.resources.topic import Topic, TopicSubscription

__all__ = [
    "RESOURCE_TYPES",
    "Created",
    "Location",
    "PartlyCreatedError",
    "Properties",
    "ResourceType",
]

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    "aws:cloudwatch/dashboard:Dashboard": Dashboard(),
    "aws:cloudwatch/eventRule:EventRule": EventRule(),
    "aws:cloudwatch/eventTarget:EventTarget": EventTarget(),
    "aws:cloudwatch/logGroup:LogGroup": LogGroup(),
    "aws:cloudwatch/metricAlarm:MetricAlarm": MetricAlarm(),
    "aws:dynamodb/table:Table": Table(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/user:User": User(),
    "aws:iam/userPolicy:UserPolicy": UserPolicy(),
    "aws:lambda/eventSourceMapping:EventSourceMapping": EventSourceMapping(),
    "aws:lambda/function:Function": Function(),
    "aws:lambda/permission:Permission": Permission(),
    "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig": RuntimeManagementConfig(),
    "aws:s3/bucket:Bucket": Bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        BucketLifecycleConfiguration()
    ),
    "aws:s3/bucketPolicy:BucketPolicy": BucketPolicy(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": BucketPublicAccessBlock(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        BucketServerSideEncryptionConfiguration()
    ),
    "aws:sfn/stateMachine:StateMachine": StateMachine(),
    "aws:sns/topic:Topic": Topic(),
    "aws:sns/topicSubscription:TopicSubscription": TopicSubscription(),
}
"""The supported types of resources, by Pulumi's type token."""
