"""Connect to the members of a deployed ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from handler.model.expiry import ttl_attribute
from handler.store.dynamodb import MemberTables
from operate.aws.answers import ensure_answering
from operate.aws.clients import ClientPool
from operate.aws.errors import translate_aws_errors
from operate.deployed import Deployed, DeployedMember, member_index
from operate.reconcile.members import MemberConnection
from operate.reconcile.rate_limit import RateLimiter, attach_rate_limiter
from operate.stop import Stop

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAY = 24 * 60 * 60


def connect_members(  # noqa: PLR0913 - keywords, each with a default
    deployed: Deployed,
    clients: ClientPool,
    *,
    only: Sequence[str] = (),
    rate: float | None = None,
    stop: Stop | None = None,
    command: Callable[[str], str] = "`automate.py {}`".format,
) -> list[MemberConnection]:
    """Connect to the members of a ring, or `only` to those named, in ring order.

    `rate` limits the capacity units per second at each member. After a `stop`, calls in progress
    ignore the limit. `command` completes a command to advise (`operate.rings.command_for`).

    Raises:
        InvalidRequestError: A name in `only` is unknown.
        PrerequisiteError: Credentials are missing or do not permit a call.
        OperationFailedError: A call to AWS failed; after seconds if a member does not answer.
    """
    names = [member.name for member in deployed.members]
    for name in only:
        member_index(names, name)
    chosen = [member for member in deployed.members if not only or member.name in only]
    connections = []
    for member in chosen:
        ensure_answering(member, clients, command)
        connections.append(_connect(deployed, member, clients, RateLimiter(rate, stop=stop)))
    return connections


def _connect(
    deployed: Deployed, member: DeployedMember, clients: ClientPool, limiter: RateLimiter
) -> MemberConnection:
    with translate_aws_errors(member.name):
        client: DynamoDBClient = clients.get(member.credentials, member.region, "dynamodb")
        attach_rate_limiter(client, limiter)
        table = client.describe_table(TableName=member.table)["Table"]
        ttl = client.describe_time_to_live(TableName=member.table)["TimeToLiveDescription"]
        deletes = member.tombstones and client.describe_table(TableName=member.tombstones)["Table"]
    keys = tuple(element["AttributeName"] for element in table["KeySchema"])
    types = {
        attribute["AttributeName"]: attribute["AttributeType"]
        for attribute in table["AttributeDefinitions"]
    }
    ids = {each.name: each.replica for each in deployed.members}
    next_ids = [ids[hop.target] for hop in deployed.hops if hop.source == member.name]
    return MemberConnection(
        name=member.name,
        region=member.region,
        replica=member.replica,
        next_replicas=tuple(replica for replica in next_ids if replica is not None),
        client=client,
        tables=MemberTables(member.table, member.tombstones, member.retention_days * _DAY),
        keys=keys,
        types=tuple(types[name] for name in keys),
        ttl_attribute=ttl_attribute(ttl),
        item_count=table.get("ItemCount", 0),
        tombstone_count=deletes.get("ItemCount", 0) if deletes else 0,
        rate_limiter=limiter,
        table_identity=f"{table['TableArn']} {table['CreationDateTime'].timestamp()}",
    )
