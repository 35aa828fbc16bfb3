"""What must hold of a ring; knows nothing of how the handler works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handler.model.image import DELETED, VERSION, Image, Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.member import Member
    from tests.simulation.world import World

_LAST = ("put", "update", "delete")


class BrokenPromiseError(AssertionError):
    """A ring that did not keep what it promises."""


class Growth:
    """Watches every write of a hop: no version may take the place of a newer one."""

    def __init__(self) -> None:
        self.broken: str | None = None

    def see(self, member: Member, old: Item | None, new: Item | None) -> None:
        """Take note of one write."""
        before, after = (item and item.get(VERSION) for item in (old, new))
        if before and after and before["B"] > after["B"]:
            self.broken = f"a version shrank: {member.name} had {old}, now has {new}"


Place = tuple[str, str]
"""A member's name, and a key's."""
Origin = tuple[str, int]
"""The member, by its id, and the record of which an item is a copy."""


@dataclass(frozen=True)
class Notes:
    """What ``LastWrites`` knows of a key at a member."""

    last: int = 0
    """The application's last write."""
    opened: int = 0
    """Up to which record the member's hop must have read before anything is expected."""
    stood: frozenset[Origin] = frozenset()
    """What hops have put there since that write."""
    before: frozenset[Origin] = frozenset()
    """What that write came after."""


class LastWrites:
    """Watches that no hop takes an application's write back for something older.

    Older is what the write came after at its member: the member's own earlier writes, and what hops
    had put there before. Two things are left out, described in docs/explanation/guarantees.md:

    - while a conflict is open: another member's write, which the application's did not come after,
      stands there or stood there, and the member's own hop has not read the record of it;
    - what the hop before the member delivers again.
    """

    def __init__(self, read: Callable[[Member], int]) -> None:
        """Take a function that counts the records of a member that its own hops have read."""
        self.broken: str | None = None
        self._read = read
        self._last: dict[Place, int] = {}
        self._stood: dict[Place, set[Origin]] = {}
        self._before: dict[Place, set[Origin]] = {}
        self._open: dict[Place, int] = {}

    def noted(self, place: Place) -> Notes:
        """Return what is noted of a key at a member."""
        stood, before = (frozenset(one.get(place, ())) for one in (self._stood, self._before))
        return Notes(self._last.get(place, 0), self._open.get(place, 0), stood, before)

    def take_up(self, place: Place, notes: Notes) -> None:
        """Go on from what was noted."""
        self._last[place], self._open[place] = notes.last, notes.opened
        self._stood[place], self._before[place] = set(notes.stood), set(notes.before)

    def wrote(self, member: Member, name: str) -> None:
        """Take note of an application's write, which is the last record of the stream."""
        place = (member.name, name)
        if self._read(member) < self._open.get(place, 0):
            return
        self._last[place] = len(member.stream)
        before = self._before.setdefault(place, set())
        before |= self._stood.pop(place, set())
        before -= {_origin(member.items.get(name))}

    def forget(self, member: Member) -> None:
        """Expect nothing of a member that lost all that it had."""
        for notes in (self._last, self._stood, self._before):
            for place in [place for place in notes if place[0] == member.name]:
                del notes[place]

    def conflict(self, member: Member, name: str) -> None:
        """Expect nothing until the member's hop has read what was just written there."""
        place = (member.name, name)
        self._open[place] = len(member.stream)
        self._last.pop(place, None)
        self._before.pop(place, None)

    def see(self, member: Member, old: Item | None, new: Item, caller: Member) -> None:
        """Take note of what a hop put at a member; ``caller`` is the member that it starts at."""
        took_dirty = old is not None and not Image(old).is_clean
        place, origin = (member.name, new["k"]["S"]), _origin(new)
        is_own = origin[0] == member.replica.id
        is_older = origin in self._before.get(place, ()) or (
            is_own and origin[1] < self._last.get(place, 0)
        )
        if not is_older:
            self._stood.setdefault(place, set()).add(origin)
        hides = DELETED not in new or took_dirty
        if is_older and hides and (is_own or caller is member):
            self.broken = f"an older write came back: {member.name} has {new}"
        elif not is_own or took_dirty:
            self.conflict(member, place[1])


def _origin(item: Item | None) -> Origin:
    """The member and the record of which an item is a copy, under whatever version."""
    version = None if item is None else Image(item).version
    return ("", 0) if version is None else (version.replica, version.sequence)


def check_last_writes(world: World) -> None:
    """Nothing that came before an application's write was put in its place at its member."""
    if world.last_writes.broken is not None:
        raise BrokenPromiseError(world.last_writes.broken)


def check_renewals(world: World) -> None:
    """No expiry has deleted what was written or renewed last, and whose time has not passed."""
    for name, end in world.application.ends.items():
        for member in world.members if end > world.now() else ():
            if name not in member.items:
                raise BrokenPromiseError(f"a renewal was lost to an expiry: {member.name}, {name}")


def check_growth(world: World) -> None:
    """At each member, the versions of a key only grew."""
    if world.growth.broken is not None:
        raise BrokenPromiseError(world.growth.broken)


def check_equal(world: World) -> None:
    """All members hold the same items, and no stub is left."""
    first, *others = world.members
    for other in others:
        if first.contents() != other.contents():
            raise BrokenPromiseError(
                f"diverged: {first.name} has {first.contents()}, "
                f"{other.name} has {other.contents()}"
            )
    for member in world.members:
        for name, item in member.items.items():
            if DELETED in item:
                raise BrokenPromiseError(f"a stub of {name} is left in {member.name}")


def check_last_words(world: World) -> None:
    """What was written at a member that left is with all who are still there."""
    for key in world.last_words:
        for member in world.members:
            if key not in member.items:
                raise BrokenPromiseError(f"last words were lost: {member.name} lacks {key}")


def check_last_write_wins(world: World) -> None:
    """A write to a ring at rest, whatever is delivered again meanwhile, is what all hold."""
    member = world.choices.one_of(world.members)
    operations = [one for one in _LAST if one in world.shape.operations] or ["put"]
    if world.shape.late_replays:
        world.replay()
    world.application.do(world.choices.one_of(operations), member, "k0")
    wanted = member.contents().get("k0")
    world.drain()
    for other in world.members:
        found = other.contents().get("k0")
        if found != wanted:
            raise BrokenPromiseError(
                f"the last write was lost: {other.name} has {found}, not {wanted}"
            )


def check_replays_change_nothing(world: World) -> None:
    """Whatever is delivered again to a ring at rest, all stays as it is: deletes stay deleted."""
    before = [member.contents() for member in world.members]
    world.replay()
    world.settle()
    for member, wanted in zip(world.members, before, strict=True):
        found = member.contents()
        if found != wanted:
            raise BrokenPromiseError(
                f"replays changed what was at rest: {member.name} has {found}, not {wanted}"
            )


def check_quiet_put_costs(world: World) -> None:
    """In a ring at rest, one put costs one write at each other member and not one more."""
    for member in world.members:
        member.writes = 0
    world.application.do("put", world.choices.one_of(world.members), "quiet")
    world.drain()
    costs = [member.writes for member in world.members]
    if costs != [1] * len(world.members):
        raise BrokenPromiseError(f"a quiet put cost these writes by member: {costs}")


def check_expiry(world: World) -> None:
    """An expiry is a delete for all, or each member's own affair, as the ring has it."""
    member = world.choices.one_of(world.members)
    world.application.do("put with a time to live", member, "brief")
    world.drain()
    world.application.do("expire", member, "brief")
    world.drain()
    gone = [other for other in world.members if "brief" not in other.items]
    if gone != (world.members if world.plan.expiry_travels else [member]):
        raise BrokenPromiseError(
            f"an expiry did not keep to the rule: gone in {[other.name for other in gone]}"
        )
    world.settle()
