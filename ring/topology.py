"""From settings to members and the hops between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ring.settings.members import Member, _digest, find_member, members_of, targets_of

if TYPE_CHECKING:
    from ring.settings.settings import Settings

_SHORT_PAIR = 33  # the same, less what is put behind it for a second role


@dataclass(frozen=True)
class Edge:
    """The way from a member to another.

    Both ends make it: a member that hops to another target from now on has another hop, which
    reads the stream from its beginning, so that nothing falls between the two.
    """

    source: Member
    target: Member

    @property
    def slug(self) -> str:
        """Its ends' names, made fit for the names of functions and roles; unique in the ring."""
        told = f"{self.source.resource_name}-to-{self.target.resource_name}"
        if len(told) <= _SHORT_PAIR:
            return told
        return f"{told[: _SHORT_PAIR - 9]}-{_digest(self.source.id + self.target.id)}"


def all_hops(settings: Settings) -> tuple[Edge, ...]:
    """All hops, in ring order: from each member to the next, and from the last to the first.

    Nothing leads to a member that is bypassed; its own hop stays, for what it still has to tell. To
    a member that rejoins there is a hop again, beside the one around it.
    """
    members = members_of(settings)
    return tuple(
        Edge(source, target)
        for at, source in enumerate(members)
        for target in targets_of(members, at)
    )


def deployed_hops(settings: Settings) -> tuple[Edge, ...]:
    """The hops that this stack deploys, in ring order: all, unless the settings restrict them."""
    circle = all_hops(settings)
    if settings.hops is None:
        return circle
    members = members_of(settings)
    chosen = {find_member(members, word).name for word in settings.hops}
    return tuple(hop for hop in circle if hop.source.name in chosen)
