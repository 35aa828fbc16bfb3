"""Who is in the ring, and the hops between them, as members come and go."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.hop import Mapping
from tests.simulation.member import Member


@dataclass
class Extra:
    """A hop that runs beside those of the circle, for a while."""

    mapping: Mapping
    about: str
    is_over: Callable[[], bool]


@dataclass(frozen=True)
class Bypass:
    """A member that is out of the ring."""

    place: int
    member: Member
    to: Mapping
    """The hop to it, which rests while it is out."""
    onward: Mapping
    """Its own hop."""
    around: Mapping
    """The hop from its predecessor to its successor."""
    own: Extra | None
    """Its own hop, if that goes on; else it rests as well."""


@dataclass
class Circle:
    """The members in ring order and a mapping for each, in the same order; and what is beside."""

    members: list[Member]
    make: Callable[[Member, Member], Mapping]
    """Makes a mapping from a member to another, which begins at its stream's beginning."""
    say: Callable[[str], None]
    mappings: list[Mapping] = field(default_factory=list)
    extras: list[Extra] = field(default_factory=list)
    out: Bypass | None = None
    at_rest: dict[str, int] = field(default_factory=dict)
    """How long each member's stream was when all was last at rest."""
    by_command: bool = False
    """Whether a member goes and comes back as `automate.py bypass` and `rejoin` have it: a hop is
    always a new one, from the beginning of what its stream holds, and the one around a member that
    comes back ends while applications write on."""

    def __post_init__(self) -> None:
        self.mappings += [self._from(place) for place in range(len(self.members))]

    def _from(self, place: int) -> Mapping:
        return self.make(self.members[place], self.members[(place + 1) % len(self.members)])

    @property
    def is_whole(self) -> bool:
        """Whether nobody is out, and no hop runs beside the circle."""
        return self.out is None and not self.extras

    @property
    def may_close(self) -> bool:
        """Whether a member can be taken out now."""
        return len(self.members) > 2 and self.is_whole

    def running(self) -> list[Mapping]:
        """All hops that run now."""
        for extra in [extra for extra in self.extras if extra.is_over()]:
            self.say(f"the hop {extra.about} ends")
            extra.mapping.crash()
            self.extras.remove(extra)
        return [*self.mappings, *(extra.mapping for extra in self.extras)]

    def bypass(self, member: Member, *, goes_on: bool = False) -> None:
        """Take a member out: the hop to it rests, and one goes around it.

        That one starts where all was at rest, since nobody knows how far the member came. Its own
        hop rests too, unless it ``goes_on``.
        """
        self.say(f"the ring closes around {member.name}")
        place = self.members.index(member)
        to, onward = self.mappings[place - 1], self.mappings[place]
        to.crash()
        own = None
        if goes_on:
            own = Extra(onward, f"of {member.name}", lambda: False)
            self.extras.append(own)
        else:
            onward.crash()
        del self.members[place], self.mappings[place]
        around = self._from(place - 1)
        around.position = self._beginning(to.source)
        self.mappings[place - 1] = around
        self.out = Bypass(place, member, to, onward, around, own)

    def rejoin(self) -> None:
        """Let the member back in: it is fed from where it was, and goes on where it stopped.

        The hop around it stays until both hops of that stream have come to its end at once. A
        record that only one of them gets would else be the delete of an item that only the other
        passed on, at a version of which the first cannot know.

        By command, it stays until both have read all that was there when the member came back.
        """
        assert self.out is not None
        back, self.out = self.out, None
        self.say(f"the ring opens again for {back.member.name}")
        if back.own is not None:
            self.extras.remove(back.own)
        self.members.insert(back.place, back.member)
        self.mappings.insert(back.place, back.onward)
        to = back.to
        if self.by_command:
            to = self._from(back.place - 1)
            to.position = self._beginning(to.source)
        self.mappings[back.place - 1] = to
        both, mark = (to, back.around), len(to.source.stream)

        def is_over() -> bool:
            if self.by_command:
                return all(one.position >= mark for one in both)
            return all(one.is_idle for one in both)

        self.extras.append(Extra(back.around, f"around {back.member.name}", is_over))

    def _beginning(self, source: Member) -> int:
        """Where a hop starts that is made when a member goes or comes back."""
        return source.horizon if self.by_command else self.at_rest.get(source.name, 0)

    def farewell(self) -> Member:
        """Remove the bypassed member for good, once its own hop has read its whole stream."""
        assert self.out is not None
        gone, self.out = self.out, None
        assert gone.own is not None
        self.say(f"{gone.member.name} leaves for good")
        gone.own.is_over = lambda: gone.onward.is_idle
        return gone.member

    def join(self, member: Member, place: int, is_over: Callable[[], bool]) -> None:
        """Let an empty member in before this place, at 1 or later.

        Its predecessor's hop is a new one, from the stream's beginning; the old one, to the
        member's successor, goes on until ``is_over``.
        """
        before = self.members[place - 1]
        self.say(f"{member.name} joins behind {before.name}")
        self.members.insert(place, member)
        old = self.mappings[place - 1]
        self.mappings[place - 1 : place] = [self._from(place - 1), self._from(place)]
        self.extras.append(Extra(old, f"from {before.name} past {member.name}", is_over))
