"""Inputs of resources for a local cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from local.cloud.cloud import Cloud
from local.cloud.resources import Location

TABLE = "aws:dynamodb/table:Table"
WRITES = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}],
    }
)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def table(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "hashKey": "customer",
        "attributes": [{"name": "customer", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        **more,
    }


def described(place: Location, name: str) -> Mapping[str, Any]:
    return place.clients.dynamodb(place.region).describe_table(TableName=name)["Table"]


def role(cloud: Cloud, place: Location, name: str) -> str:
    """Make a role; return its ARN."""
    inputs = {"assumeRolePolicy": TRUST, "name": name, "description": "replicates"}
    arn: str = cloud.create("aws:iam/role:Role", "r", inputs, place)[1]["arn"]
    return arn


def function(cloud: Cloud, place: Location, name: str) -> dict[str, Any]:
    """Make a function; return its outputs."""
    inputs = {
        "name": name,
        "role": role(cloud, place, f"{name}-role"),
        "runtime": "python3.13",
        "handler": "app.handle",
        "architectures": ["arm64"],
        "code": pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handle(*_): ...")}),
        "environment": {"variables": {"A": "1"}},
        "timeout": 60.0,
        "memorySize": 512.0,
    }
    return cloud.create("aws:lambda/function:Function", "f", inputs, place)[1]
