"""The tables that a stack expects to find: somebody else's, which a local ring must make first."""

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
    """Make the tables that the stack does not create; return the ARN of each adopted stream here.

    Those are the tables of members that are adopted by their stream's ARN, and, where the settings
    restrict the hops, the target of a hop whose own hop is in another stack. They have the ring's
    keys and a stream. The label of a stream cannot be chosen, so an adopted one has another ARN
    here than in the settings: the answer maps the latter to the former.
    """
    ways = deployed_hops(settings)
    sources = {way.source for way in ways}
    streams: dict[str, str] = {}
    for member in dict.fromkeys([*sources, *(way.target for way in ways)]):
        for name in _missing(member, settings, named_only=member not in sources):
            arn = _make(name, member, settings, cloud)
            if name == member.table and member.stream_arn:
                streams[member.stream_arn] = arn
    return streams


def _missing(member: Member, settings: Settings, *, named_only: bool) -> Iterator[str]:
    if member.stream_arn or named_only:
        yield member.table
    if named_only and settings.tombstones.enabled:
        yield member.tombstones


def _make(name: str, member: Member, settings: Settings, cloud: Cloud) -> str:
    """Make one table, and return the ARN of its stream."""
    table = settings.table
    keys = [table.partition_key, *([table.sort_key] if table.sort_key else [])]
    inputs = {
        "name": name,
        "attributes": [{"name": key.name, "type": key.type} for key in keys],
        "hashKey": table.partition_key.name,
        "rangeKey": table.sort_key.name if table.sort_key else None,
        "billingMode": "PAY_PER_REQUEST",
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
    }
    _, outputs = cloud.create(_TABLE, name, inputs, cloud.place(provider_of(member)))
    arn: str = outputs["streamArn"]
    return arn


def provider_of(member: Member) -> dict[str, Any]:
    """Return what the program tells a provider about where a member is (see `ring/replica.py`)."""
    told = {
        "region": member.region,
        "profile": member.profile,
        "assumeRoles": [{"roleArn": member.role}] if member.role else None,
        "allowedAccountIds": [member.account_id] if member.account_id else None,
    }
    return {name: value for name, value in told.items() if value is not None}
