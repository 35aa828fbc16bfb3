"""Refuse adopted tables whose stream a hop cannot read, before anything is created.

A stream keeps its view type for life, and a hop needs both images: with another view type it stops
at the first record (`handler.envelope`). Pulumi does not check the stream's ARN, so this asks
DynamoDB. It does not ask for a bypassed member: its region may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Credentials
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import deployed_hops

_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_SWITCH = (
    f"Disable the table's stream, enable it again with {_BOTH_IMAGES}, and write its new ARN. "
    "Records of the old stream are not replicated: run `check` afterwards."
)

Table = Mapping[str, Any]


def ensure_replicable(settings: Settings, clients: ClientPool) -> None:
    """Raise `InvalidRequestError` with every error in adopted tables.

    Raises `PrerequisiteError` or `OperationFailedError` where DynamoDB does not answer.
    """
    problems = [
        problem
        for key, member in _adopted(settings)
        for problem in _problems(key, member, settings, _describe(key, member, clients))
    ]
    if not problems:
        return
    lines = "\n\n".join(f"  {problem}" for problem in problems)
    raise InvalidRequestError(
        f"These tables cannot be adopted; nothing was changed.\n\n{lines}\n", problems
    )


def _adopted(settings: Settings) -> Iterator[tuple[str, Member]]:
    """Yield the adopted members whose streams this stack's hops read, with the setting's key."""
    sources = [hop.source for hop in deployed_hops(settings)]
    for index, member in enumerate(members_of(settings)):
        if member.stream_arn and member.state != "bypassed" and member in sources:
            yield f"members[{index}].stream_arn", member


def _describe(key: str, member: Member, clients: ClientPool) -> Table | None:
    """Describe a member's table; None if it does not exist."""
    about = (
        f"{key}: table {member.table} in {member.region} could not be described, so its stream "
        "was not checked. Allow dynamodb:DescribeTable there; if the region is down, run "
        f"`automate.py bypass {member.name}`"
    )
    credentials = Credentials(member.profile, member.role, member.external_id)
    with translate_aws_errors(about):
        client = clients.get(credentials, member.region, "dynamodb", brief=True)
        try:
            table: Table = client.describe_table(TableName=member.table)["Table"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ResourceNotFoundException":
                return None
            raise
    return table


def _problems(
    key: str, member: Member, settings: Settings, table: Table | None
) -> Iterator[SettingProblem]:
    name = f"table {member.table} in {member.region}"
    if table is None:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"there is no {name} to adopt",
            "Correct the ARN, or leave it out to have the table created.",
        )
        return
    yield from _check_stream(key, member, name, table)
    yield from _check_keys(key, member, name, settings, table)


def _check_stream(key: str, member: Member, name: str, table: Table) -> Iterator[SettingProblem]:
    stream = table.get("StreamSpecification") or {}
    view, latest = stream.get("StreamViewType"), table.get("LatestStreamArn")
    if not stream.get("StreamEnabled"):
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the stream of {name} is disabled, so its changes would not be replicated",
            f"Enable it with {_BOTH_IMAGES}, and write its new ARN.",
        )
    elif view != _BOTH_IMAGES:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the stream of {name} has the view type {view}, and a hop needs {_BOTH_IMAGES}: "
            "without both images it cannot distinguish an update from a delete",
            _SWITCH,
        )
    elif latest != member.stream_arn:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the latest stream of {name} is {latest}: this one gets no new records",
            f"Write {latest}. Records of the old stream that no hop has read are not replicated: "
            "run `check` afterwards.",
        )


def _check_keys(
    key: str, member: Member, name: str, settings: Settings, table: Table
) -> Iterator[SettingProblem]:
    types = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in table["AttributeDefinitions"]
    }
    schema = sorted(table["KeySchema"], key=lambda element: element["KeyType"])  # HASH, RANGE
    found = [f"{element['AttributeName']}:{types[element['AttributeName']]}" for element in schema]
    keys = (settings.table.partition_key, settings.table.sort_key)
    wanted = [f"{attribute.name}:{attribute.type}" for attribute in keys if attribute]
    if found != wanted:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"{name} has the keys {', '.join(found)}, and the ring's are {', '.join(wanted)}: "
            "every hop that writes there would fail",
            "Correct `table.partition_key` and `table.sort_key`, or adopt another table.",
        )
