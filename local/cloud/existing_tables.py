"""Create the tables that a stack adopts or only names; in a local ring nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ring.settings.members import Member
from ring.topology import deployed_hops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud.cloud import Cloud
    from ring.settings.settings import Settings

_TABLE = "aws:dynamodb/table:Table"


def make_existing_tables(settings: Settings, cloud: Cloud) -> dict[str, str]:
    """Create the tables that the stack does not; map each adopted stream's ARN to the local one.

    Those are the tables of members adopted by their stream's ARN, and, where the settings restrict
    the hops, the target of a hop whose own hop is in another stack. They have the ring's keys and a
    stream. A stream's label cannot be chosen, so the local ARN differs from that in the settings.
    """
    hops = deployed_hops(settings)
    sources = {hop.source for hop in hops}
    streams: dict[str, str] = {}
    for member in dict.fromkeys([*sources, *(hop.target for hop in hops)]):
        for name in _missing_tables(member, settings, named_only=member not in sources):
            arn = _create_table(name, member, settings, cloud)
            if name == member.table and member.stream_arn:
                streams[member.stream_arn] = arn
    return streams


def _missing_tables(member: Member, settings: Settings, *, named_only: bool) -> Iterator[str]:
    if member.stream_arn or named_only:
        yield member.table
    if named_only and settings.tombstones.enabled:
        yield member.tombstones


def _create_table(name: str, member: Member, settings: Settings, cloud: Cloud) -> str:
    """Create a table and return the ARN of its stream."""
    table = settings.table
    inputs = {
        "name": name,
        "attributes": [{"name": key.name, "type": key.type} for key in table.key_attributes],
        "hashKey": table.partition_key.name,
        "rangeKey": table.sort_key.name if table.sort_key else None,
        "billingMode": "PAY_PER_REQUEST",
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
    }
    _, outputs = cloud.create(_TABLE, name, inputs, cloud.location(provider_arguments(member)))
    arn: str = outputs["streamArn"]
    return arn


def provider_arguments(member: Member) -> dict[str, Any]:
    """Return the provider arguments that the program derives from a member (`ring/replica.py`)."""
    arguments = {
        "region": member.region,
        "profile": member.profile,
        "assumeRoles": [{"roleArn": member.role}] if member.role else None,
        "allowedAccountIds": [member.account_id] if member.account_id else None,
    }
    return {name: value for name, value in arguments.items() if value is not None}
