"""Small scopes are run to their end; what the search leaves out is nothing that matters."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.exhaust.moves import Moves
from tests.exhaust.options import read, scopes_of
from tests.exhaust.ring import Ring
from tests.exhaust.scope import FAULTS, Scope
from tests.exhaust.scopes import CI, FAILING
from tests.exhaust.search import Bounds, Failure, Search
from tests.exhaust.story import story_of
from tests.exhaust.table import command

DIES = ("crash", "timeout", "throttle", "redelivery")


def at_rest(scope: Scope, *, reduced: bool) -> set[tuple[object, ...]]:
    """Return what can be at rest in a scope, whatever numbers its parts have."""
    search = Search(scope, reduced=reduced)
    result = search.run()
    assert result.is_whole
    assert result.failures == []
    return {tuple(map(search.ring.pool.spelled, state)) for state in search.states_at_rest}


@pytest.mark.parametrize(
    "scope",
    [
        Scope(2, 2),
        Scope(3, 1),
        pytest.param(
            Scope(3, 2, operations=("put", "delete")),
            marks=pytest.mark.long,
        ),
        Scope(3, 1, faults=("crash",), most_faults=1),
        pytest.param(Scope(2, 2, batch=2), marks=pytest.mark.long),
        pytest.param(
            Scope(2, 2, operations=("put", "delete"), faults=("start over",), most_faults=1),
            marks=pytest.mark.long,
        ),
        Scope(2, 1, faults=("tombstone gone", "quarantine"), most_faults=1),
        pytest.param(
            Scope(
                *(3, 2), operations=("put",), faults=("quarantine",), most_faults=1, watches=False
            ),
            marks=pytest.mark.long,
        ),
        Scope(3, 1, faults=("bypass",), most_faults=1),
        pytest.param(
            Scope(
                *(2, 2), operations=("put",), faults=("expiry",), most_faults=1, expiry_travels=True
            ),
            marks=pytest.mark.long,
        ),
        Scope(2, 2, operations=("put",), faults=("loss",), most_faults=1, watches=False),
        Scope(2, 2, operations=("put",), faults=("empty",), most_faults=1, watches=False),
        Scope(2, 1, adopted=True),
    ],
    ids=lambda scope: f"{scope.members}-{scope.writes}-{scope.batch}-{'-'.join(scope.faults)}",
)
def test_leaving_out_the_other_order_of_what_commutes_loses_no_state_at_rest(scope: Scope) -> None:
    assert at_rest(scope, reduced=True) == at_rest(scope, reduced=False)


@pytest.mark.parametrize(
    "scope",
    [
        Scope(2, 2),
        pytest.param(
            Scope(2, 2, faults=("crash",), most_faults=1),
            marks=pytest.mark.long,
        ),
        Scope(2, 2, batch=2),
        pytest.param(
            Scope(2, 2, operations=("put",), faults=("quarantine",), most_faults=1),
            marks=pytest.mark.long,
        ),
        pytest.param(
            Scope(2, 2, operations=("put",), faults=("backfill",), most_faults=1, watches=False),
            marks=pytest.mark.long,
        ),
    ],
)
def test_taking_coroutines_that_know_the_same_for_one_loses_no_state_at_rest(scope: Scope) -> None:
    remembering = replace(scope, forgets=False)
    assert at_rest(scope, reduced=False) == at_rest(remembering, reduced=False)


@pytest.mark.long
def test_a_crash_leads_wherever_a_lost_answer_a_throttled_call_and_a_redelivery_lead() -> None:
    crash, all_four = (
        Scope(2, 2, operations=("put", "delete"), faults=faults, most_faults=1)
        for faults in (("crash",), DIES)
    )
    assert at_rest(crash, reduced=False) == at_rest(all_four, reduced=False)


@pytest.mark.parametrize("leaves_out", [True, False])
def test_what_fails_is_found_with_and_without_leaving_out(leaves_out: bool) -> None:
    result = Search(FAILING, reduced=leaves_out).run()
    assert [failure.kind for failure in result.failures] == ["diverged"]
    assert len(result.failures[0].schedule) == 11


def test_a_failure_is_shown_call_by_call_and_as_a_diagram() -> None:
    (failure,) = Search(FAILING).run().failures
    story = story_of(failure.scope, failure.schedule)
    assert story.error is not None
    assert story.error.startswith("diverged: the members have ")
    assert "application: put in region-0: k0=1, record #1" in story.lines
    assert "    hop 0: starts over 0 (region-0)" in story.lines
    assert story.diagram().startswith("sequenceDiagram\n    actor A as application\n")
    assert "H0->>M1: puts k0=1 at 1.0/0-1 if absent or older than" in story.diagram()


def test_the_command_of_a_failure_is_read_as_its_scope() -> None:
    scope = Scope(3, 4, ("put", "put back"), ("start over", "crash"), 2, 3, True, (0, 1, -1))
    scope = replace(scope, order=(0, 2, 1), keeps_tombstones=False, late_replays=True)
    scope = replace(scope, in_order=True, expiry_travels=True, adopted=True, falling=True)
    line = command(Failure("diverged: so", (0, 3, 1), scope))
    options = read("", _words(line)[3:])
    assert scopes_of(options) == [scope]
    assert options.schedule == [0, 3, 1]


def _words(line: str) -> list[str]:
    return shlex.split(line)


@pytest.mark.long
@pytest.mark.parametrize("falling", [False, True])
def test_a_schedule_leads_where_it_led_under_other_names_whichever_digest_is_higher(
    falling: bool,
) -> None:
    """A redrive may give one version to two contents, and then the digest decides."""
    faults = ("quarantine", "start over")
    scope = Scope(2, 3, ("put",), faults, 2, in_order=True, falling=falling, watches=False)
    for seed in (*range(20), 542, 614):
        assert len(set(random_walks(scope, seed))) == 1


def random_walks(scope: Scope, seed: int) -> Iterator[tuple[tuple[int, str], ...]]:
    """Yield what happens in a schedule drawn by a seed: under canonical names, and as shown."""
    for ring in (Ring(scope), Ring(replace(scope, forgets=False), keeps_names=True)):
        moves, state, drawn = Moves(ring), ring.first(), Random(seed)
        happened: list[tuple[int, str]] = []
        while found := moves.all(state):
            move = found[drawn.randrange(len(found))]
            state = move.state
            if ring.keeps_names:
                ring.use_up(state)
            happened.append((len(found), move.what))
        yield tuple(happened)


def test_faults_in_an_order_are_there_once_each() -> None:
    scope = Scope(2, 2, faults=("quarantine", "start over"), most_faults=2, in_order=True)
    assert [scope.next_faults(left) for left in (2, 1, 0)] == [
        {"quarantine"},
        {"start over"},
        set(),
    ]
    assert Search(replace(FAILING, in_order=True)).run().failures != []
    backwards = replace(FAILING, faults=("start over", "expiry"), in_order=True)
    assert Search(backwards).run().failures == []


def test_a_member_goes_and_comes_back_and_the_hop_around_it_is_shown() -> None:
    scope = Scope(3, 1, operations=("put",), faults=("bypass",), most_faults=1)
    assert Search(scope).run().failures == []
    story = story_of(scope, [4])
    assert story.lines[0] == "bypass (region-1)"
    assert "participant D as hop around" in story.diagram()


@pytest.mark.long
def test_who_prefers_a_member_while_records_are_in_transit_decides_over_a_later_write() -> None:
    scope = Scope(2, 2, operations=("put",), faults=("repair",), most_faults=1, watches=False)
    assert Search(scope).run().failures == []


def test_a_scope_that_is_cut_short_says_so() -> None:
    result = Search(Scope(3, 2)).run(Bounds(most_states=100))
    assert not result.is_whole


def test_the_scopes_of_ci_have_every_fault_and_two_to_four_members() -> None:
    faults = {fault for scope in CI for fault in scope.faults}
    assert faults == {*FAULTS}
    assert {scope.members for scope in CI} == {2, 3, 4}


@pytest.mark.long
def test_a_key_among_others_in_a_request_is_answered_as_a_call_of_its_own() -> None:
    run = exhaust("--requests")
    assert run.returncode == 0
    assert run.stdout.startswith("Two keys in a request: ")
    assert run.stdout.endswith(" answers, 0 failed\n")


def exhaust(*arguments: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "tests.exhaust", *arguments]
    return subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.long
def test_a_scope_without_a_failure_is_a_row_and_ends_with_0() -> None:
    run = exhaust("--members", "2", "--writes", "1")
    assert run.returncode == 0
    head, _, row = run.stdout.splitlines()
    assert head.startswith("| members | writes |")
    assert row.startswith("| 2 | 1 | plain | none | ")
    assert row.endswith(" | 0 |")


def test_a_failure_ends_with_1_and_its_command_replays_it() -> None:
    scope = ("--writes", "1", "--operations", "put", "--faults", "expiry,start over")
    run = exhaust(*scope, "--most-faults", "2")
    assert run.returncode == 1
    again = run.stdout.strip().splitlines()[-1]
    replayed = exhaust(*_words(again)[3:])
    assert replayed.returncode == 1
    assert "diverged: the members have " in replayed.stdout
    assert "```mermaid" in replayed.stdout


@pytest.mark.long
def test_scripts_get_json_and_what_was_not_run_to_its_end_ends_with_4() -> None:
    run = exhaust("--members", "3", "--most-states", "10", "--json")
    assert run.returncode == 4
    (result,) = json.loads(run.stdout)
    assert result["is_whole"] is False
    assert result["failures"] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--members", "7"], "a scope has 2 to 4 members and 1 to 4 writes"),
        (["--faults", "flood"], "'flood' is none of crash, "),
        (["--skews", "0,1,2"], "--skews has 3 numbers for 2 members"),
        (["--schedule", "1.x"], "'1.x' is not a row of numbers"),
        (["--schedule", "99"], "step 1 is 99, and there are "),
    ],
)
def test_wrong_use_of_exhaust_is_reported(arguments: list[str], expected: str) -> None:
    run = exhaust(*arguments)
    assert run.returncode == 2
    assert expected in run.stderr
