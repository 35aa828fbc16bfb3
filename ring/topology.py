"""The hops between the members of a ring, from its settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ring.settings.members import Member, find_member, members_of, short_digest, targets_of

if TYPE_CHECKING:
    from ring.settings.settings import Settings

# Of the 64 characters of a role's name: the rest is for the ring's name, Pulumi's suffix and the
# `-writer` of a second role.
_MAX_SLUG = 33


@dataclass(frozen=True)
class Edge:
    """A hop from one member to another, identified by both.

    If a member's target changes, its hop is a new one that reads the stream from the beginning, so
    no record is missed in between.
    """

    source: Member
    target: Member

    @property
    def slug(self) -> str:
        """Both members' names, valid in names of functions and roles; unique in the ring."""
        slug = f"{self.source.resource_name}-to-{self.target.resource_name}"
        if len(slug) <= _MAX_SLUG:
            return slug
        return f"{slug[: _MAX_SLUG - 9]}-{short_digest(self.source.id + self.target.id)}"


def all_hops(settings: Settings) -> tuple[Edge, ...]:
    """Return all hops, in ring order: from each member to the next, from the last to the first.

    No hop ends at a bypassed member; its own hop stays, to drain its stream. A member that rejoins
    has a hop to it again, and the hop around it stays.
    """
    members = members_of(settings)
    return tuple(
        Edge(source, target)
        for index, source in enumerate(members)
        for target in targets_of(members, index)
    )


def deployed_hops(settings: Settings) -> tuple[Edge, ...]:
    """Return the hops that this stack deploys, in ring order: all, or those of `hops`."""
    hops = all_hops(settings)
    if settings.hops is None:
        return hops
    members = members_of(settings)
    sources = {find_member(members, word).name for word in settings.hops}
    return tuple(hop for hop in hops if hop.source.name in sources)
