"""Refuse settings that cannot change once they are deployed. Pure.

With such a change Pulumi would fail halfway, replace a table with an empty one, or report success
and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from operate.deployed import Deployed, DeployedMember, TableShape
from operate.deployment.preflight.omitted_settings import omitted_settings
from operate.errors import InvalidRequestError
from ring.arn import Arn
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.text import counted
from ring.topology import deployed_hops

_ANOTHER_RING = (
    "Leave it as it is deployed. To change it, make a ring with another `table.name`, copy the "
    "items into one of its members, point the applications there, and destroy this one."
)


def ensure_unchanged(deployed: Deployed, settings: Settings) -> None:
    """Raise `InvalidRequestError` with every setting that cannot change."""
    problems = immutable_violations(deployed, settings)
    if not problems:
        return
    count = counted(len(problems), "setting")
    lines = "\n\n".join(f"  {problem}" for problem in problems)
    raise InvalidRequestError(
        f"{count} cannot change on what is deployed; nothing was changed.\n\n{lines}\n", problems
    )


def immutable_violations(deployed: Deployed, settings: Settings) -> list[SettingProblem]:
    """Return every setting that cannot change, with the deployed value and what to do instead."""
    return list(_violations(deployed, settings))


def _violations(deployed: Deployed, settings: Settings) -> Iterator[SettingProblem]:
    current = {member.name: member for member in deployed.members if not member.named_only}
    wanted = _shape(settings)
    yield from _check_keys(current, wanted)
    yield from _check_local_indexes(current, wanted)
    created = [member for member in current.values() if member.created]
    yield from omitted_settings(created, settings.table)
    # Members that this stack only names are checked by the stack that deploys them.
    sources = {hop.source for hop in deployed_hops(settings)}
    for index, member in enumerate(members_of(settings)):
        before = current.get(member.name) or current.get(member.resource_name)
        if member in sources and before:
            yield from _check_member(f"members[{index}]", member, before)
        elif member in sources:
            yield from _check_name(f"members[{index}]", member, current)
    yield from _check_removed(deployed, current, settings)


def _shape(settings: Settings) -> TableShape:
    table = settings.table
    keys = {"partition_key": table.partition_key, "sort_key": table.sort_key}
    return TableShape(
        {part: (key.name, key.type) for part, key in keys.items() if key},
        {
            index.name: (
                index.sort_key.name,
                index.sort_key.type,
                index.projection,
                tuple(sorted(index.attributes)),
            )
            for index in table.local_indexes
        },
    )


def _check_keys(
    current: Mapping[str, DeployedMember], wanted: TableShape
) -> Iterator[SettingProblem]:
    for part in ("partition_key", "sort_key"):
        for member in current.values():
            # The table, or for an adopted one its tombstone table, which has the same keys.
            shape = member.created or member.keyed
            if shape and shape.keys.get(part) != wanted.keys.get(part):
                yield SettingProblem(
                    f"table.{part}",
                    _key(wanted.keys.get(part)),
                    f"{member.table} in {member.region} is deployed with "
                    f"{_key(shape.keys.get(part))}, and a table keeps its keys for life",
                    _ANOTHER_RING,
                )
                break


def _check_local_indexes(
    current: Mapping[str, DeployedMember], wanted: TableShape
) -> Iterator[SettingProblem]:
    for member in current.values():
        if not member.created:
            continue
        have, want = member.created.local_indexes, wanted.local_indexes
        differing = sorted(name for name in {*have, *want} if have.get(name) != want.get(name))
        if differing:
            yield SettingProblem(
                "table.local_indexes",
                list(want),
                f"{member.table} in {member.region} is deployed with "
                f"{', '.join(sorted(have)) or 'none'}, {', '.join(differing)} would differ, and "
                "local indexes can only be created together with their table",
                "Leave them as they are deployed, and make new ones global: those can be added "
                "at any time. " + _ANOTHER_RING,
            )
            return


def _key(key: tuple[str, str] | None) -> str:
    return f"{key[0]}:{key[1]}" if key else "none"


def _check_member(key: str, member: Member, before: DeployedMember) -> Iterator[SettingProblem]:
    if member.region != before.region:
        yield _moved(f"{key}.region", member.region, before, f"in {before.region}")
    elif member.table != before.table:
        yield _moved(_table_key(key, member), member.table, before, f"with table {before.table}")
    elif bool(member.stream_arn) != (before.created is None):
        yield _adoption_problem(key, member, before)
    else:
        yield from _check_account(key, member, before)


def _table_key(key: str, member: Member) -> str:
    return f"{key}.stream_arn" if member.stream_arn else f"{key}.table"


def _moved(key: str, value: str, before: DeployedMember, where: str) -> SettingProblem:
    return SettingProblem(
        key,
        value,
        f"member {before.name} is deployed {where}: under the same name an empty table would "
        "replace its table",
        "List the new table as another member with its own `name:`, fill it with `backfill`, and "
        "bypass and remove this one when the new one has caught up.",
    )


def _adoption_problem(key: str, member: Member, before: DeployedMember) -> SettingProblem:
    if member.stream_arn:
        return SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"{before.table} was created by this stack, which would release it first",
            f"Leave {key}.stream_arn out. With `table.deletion_protection` the table stays anyway "
            "when the stack is destroyed.",
        )
    return SettingProblem(
        f"{key}.stream_arn",
        None,
        f"{before.table} was adopted by its stream and exists already: it cannot be created",
        f"Write {before.stream_arn} again, or import the table with `pulumi import`.",
    )


def _check_account(key: str, member: Member, before: DeployedMember) -> Iterator[SettingProblem]:
    for setting, account in (
        ("account", member.account),
        ("stream_arn", Arn.parse(member.stream_arn).account if member.stream_arn else None),
        ("role", Arn.parse(member.role).account if member.role else None),
    ):
        if account and before.account and account != before.account:
            yield _moved(
                f"{key}.{setting}",
                str(getattr(member, setting)),
                before,
                f"in account {before.account}",
            )
            return
    if before.replica and before.replica != member.id:
        yield SettingProblem(
            f"{key}.account",
            member.account,
            f"it is part of the replica id in every version that {before.name} has written "
            f"({before.replica}): with another id its earlier writes would seem to come from "
            "another member",
            "Leave it as it was when the member was first deployed.",
        )


def _check_name(
    key: str, member: Member, current: Mapping[str, DeployedMember]
) -> Iterator[SettingProblem]:
    """Under a new name, Pulumi takes a created table for a new resource."""
    for before in current.values():
        location = (before.region, before.table)
        same = location == (member.region, member.table) and member.account_id in (
            None,
            before.account,
        )
        if same and before.created:
            yield SettingProblem(
                f"{key}.name",
                member.name,
                f"{before.table} in {before.region} is deployed as member {before.name}: under "
                "another name Pulumi would try to create it, and it exists already",
                f"Write `name: {before.name}`.",
            )


def _check_removed(
    deployed: Deployed, current: Mapping[str, DeployedMember], settings: Settings
) -> Iterator[SettingProblem]:
    """A member must be bypassed before it is removed, so that its hop drains its stream."""
    listed = members_of(settings)
    names = {member.name for member in listed}
    locations = {(member.region, member.table) for member in listed}
    targets = {hop.target for hop in deployed.reachable_hops}
    for name, before in current.items():
        stays = name in names or (before.region, before.table) in locations
        if not stays and name in targets:
            yield SettingProblem(
                "members",
                [member.name for member in listed],
                f"{name} is deployed and in the ring: if it is removed now, writes in its stream "
                "that were not replicated yet are lost to the other members",
                "Set `state: bypassed` and deploy that. Remove it when no application writes "
                "there any more and `status` shows that its hop has caught up.",
            )
