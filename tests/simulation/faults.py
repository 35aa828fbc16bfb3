"""What goes wrong between two steps of a ring, by name. Failing calls are the world's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation import resolving

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.world import World

_MOST_MEMBERS = 8
_JUMPS = (1, -1, 30, -30, 3_600, -3_600)


def die(world: World) -> None:
    """A function dies between two of its calls."""
    mapping = world.choices.one_of(world.mappings)
    world.say(f"hop {mapping.source.name} dies")
    mapping.crash()


def lose_the_answer(world: World) -> None:
    """A batch is done, but some of it is delivered again all the same."""
    mapping = world.choices.one_of(world.mappings)
    world.say(f"hop {mapping.source.name} will lose its response")
    mapping.loses_answer = True


def start_over(world: World) -> None:
    """A mapping starts over, from the beginning of its stream or from somewhere in it."""
    mapping = world.choices.one_of(world.mappings)
    at = world.choices.below(mapping.position + 1)
    world.say(f"hop {mapping.source.name} starts over behind #{at}")
    mapping.start_over(at)


def stand_still(world: World) -> None:
    """A hop does nothing for long."""
    mapping = world.choices.one_of(world.mappings)
    steps = world.choices.one_of((10, 100, 1_000))
    world.say(f"hop {mapping.source.name} stands still for {steps} steps")
    mapping.still_until = world.steps + steps


def jump_of_a_clock(world: World) -> None:
    """A region's clock is put forward, or back."""
    clock = world.choices.one_of(world.clocks)
    clock.skew += (seconds := world.choices.one_of(_JUMPS))
    world.say(f"the clock of {clock.region} jumps by {seconds} s")


def bypass(world: World) -> None:
    """The ring closes around a member; or the member that was out comes back."""
    circle = world.circle
    if circle.out is not None:
        circle.rejoin()
    elif circle.may_close:
        circle.bypass(world.choices.one_of(world.members))


def come_and_go(world: World) -> None:
    """A new member joins; or one is taken out as planned, and comes back or leaves for good."""
    circle = world.circle
    if circle.out is not None and circle.out.own is not None:
        if world.choices.below(2):
            world.leave()
        else:
            circle.rejoin()
    elif circle.may_close and world.choices.below(2):
        circle.bypass(world.choices.one_of(world.members), goes_on=True)
    elif circle.is_whole and len(world.members) < _MOST_MEMBERS:
        world.join()


def redrive(world: World) -> None:
    """Let an operator redrive a quarantined record while the ring runs."""
    if world.shelf.lost:
        world.say("a quarantined record is redriven")
        world.redrive.wanted = 1


def repair(world: World) -> None:
    """Let an operator repair a key, perhaps preferring a member, while records are pending."""
    prefer = world.choices.one_of((None, None, *range(len(world.members))))
    world.operator.repair(f"k{world.choices.below(world.plan.keys)}", prefer)


def lose(world: World) -> None:
    """A record is lost: it goes from its stream before it was read."""
    mapping = world.choices.one_of(world.mappings)
    if mapping.lose_next():
        world.say(f"hop {mapping.source.name} loses record #{mapping.position}")


def empty(world: World) -> None:
    """A member's tables are lost, with their stream, and empty ones take their place."""
    mapping = world.choices.one_of(world.mappings)
    world.say(f"{mapping.source.name} is emptied")
    mapping.source.empty()
    world.last_writes.forget(mapping.source)
    mapping.restart_at_end()
    if world.choices.below(2):
        world.operator.fill(mapping.source)


def fill(world: World) -> None:
    """An operator fills a member from the one before it."""
    world.operator.fill(world.choices.one_of(world.members))


def resolve(world: World) -> None:
    """An operator resolves a conflict, where what won still stands."""
    if entries := world.siblings.entries():
        entry = world.choices.one_of(entries)
        resolving.resolve(world, entry, world.choices.one_of(world.members))


STRIKES: dict[str, Callable[[World], None]] = {
    "die": die,
    "lose the answer": lose_the_answer,
    "start over": start_over,
    "stand still": stand_still,
    "jump of a clock": jump_of_a_clock,
    "bypass": bypass,
    "redrive": redrive,
    "come and go": come_and_go,
    "repair": repair,
    "lose": lose,
    "empty": empty,
    "fill": fill,
    "resolve": resolve,
}


class ThrottledError(OSError):
    """The simulated DynamoDB refuses or loses a call; the handler lets the record come again."""
