"""Example commands that write and read an item of a local ring, to copy and paste."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.ring import LocalMember
    from ring.settings.sections import TableSettings

# An example for each type of a key; binary is base64 in the AWS CLI's JSON.
_EXAMPLES = {"S": "ada", "N": "1815", "B": "YWRh"}


def example_key(table: TableSettings) -> dict[str, Any]:
    """Return an example key for a table, in DynamoDB JSON."""
    return {key.name: {key.type: _EXAMPLES[key.type]} for key in table.key_attributes}


def write_line(member: LocalMember, table: TableSettings) -> str:
    """Return an AWS CLI command that writes an item at a member."""
    item = {**example_key(table), "note": {"S": "hello"}}
    return _line(member, "put-item", {"--item": item})


def read_line(member: LocalMember, table: TableSettings) -> str:
    """Return an AWS CLI command that reads the item at a member."""
    return _line(member, "get-item", {"--key": example_key(table)})


def _line(member: LocalMember, command: str, arguments: Mapping[str, Any]) -> str:
    credentials = [f"{name}={value}" for name, value in member.clients.credentials.items()]
    words = ["aws", "dynamodb", command, "--endpoint-url", member.clients.endpoint]
    words += ["--region", member.region, "--table-name", member.table]
    for option, value in arguments.items():
        words += [option, json.dumps(value)]
    return shlex.join([*credentials, *words])


def boto3_line(member: LocalMember) -> str:
    """Return a Python expression for a boto3 client of a member."""
    credentials = member.clients.credentials
    arguments = {
        "region_name": member.region,
        "endpoint_url": member.clients.endpoint,
        "aws_access_key_id": credentials["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
    }
    if "AWS_SESSION_TOKEN" in credentials:
        arguments["aws_session_token"] = credentials["AWS_SESSION_TOKEN"]
    listed = ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
    return f'boto3.client("dynamodb", {listed})'
