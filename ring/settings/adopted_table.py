"""Tables that a ring adopts: whether its hops can read their streams, and write to them. Pure.

A stream keeps its view type for life, and a hop needs both images: with another view type it stops
at the first record (`handler.envelope`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ring.settings.errors import SettingProblem
from ring.settings.members import Member

if TYPE_CHECKING:
    from ring.settings.settings import Settings

_BOTH_IMAGES = "NEW_AND_OLD_IMAGES"
_SWITCH = (
    f"Disable the table's stream, enable it again with {_BOTH_IMAGES}, and write its new ARN. "
    "Records of the old stream are not replicated: run `check` afterwards."
)

Table = Mapping[str, Any]
"""A table as DynamoDB's DescribeTable describes it."""


def check_adopted_table(
    key: str, member: Member, settings: Settings, table: Table
) -> Iterator[SettingProblem]:
    """Yield the problems of a member's table. `key` is the path of its `stream_arn`."""
    name = f"table {member.table} in {member.region}"
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
    wanted = [f"{attribute.name}:{attribute.type}" for attribute in settings.table.key_attributes]
    if found != wanted:
        yield SettingProblem(
            key,
            member.stream_arn,
            f"{name} has the keys {', '.join(found)}, and the ring's are {', '.join(wanted)}: "
            "every hop that writes there would fail",
            "Correct `table.partition_key` and `table.sort_key`, or adopt another table.",
        )
