"""An operator who resolves conflicts that hops have logged, and what must hold of that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from operate.conflicts.entries import ConflictEntry
from operate.conflicts.standing import Standing, loser_of
from tests.simulation.check import BrokenPromiseError

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World


def resolve(world: World, entry: ConflictEntry, member: Member) -> bool:
    """Write there what lost, if what won still stands there; say whether it did."""
    name = entry.key["k"]["S"]
    standing = Standing(member.items.get(name), member.tombstones.get(name))
    if not standing.is_winner(entry):
        return False
    world.application.write(member, name, loser_of(entry))
    return True


def check_conflicts(world: World) -> None:
    """Each write that nobody's write came after, but for what stands, is one conflict."""
    listed = Counter(pair.lost for pair in world.siblings.pairs())
    for lost in world.siblings.lost(world.members):
        if listed[lost] != 1:
            raise BrokenPromiseError(f"a conflict was not logged: {lost} is {listed[lost]} entries")


def check_nothing_else_is_a_conflict(world: World) -> None:
    """Of the two writes of each conflict, neither came after the other."""
    for pair in world.siblings.pairs():
        if not world.siblings.are_concurrent(pair):
            raise BrokenPromiseError(f"no conflict, and logged as one: {pair}")


def check_resolved(world: World) -> None:
    """What an operator writes over a winner, at any member, is with all members in the end."""
    for entry in world.siblings.entries():
        if resolve(world, entry, world.choices.one_of(world.members)):
            world.drain()
            wanted, name = loser_of(entry), entry.key["k"]["S"]
            for member in world.members:
                if member.contents().get(name) != wanted:
                    raise BrokenPromiseError(
                        f"what resolved a conflict did not win: {member.name} has "
                        f"{member.contents().get(name)}, not {wanted}"
                    )
