"""Settings that cannot become what they are now, because of what is deployed. Pure.

Pulumi would fail halfway at what is refused here, put an empty table in the place of another, or
change nothing and say that all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from operate.deployed import Deployed, DeployedMember, TableShape
from operate.deployment.omitted_settings import omitted_settings
from operate.errors import InvalidRequestError
from ring.arn import Arn
from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.settings import Settings
from ring.text import counted
from ring.topology import deployed_hops

_ANOTHER_RING = (
    "Leave it as it is deployed. To have it otherwise, make a ring with another `table.name`, copy "
    "the items into one of its members, point the applications there, and destroy this one."
)


def ensure_unchanged(deployed: Deployed, settings: Settings) -> None:
    """Raise `InvalidRequestError` if a setting cannot be as it is now; it tells all that cannot."""
    mistakes = immutable_violations(deployed, settings)
    if not mistakes:
        return
    count = counted(len(mistakes), "setting")
    told = "\n\n".join(f"  {mistake}" for mistake in mistakes)
    raise InvalidRequestError(
        f"{count} cannot change on what is deployed, nothing was changed.\n\n{told}\n", mistakes
    )


def immutable_violations(deployed: Deployed, settings: Settings) -> list[SettingProblem]:
    """Every setting that cannot be as it is now, with what is deployed and the way to do it."""
    return list(_refused(deployed, settings))


def _refused(deployed: Deployed, settings: Settings) -> Iterator[SettingProblem]:
    theirs = {one.name: one for one in deployed.members if not one.named_only}
    wanted = _shape(settings)
    yield from _keys(theirs, wanted)
    yield from _local_indexes(theirs, wanted)
    created = [member for member in theirs.values() if member.created]
    yield from omitted_settings(created, settings.table)
    # Members that this stack only names are another one's to judge.
    ours = {hop.source for hop in deployed_hops(settings)}
    for at, member in enumerate(members_of(settings)):
        before = theirs.get(member.name) or theirs.get(member.resource_name)
        if member in ours and before:
            yield from _member(f"members[{at}]", member, before)
        elif member in ours:
            yield from _renamed(f"members[{at}]", member, theirs)
    yield from _taken_off(deployed, theirs, settings)


def _shape(settings: Settings) -> TableShape:
    table = settings.table
    keys = {"partition_key": table.partition_key, "sort_key": table.sort_key}
    return TableShape(
        {part: (key.name, key.type) for part, key in keys.items() if key},
        {
            one.name: (
                one.sort_key.name,
                one.sort_key.type,
                one.projection,
                tuple(sorted(one.attributes)),
            )
            for one in table.local_indexes
        },
    )


def _keys(theirs: Mapping[str, DeployedMember], wanted: TableShape) -> Iterator[SettingProblem]:
    for part in ("partition_key", "sort_key"):
        for member in theirs.values():
            # The table itself, or where it was adopted, the tombstones that have its keys.
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


def _local_indexes(
    theirs: Mapping[str, DeployedMember], wanted: TableShape
) -> Iterator[SettingProblem]:
    for member in theirs.values():
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
                "local indexes are made with a table and never after",
                "Leave them as they are deployed, and make new ones global: those can be added "
                "at any time. " + _ANOTHER_RING,
            )
            return


def _key(key: tuple[str, str] | None) -> str:
    return f"{key[0]}:{key[1]}" if key else "none"


def _member(key: str, member: Member, before: DeployedMember) -> Iterator[SettingProblem]:
    if member.region != before.region:
        yield _moved(f"{key}.region", member.region, before, f"in {before.region}")
    elif member.table != before.table:
        yield _moved(_table_key(key, member), member.table, before, f"with table {before.table}")
    elif bool(member.stream_arn) != (before.created is None):
        yield _adoption(key, member, before)
    else:
        yield from _account(key, member, before)


def _table_key(key: str, member: Member) -> str:
    return f"{key}.stream_arn" if member.stream_arn else f"{key}.table"


def _moved(key: str, value: str, before: DeployedMember, where: str) -> SettingProblem:
    return SettingProblem(
        key,
        value,
        f"member {before.name} is deployed {where}: under the same name another table "
        "would take the place of its own, and begin empty",
        "List the new place as another member with a `name:` of its own, copy the items into it, "
        "and take this one out when it has caught up.",
    )


def _adoption(key: str, member: Member, before: DeployedMember) -> SettingProblem:
    if member.stream_arn:
        return SettingProblem(
            f"{key}.stream_arn",
            member.stream_arn,
            f"{before.table} was created by this stack, which would let go of it first",
            f"Leave {key}.stream_arn out. With `table.deletion_protection` the table stays anyway "
            "when the stack goes.",
        )
    return SettingProblem(
        f"{key}.stream_arn",
        None,
        f"{before.table} was adopted by its stream, and is there already: it cannot be created",
        f"Give {before.stream_arn} again, or give the stack the table with `pulumi import`.",
    )


def _account(key: str, member: Member, before: DeployedMember) -> Iterator[SettingProblem]:
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
            f"it is part of the replica id, which every version written by {before.name} carries "
            f"({before.replica}): with another id its earlier writes would be a stranger's",
            "Leave it as it was when the member was first deployed.",
        )


def _renamed(
    key: str, member: Member, theirs: Mapping[str, DeployedMember]
) -> Iterator[SettingProblem]:
    """A created table under a new name is another resource to Pulumi, to be created."""
    for before in theirs.values():
        place = (before.region, before.table)
        same = place == (member.region, member.table) and member.account_id in (
            None,
            before.account,
        )
        if same and before.created:
            yield SettingProblem(
                f"{key}.name",
                member.name,
                f"{before.table} in {before.region} is deployed as member {before.name}: under "
                "another name Pulumi would create it anew, and it is there already",
                f"Write `name: {before.name}`.",
            )


def _taken_off(
    deployed: Deployed, theirs: Mapping[str, DeployedMember], settings: Settings
) -> Iterator[SettingProblem]:
    """Who leaves is bypassed first, so that what it still has to tell is told."""
    listed = members_of(settings)
    names = {member.name for member in listed}
    places = {(member.region, member.table) for member in listed}
    fed = {hop.target for hop in deployed.asked_hops}
    for name, before in theirs.items():
        stays = name in names or (before.region, before.table) in places
        if not stays and name in fed:
            yield SettingProblem(
                "members",
                [member.name for member in listed],
                f"{name} is deployed and in the ring: taken off the list at once, it would keep "
                "for itself what was written there and not told yet",
                "List it with `state: bypassed` first, and deploy that. Take it off when nobody "
                "writes there any more and `status` shows that its hop has nothing left to tell.",
            )
