"""Tables that two members have in common, of one ring or of two. Pure.

Such a table's stream would feed hops that know nothing of each other, and each would take the
other's copies for an application's writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ring.settings.errors import Mistake
from ring.settings.partial import Draft
from ring.topology import Member, hops, members_of

if TYPE_CHECKING:
    from ring.settings.settings import Settings


def is_one_place(one: Member, other: Member) -> bool:
    """Whether two members are certainly in one region of one account.

    Members that are reached alike are in one account; of others only what they tell is known.
    """
    if one.region != other.region:
        return False
    if one.owner and other.owner:
        return one.owner == other.owner
    reached = [(member.profile, member.role, member.external_id) for member in (one, other)]
    return reached[0] == reached[1]


def tables_of(member: Member, *, tombstones: bool) -> list[str]:
    """The names of the tables that a member has."""
    return [member.table, *([member.tombstones] if tombstones else [])]


def shared_within(draft: Draft) -> Iterator[Mistake]:
    """Tables that a ring would have twice. What is plainly one member twice is told elsewhere."""
    buried = draft.tombstones is None or draft.tombstones.enabled
    located = draft.located()
    for one, other in combinations(located, 2):
        first, second = located[one], located[other]
        if first.id == second.id or first.name == second.name or not is_one_place(first, second):
            continue
        names = tables_of(first, tombstones=buried)
        for name in tables_of(second, tombstones=buried):
            if name in names:
                yield Mistake(
                    other,
                    f"{second.region}/{name}",
                    f"it is a table of {one} ({first.name}) too",
                    "Give one of them another `table:`.",
                )
                break


def shared_between(rings: Sequence[tuple[str, Settings]]) -> Iterator[Mistake]:
    """Tables that two rings would have, each ring with the name that it is called by."""
    seen: dict[tuple[str, str], list[tuple[int, Member]]] = {}
    for at, (label, settings) in enumerate(rings):
        told: set[int] = set()
        mine = [
            (place, member, name)
            for place, member in enumerate(members_of(settings))
            for name in tables_of(member, tombstones=settings.tombstones.enabled)
        ]
        for place, member, name in mine:
            for before, other in seen.get((member.region, name), ()):
                twin, theirs = rings[before]
                if before in told or not is_one_place(member, other):
                    continue
                if is_one_ring_in_parts(settings, theirs):
                    continue
                told.add(before)
                yield Mistake(
                    f"{label}: members[{place}]",
                    f"{member.region}/{name}",
                    f"it is a table of the ring {twin} too, whose member {other.name} has it",
                    "Give one of the two rings another table, or take one of them out. Stacks that "
                    "deploy parts of one ring list the same members, and divide `hops`.",
                )
        for _, member, name in mine:
            seen.setdefault((member.region, name), []).append((at, member))


def is_one_ring_in_parts(one: Settings, other: Settings) -> bool:
    """Whether two stacks deploy parts of one ring: the same members, and none of them both."""
    listed = [[(m.region, m.table, m.owner) for m in members_of(part)] for part in (one, other)]
    sources = [{hop.source.name for hop in hops(part)} for part in (one, other)]
    return listed[0] == listed[1] and sources[0].isdisjoint(sources[1])
