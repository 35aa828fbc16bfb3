"""Type tokens and inputs of resources for the provider's tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.runtime import rpc

from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
MACHINE = "aws:sfn/stateMachine:StateMachine"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
READS = (
    '{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)
TRUST = '{"Version": "2012-10-17", "Statement": []}'
EXPIRY = {"ttl": {"attributeName": "expires", "enabled": True}}
KEY = {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-1:1:key/a"}}
INDEX = {
    "name": "by-status",
    "keySchemas": [{"attributeName": "status", "keyType": "HASH"}],
    "projectionType": "ALL",
}
INDEXED = {
    "attributes": [{"name": "id", "type": "S"}, {"name": "status", "type": "S"}],
    "globalSecondaryIndexes": [INDEX],
}


def table(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        **more,
    }


def made(
    connection: Connection, token: str, inputs: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Check and make a resource; return its id and its outputs."""
    answer = connection.create(token, decoded(connection.check(token, inputs).inputs))
    return answer.id, decoded(answer.properties)


def code(text: str) -> dict[str, Any]:
    """An archive as the engine sends it, with its hash."""
    part = {rpc._special_sig_key: rpc._special_asset_sig, "text": text}
    return {
        rpc._special_sig_key: rpc._special_archive_sig,
        "hash": str(hash(text)),
        "assets": {"app.py": part},
    }


def function(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": "arn:aws:iam::123456789012:role/runs",
        "runtime": "python3.13",
        "handler": "app.handle",
        "code": code("def handle(*_): ..."),
        "loggingConfig": {"logFormat": "Text", "logGroup": "one"},
        **more,
    }
