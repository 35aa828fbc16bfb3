"""Tables that two rings would have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ring.settings.errors import SettingProblem
from ring.settings.members import Member, members_of
from ring.settings.shared_tables import is_same_location, tables_of
from ring.topology import deployed_hops

if TYPE_CHECKING:
    from ring.settings.settings import Settings


def check_shared_between(rings: Sequence[tuple[str, Settings]]) -> Iterator[SettingProblem]:
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
                if before in told or not is_same_location(member, other):
                    continue
                if are_parts_of_one_ring(settings, theirs):
                    continue
                told.add(before)
                yield SettingProblem(
                    f"{label}: members[{place}]",
                    f"{member.region}/{name}",
                    f"it is a table of the ring {twin} too, whose member {other.name} has it",
                    "Give one of the two rings another table, or take one of them out. Stacks that "
                    "deploy parts of one ring list the same members, and divide `hops`.",
                )
        for _, member, name in mine:
            seen.setdefault((member.region, name), []).append((at, member))


def are_parts_of_one_ring(one: Settings, other: Settings) -> bool:
    """Whether two stacks deploy parts of one ring: the same members, and none of them both."""
    listed = [
        [(m.region, m.table, m.account_id) for m in members_of(part)] for part in (one, other)
    ]
    sources = [{hop.source.name for hop in deployed_hops(part)} for part in (one, other)]
    return listed[0] == listed[1] and sources[0].isdisjoint(sources[1])
