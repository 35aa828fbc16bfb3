"""Tables that two members share, of one ring or of two. Pure.

The stream of such a table would feed hops that do not know each other, and each would treat the
other's copies as writes of an application.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ring.settings.errors import SettingProblem
from ring.settings.members import Member
from ring.settings.partial import PartialSettings


def is_same_location(first: Member, second: Member) -> bool:
    """Return True if two members are certainly in the same region of the same account.

    Members with the same credentials are in one account. For others, the settings must say it.
    """
    if first.region != second.region:
        return False
    if first.account_id and second.account_id:
        return first.account_id == second.account_id
    credentials = [(m.profile, m.role, m.external_id) for m in (first, second)]
    return credentials[0] == credentials[1]


def tables_of(member: Member, *, tombstones: bool) -> list[str]:
    """Return the names of a member's tables."""
    return [member.table, *([member.tombstones] if tombstones else [])]


def check_shared_tables(partial: PartialSettings) -> Iterator[SettingProblem]:
    """Yield tables that two members of a ring share. Duplicate members are reported elsewhere."""
    tombstones = partial.tombstones is None or partial.tombstones.enabled
    members = partial.members_by_path()
    for first_path, second_path in combinations(members, 2):
        first, second = members[first_path], members[second_path]
        if (
            first.id == second.id
            or first.name == second.name
            or not is_same_location(first, second)
        ):
            continue
        names = tables_of(first, tombstones=tombstones)
        for name in tables_of(second, tombstones=tombstones):
            if name in names:
                yield SettingProblem(
                    second_path,
                    f"{second.region}/{name}",
                    f"it is also a table of {first_path} ({first.name})",
                    "Set another `table` for one of them.",
                )
                break
