"""Refuse adopted tables that do not fit, before the engine is started.

The Pulumi program does so too (`ring.resources.adopted_stream`), one table at a time. Neither asks
about a bypassed member: its region may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Credentials
from operate.errors import InvalidRequestError
from ring.arn import Arn
from ring.settings.adopted_table import Table, check_adopted_table
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.topology import deployed_hops


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
    account = member.stream_arn and Arn.parse(member.stream_arn).account
    if table is None:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"there is no {name} to adopt",
            f"Correct the ARN; or set `profile` or `role` to credentials for account {account}, if "
            "these are for another; or leave it out to have the table created.",
        )
    elif (found := Arn.parse(table["TableArn"]).account) != account:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"by these credentials {name} is in account {found}, and the stream in {account}",
            f"Set `profile` or `role` of the member to credentials for {account}, or correct the "
            "ARN.",
        )
    else:
        yield from check_adopted_table(key, member, settings, table)
