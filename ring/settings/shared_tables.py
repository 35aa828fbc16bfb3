"""Tables that two members have in common, of one ring or of two. Pure.

Such a table's stream would feed hops that know nothing of each other, and each would take the
other's copies for an application's writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ring.settings.errors import SettingProblem
from ring.settings.members import Member
from ring.settings.partial import PartialSettings


def is_same_location(one: Member, other: Member) -> bool:
    """Whether two members are certainly in one region of one account.

    Members that are reached alike are in one account; of others only what they tell is known.
    """
    if one.region != other.region:
        return False
    if one.account_id and other.account_id:
        return one.account_id == other.account_id
    reached = [(member.profile, member.role, member.external_id) for member in (one, other)]
    return reached[0] == reached[1]


def tables_of(member: Member, *, tombstones: bool) -> list[str]:
    """The names of the tables that a member has."""
    return [member.table, *([member.tombstones] if tombstones else [])]


def check_shared_tables(draft: PartialSettings) -> Iterator[SettingProblem]:
    """Tables that a ring would have twice. What is plainly one member twice is told elsewhere."""
    buried = draft.tombstones is None or draft.tombstones.enabled
    located = draft.members_by_path()
    for one, other in combinations(located, 2):
        first, second = located[one], located[other]
        if (
            first.id == second.id
            or first.name == second.name
            or not is_same_location(first, second)
        ):
            continue
        names = tables_of(first, tombstones=buried)
        for name in tables_of(second, tombstones=buried):
            if name in names:
                yield SettingProblem(
                    other,
                    f"{second.region}/{name}",
                    f"it is a table of {one} ({first.name}) too",
                    "Give one of them another `table:`.",
                )
                break
