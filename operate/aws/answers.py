"""Tell within seconds that a member does not answer, before an operation waits minutes for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import DeployedMember
from operate.errors import OperationFailedError

NO_ANSWER = (ConnectionError, HTTPClientError)
"""Errors of requests to which there was no answer."""


def ensure_answering(
    member: DeployedMember,
    clients: ClientPool,
    command: Callable[[str], str] = "`automate.py {}`".format,
) -> None:
    """Raise `OperationFailedError` if a member's region does not answer, `PrerequisiteError` too.

    Any answer counts, one that refuses as well: the operation itself says more about it. `command`
    completes a command to advise (`operate.rings.command_for`).
    """
    with translate_aws_errors(member.name), suppress(ClientError):
        client = clients.get(member.credentials, member.region, "dynamodb", brief=True)
        try:
            client.describe_table(TableName=member.table)
        except NO_ANSWER as error:
            raise OperationFailedError(
                f"{member.name} does not answer, so nothing was done: {error} If its region is "
                f"lost, {command(f'bypass {member.name}')} closes the ring around it; then this "
                "works for the others."
            ) from error
