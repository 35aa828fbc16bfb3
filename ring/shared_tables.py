"""Tables that two rings share. Pure."""

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
    """Yield tables that two rings share, once per pair. Each ring comes with its label."""
    seen: dict[tuple[str, str], list[tuple[int, Member]]] = {}
    for number, (label, settings) in enumerate(rings):
        reported: set[int] = set()
        tables = [
            (index, member, name)
            for index, member in enumerate(members_of(settings))
            for name in tables_of(member, tombstones=settings.tombstones.enabled)
        ]
        for index, member, name in tables:
            for other_number, other in seen.get((member.region, name), ()):
                other_label, other_settings = rings[other_number]
                if other_number in reported or not is_same_location(member, other):
                    continue
                if are_parts_of_one_ring(settings, other_settings):
                    continue
                reported.add(other_number)
                yield SettingProblem(
                    f"{label}: members[{index}]",
                    f"{member.region}/{name}",
                    f"it is also a table of the ring {other_label}, at its member {other.name}",
                    "Use another table in one of the two rings, or remove one ring. Stacks that "
                    "deploy parts of one ring list the same members, and divide `hops`.",
                )
        for _, member, name in tables:
            seen.setdefault((member.region, name), []).append((number, member))


def are_parts_of_one_ring(first: Settings, second: Settings) -> bool:
    """Return True if two stacks list the same members and deploy different hops of them."""
    listed = [
        [(m.region, m.table, m.account_id) for m in members_of(part)] for part in (first, second)
    ]
    sources = [{hop.source.name for hop in deployed_hops(part)} for part in (first, second)]
    return listed[0] == listed[1] and sources[0].isdisjoint(sources[1])
