"""A rule that is taken out is noticed by a scope, and nothing else is."""

import subprocess
import sys
from dataclasses import replace

import pytest

from ring.project import PROJECT_ROOT
from tests.exhaust.mutants import LADDER, RULES, Hunt, hunt, runs
from tests.exhaust.scope import Scope
from tests.exhaust.scopes import FAILING
from tests.exhaust.search import Bounds, Result, Search
from tests.exhaust.table import format_result
from tests.mutation.cut import Cut, cut_out
from tests.mutation.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", RULES, ids=lambda one: one.rule)
def test_without_a_rule_the_code_has_no_name_that_is_not_there(mutant: Mutant) -> None:
    cut = Cut(mutant.file, mutant.old, mutant.new)
    text = cut_out(cut, (PROJECT_ROOT / mutant.file).read_text())
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "-"]
    checked = subprocess.run(ruff, input=text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.long
def test_a_mutant_is_found_by_a_scope_of_two_writes() -> None:
    rule = "a local delete's tombstone is recorded here"
    (mutant,) = (one for one in MUTANTS if one.rule == rule)
    noticed = hunt(mutant, seconds=120).noticed
    assert noticed is not None
    assert noticed.scope.startswith(("2 members, 2 writes", "3 members, 2 writes"))
    unnoticed = hunt(replace(mutant, new=mutant.old), seconds=3)
    assert unnoticed.noticed is None
    assert unnoticed.cut_short in {format_result(Result(scope)) for scope in LADDER}


@pytest.mark.long
def test_a_scope_in_which_the_handler_fails_with_all_its_rules_shows_nothing() -> None:
    mutant = replace(MUTANTS[0], new=MUTANTS[0].old)
    assert hunt(mutant, 60, [FAILING]) == Hunt()


@pytest.mark.parametrize(
    ("file", "where", "name"),
    [
        ("handler/protocol/coalesce.py", "handler.protocol.coalesce", "_merge"),
        ("handler/protocol/expiry_delete.py", "handler.protocol.replicate", "make_expiry_delete"),
        ("handler/protocol/replay.py", "tests.exhaust.invocations", "replay"),
        ("operate/reconcile/backfill_key.py", "tests.exhaust.invocations", "backfill_key"),
        ("operate/reconcile/repair_key.py", "tests.exhaust.invocations", "repair_key"),
    ],
)
def test_the_scopes_in_which_a_rule_is_not_looked_for_do_not_run_its_file(
    monkeypatch: pytest.MonkeyPatch, file: str, where: str, name: str
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("it runs")

    monkeypatch.setattr(f"{where}.{name}", fail)
    small = [scope for scope in LADDER if scope.members == 2 and scope.writes == 1]
    expiring = Scope(2, 1, operations=("put",), expiry_travels=True).with_faults("expiry")
    batches = Scope(2, 2, operations=("put",), batch=2)
    puts = Scope(2, 1, operations=("put",)).with_faults("quarantine")
    tried = [*small, expiring, batches, puts]
    broken = [scope for scope in tried if not _holds(scope)]
    assert broken
    assert not [scope for scope in broken if not runs(scope, file)]


def _holds(scope: Scope) -> bool:
    try:
        result = Search(scope).run(Bounds(most_states=5_000, first_failure=True))
    except AssertionError:
        return False
    return result.is_whole and not result.failures


def test_without_tombstones_a_delete_comes_after_what_its_member_wrote_before() -> None:
    scope = Scope(2, 3, operations=("put", "delete"), keeps_tombstones=False)
    assert Search(scope).run().failures == []
    rule = "refused by an earlier write of its member, a delete without a tombstone comes after"
    (mutant,) = (one for one in RULES if one.rule == rule)
    noticed = hunt(mutant, seconds=300, scopes=[scope]).noticed
    assert noticed is not None
    assert noticed.promise == "diverged"


@pytest.mark.long
@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.file.endswith("batching.py")], ids=lambda one: one.rule
)
def test_every_rule_of_requests_for_many_keys_is_needed_for_two(mutant: Mutant) -> None:
    noticed = hunt(mutant, seconds=60).noticed
    assert noticed is not None
    assert noticed.scope == "two keys in a request"
