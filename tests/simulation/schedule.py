"""One run of the ring from first write to last check."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.simulation import check, resolving
from tests.simulation.choices import Choices
from tests.simulation.shapes import Shape
from tests.simulation.world import World


@dataclass(frozen=True)
class Failure:
    """A run in which a promise was broken."""

    error: str
    trace: list[str]
    choices: list[int]

    @property
    def kind(self) -> str:
        """Which promise it was."""
        return self.error.split(":")[0]


def run_choices(choices: Choices, shape: Shape, *, traces_calls: bool = False) -> Failure | None:
    """Run to the end and return the failure, if any.

    With ``traces_calls``, its trace has every store call.
    """
    world = World(choices, shape, traces_calls=traces_calls)
    try:
        world.run()
        check.check_equal(world)
        check.check_last_words(world)
        if shape.lists_conflicts:
            resolving.check_conflicts(world)
            resolving.check_resolved(world)
            resolving.check_conflicts(world)
        check.check_last_write_wins(world)
        check.check_equal(world)
        if shape.replays_at_rest:
            check.check_replays_change_nothing(world)
        check.check_quiet_put_costs(world)
        if "expire" in shape.operations:
            check.check_expiry(world)
        check.check_equal(world)
        check.check_growth(world)
        if not {"redrive", "lose", "repair", "fill"} & {*shape.faults}:  # see guarantees.md
            check.check_last_writes(world)
    except AssertionError as error:
        return Failure(str(error), world.trace, choices.made)
    return None


def run_seed(seed: int, shape: Shape) -> Failure | None:
    """Run the schedule of a seed."""
    return run_choices(Choices(seed), shape)


def run_list(made: Sequence[int], shape: Shape, *, traces_calls: bool = False) -> Failure | None:
    """Run a schedule from its list of decisions."""
    return run_choices(Choices(replay=made), shape, traces_calls=traces_calls)


def first_failure(shape: Shape, seeds: Iterable[int]) -> tuple[int, str] | None:
    """The first of the seeds that breaks a promise, and which, if one does."""
    for seed in seeds:
        failure = run_seed(seed, shape)
        if failure is not None:
            return seed, failure.kind
    return None
