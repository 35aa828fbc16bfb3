"""Refuse adopted tables whose stream a hop cannot replicate from, before anything is made.

A stream keeps its view type for life, and a hop needs both images: with another one it stops at the
first record (`handler.envelope`). Pulumi takes the stream's ARN as it is given, so DynamoDB is
asked here. A member that is bypassed is not asked: its region may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Credentials
from operate.errors import InvalidRequestError
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import deployed_hops

QUICKLY = Config(
    connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)
"""For clients that must not wait long for a region that does not answer."""

_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_SWITCH = (
    f"Disable the table's stream, enable it again with {_BOTH_IMAGES}, and write its new ARN. "
    "Records of the old stream are not replicated: run `check` afterwards."
)

Table = Mapping[str, Any]


def ensure_replicable(settings: Settings, clients: ClientPool) -> None:
    """Raise `InvalidRequestError` with everything that is wrong with adopted tables.

    Raises `PrerequisiteError` or `OperationFailedError` where DynamoDB cannot be asked.
    """
    mistakes = [
        mistake
        for key, member in _adopted(settings)
        for mistake in _mistakes(key, member, settings, _described(key, member, clients))
    ]
    if not mistakes:
        return
    told = "\n\n".join(f"  {mistake}" for mistake in mistakes)
    raise InvalidRequestError(
        f"The stack cannot adopt what DynamoDB has, nothing was changed.\n\n{told}\n", mistakes
    )


def _adopted(settings: Settings) -> Iterator[tuple[str, Member]]:
    """Adopted members whose streams this stack's hops read, each with its setting's key."""
    sources = [hop.source for hop in deployed_hops(settings)]
    for at, member in enumerate(members_of(settings)):
        if member.stream_arn and member.state != "bypassed" and member in sources:
            yield f"members[{at}].stream_arn", member


def _described(key: str, member: Member, clients: ClientPool) -> Table | None:
    """The table as DynamoDB describes it; None: there is none."""
    about = (
        f"{key}: DynamoDB could not be asked about table {member.table} in {member.region}, and a "
        "stream that a hop cannot read must not be deployed. Allow dynamodb:DescribeTable there; "
        f"if the region is out, run `automate.py bypass {member.name}`"
    )
    credentials = Credentials(member.profile, member.role, member.external_id)
    with translate_aws_errors(about):
        client = clients.get(credentials, member.region, "dynamodb")
        try:
            table: Table = client.describe_table(TableName=member.table)["Table"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ResourceNotFoundException":
                return None
            raise
    return table


def _mistakes(
    key: str, member: Member, settings: Settings, table: Table | None
) -> Iterator[SettingProblem]:
    place = f"table {member.table} in {member.region}"
    if table is None:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"there is no {place} to adopt",
            "Correct the ARN, or leave it out to have the table created.",
        )
        return
    yield from _stream(key, member, place, table)
    yield from _keys(key, member, place, settings, table)


def _stream(key: str, member: Member, place: str, table: Table) -> Iterator[SettingProblem]:
    stream = table.get("StreamSpecification") or {}
    view, latest = stream.get("StreamViewType"), table.get("LatestStreamArn")
    if not stream.get("StreamEnabled"):
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the stream of {place} is disabled, so its changes would not be replicated",
            f"Enable it with {_BOTH_IMAGES}, and write its new ARN.",
        )
    elif view != _BOTH_IMAGES:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the stream of {place} has the view type {view}, and a hop needs {_BOTH_IMAGES}: "
            "without both images it cannot tell an update from a delete",
            _SWITCH,
        )
    elif latest != member.stream_arn:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"the latest stream of {place} is {latest}: this one gets no new records",
            f"Write {latest}. Records of the old stream that no hop has read are not replicated: "
            "run `check` afterwards.",
        )


def _keys(
    key: str, member: Member, place: str, settings: Settings, table: Table
) -> Iterator[SettingProblem]:
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    found = [
        f"{one['AttributeName']}:{types[one['AttributeName']]}"
        for one in sorted(table["KeySchema"], key=lambda one: one["KeyType"])  # HASH, RANGE
    ]
    keys = (settings.table.partition_key, settings.table.sort_key)
    wanted = [f"{one.name}:{one.type}" for one in keys if one]
    if found != wanted:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"{place} has the keys {', '.join(found)}, and the ring's are {', '.join(wanted)}: "
            "every hop that writes there would fail",
            "Correct `table.partition_key` and `table.sort_key`, or adopt another table.",
        )
