"""What must hold of a ring; knows nothing of how the handler works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler.image import DELETED, VERSION, Item

if TYPE_CHECKING:
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
        if before and after and before["S"] > after["S"]:
            self.broken = f"a version shrank: {member.name} had {old}, now has {new}"


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
    operations = [one for one in _LAST if one in world.shape.operations]
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
