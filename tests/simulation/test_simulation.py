"""The whole ring under a few thousand seeds, its known limits, and what a failure shows."""

import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.simulation.choices import Choices
from tests.simulation.resolving import check_nothing_else_is_a_conflict
from tests.simulation.schedule import first_failure, run_list, run_seed
from tests.simulation.shapes import SHAPES
from tests.simulation.shrink import shrink
from tests.simulation.world import World

CONVERGING = [
    *("plain", "calm", "aimed", "stale", "copies", "off", "members", "commands"),
    *("repair", "lost", "fill", "adopted", "poison", "poison-storm", "conflicts"),
]


@pytest.mark.parametrize(
    "seeds", [range(100), pytest.param(range(100, 800), marks=pytest.mark.long)], ids=str
)
@pytest.mark.parametrize("name", CONVERGING)
def test_members_end_equal_and_every_promise_is_kept(name: str, seeds: range) -> None:
    assert first_failure(SHAPES[name], seeds) is None


LIMITS = {
    "off-deletes": (range(300), "replays changed what was at rest"),
    "expiry": (range(700, 820), "replays changed what was at rest"),
    "replays": (range(500, 600), "the last write was lost"),
    "poison": (range(66309, 66314), "replays changed what was at rest"),
    "rejoin": (range(31817, 31818), "diverged"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_known_limit_shows_itself(name: str) -> None:
    """What docs/explanation/guarantees.md warns of, as long as it shows."""
    seeds, promise = LIMITS[name]
    found = first_failure(SHAPES[name], seeds)
    assert found is not None
    assert found[1] == promise


STUB_DELETED = {"poison-storm": 20530, "patient": 4226, "batched": 31353, "repair-storm": 25354}


@pytest.mark.parametrize("name", STUB_DELETED)
def test_members_do_not_differ_where_an_application_deletes_a_stub(name: str) -> None:
    """They did before the stub was put once more."""
    assert run_seed(STUB_DELETED[name], SHAPES[name]) is None


TWO_VERSIONS = [
    *(("plain", seed) for seed in (304513, 494134, 771496)),
    *(("rejoin", seed) for seed in (22944, 39631, 52099, 60451, 85910)),
    *(("commands-storm", seed) for seed in (20162, 24165, 54268)),
    ("plain", 991322),
    ("members", 46444),
]


@pytest.mark.parametrize(("name", "seed"), TWO_VERSIONS)
def test_members_do_not_differ_where_two_hops_give_a_write_two_versions(
    name: str, seed: int
) -> None:
    """They did before the higher one got to a member that has the lower, and to its origin."""
    assert run_seed(seed, SHAPES[name]) is None


@pytest.mark.parametrize(("name", "seed"), [("storm", 82729), ("repair-storm", 28514)])
def test_members_do_not_differ_where_a_hop_dies_at_the_delete_of_an_updated_stub(
    name: str, seed: int
) -> None:
    """They did where it had recorded the delete: the next delivery took that for another's."""
    assert run_seed(seed, SHAPES[name]) is None


@pytest.mark.parametrize("seed", [51900, 81617])
def test_a_renewal_is_not_lost_to_an_expiry_that_comes_after_an_earlier_delete(seed: int) -> None:
    """It was, where the expiry's version had the time of its record then."""
    assert run_seed(seed, SHAPES["renewals"]) is None


def test_a_repair_that_fails_leaves_no_stub() -> None:
    """It put one once more, as a hop does; but a record comes again, and a repair may not."""
    assert run_seed(7236, SHAPES["repair"]) is None


def test_a_backfill_does_not_replace_a_later_write_of_its_source() -> None:
    """It did, where the write came after a delete of the same second, as the item filled did."""
    assert run_seed(82634, SHAPES["adopted"]) is None


def test_a_redrive_that_another_write_comes_between_is_tried_again() -> None:
    assert run_seed(14411, SHAPES["poison-storm"]) is None


def test_a_redrive_is_not_sent_over_a_later_write_of_its_member() -> None:
    """It was, where it had to come after a delete of that member, and the later write knew more."""
    assert run_seed(73664, SHAPES["poison"]) is None


@pytest.mark.long
def test_without_tombstones_a_delete_and_a_put_can_chase_each_other_for_ever() -> None:
    """The origin of the put is out of the ring, and nothing else stops a copy of it."""
    failure = run_seed(781, SHAPES["off-deletes"])
    assert failure is not None
    assert failure.kind == "something still circulates after 50000 steps"


def test_two_writes_are_listed_as_a_conflict_only_if_neither_came_after_the_other() -> None:
    """Where nothing is delivered twice: a late copy of an older write is one as well."""
    two_writes = replace(SHAPES["conflicts"], operations=("put", "update"), most_operations=2)
    calm = replace(two_writes, faults=("stand still",))
    listed = 0
    for seed in range(1_000):
        world = World(Choices(seed), calm)
        world.run()
        check_nothing_else_is_a_conflict(world)
        listed += len(world.siblings.entries())
    assert listed > 50


def test_a_seed_decides_everything() -> None:
    first, second = (run_seed(7, SHAPES["off-deletes"]) for _ in range(2))
    assert first == second


def test_a_failing_schedule_is_made_shorter_and_still_fails() -> None:
    shape = SHAPES["off-deletes"]
    found = first_failure(shape, range(300))
    assert found is not None
    failure = run_seed(found[0], shape)
    assert failure is not None
    short = shrink(failure.choices, lambda made: run_list(made, shape) is not None, tries=300)
    assert len(short) < len(failure.choices)
    assert run_list(short, shape) is not None


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.long
def test_a_failure_prints_a_short_schedule_call_by_call_and_how_to_replay_it() -> None:
    run = simulate("--shape", "expiry", "--first", "224", "--seeds", "1")
    assert run.returncode == 1
    assert "1 failed: replays changed what was at rest. Seeds: 224" in run.stdout
    assert " starts over behind #" in run.stdout
    assert "reads the tombstone of" in run.stdout
    (again,) = (line for line in run.stdout.splitlines() if "--schedule" in line)
    replayed = simulate(*again.split()[3:])
    assert replayed.returncode == 1
    assert "replays changed what was at rest: " in replayed.stdout


def test_a_run_without_failures_says_how_many_schedules_it_was() -> None:
    run = simulate("--seeds", "20")
    assert run.returncode == 0
    assert run.stdout == "20 schedules of the shape plain, 0 failed\n"


@pytest.mark.long
def test_a_run_that_is_interrupted_says_how_to_go_on() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--first", "7", "--seeds", "1000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        done = int(run.stdout.readline().split(" of ")[0])
        run.send_signal(signal.SIGINT)
        rest, errors = run.communicate(timeout=300)
    assert run.returncode == 130
    assert errors == ""
    (onward,) = (line for line in rest.splitlines() if line.startswith("Interrupted."))
    first, seeds = (int(onward.split()[place]) for place in (-3, -1))
    assert first >= 7 + done
    assert first + seeds == 1_000_007


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--seeds", "0"], "0 schedules prove nothing: at least 1"),
        (["--seeds", "many"], "'many' is not a whole number"),
        (["--shape", "square"], "invalid choice: 'square'"),
        (["--schedule", "1.x"], "a schedule is a row of numbers, as in 0.3.1, not '1.x'"),
    ],
)
def test_wrong_arguments_are_refused_with_a_reason_and_nothing_runs(
    arguments: list[str], reason: str
) -> None:
    run = simulate(*arguments)
    assert run.returncode == 2
    assert reason in run.stderr
    assert run.stdout == ""
