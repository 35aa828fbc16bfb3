"""Every rule of the protocol is needed, and the simulation would notice its loss."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.mutation.cut import MutantError
from tests.mutation.mutants import MUTANTS, Mutant, hunt
from tests.mutation.mutants_of_conflicts import CONFLICT_MUTANTS
from tests.simulation.schedule import first_failure
from tests.simulation.shapes import SHAPES

pytestmark = pytest.mark.long

NEAR = 100
GUARANTEES = PROJECT_ROOT / "docs" / "explanation" / "guarantees.md"


@pytest.mark.parametrize("mutant", [*MUTANTS, *CONFLICT_MUTANTS], ids=lambda mutant: mutant.rule)
def test_without_the_rule_a_promise_is_broken(mutant: Mutant) -> None:
    near = range(mutant.near, mutant.near + NEAR)
    assert hunt(mutant, near) or hunt(mutant)


def test_a_mutant_breaks_a_rule_and_not_the_program(tmp_path: Path) -> None:
    for number, mutant in enumerate([*MUTANTS, *CONFLICT_MUTANTS]):
        text = (PROJECT_ROOT / mutant.file).read_text().replace(mutant.old, mutant.new)
        (tmp_path / f"{number}.py").write_text(text)
    names = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", str(tmp_path)]
    unknown = subprocess.run(names, capture_output=True, text=True, check=False)
    assert unknown.returncode == 0, unknown.stdout


def test_the_handler_as_it_is_breaks_none_of_them() -> None:
    for shape in {mutant.shape for mutant in [*MUTANTS, *CONFLICT_MUTANTS]}:
        assert first_failure(SHAPES[shape], range(300)) is None


def test_a_schedule_in_which_the_handler_as_it_is_fails_too_shows_nothing() -> None:
    mutant = replace(MUTANTS[0], new=MUTANTS[0].old, shape="off-deletes")
    assert first_failure(SHAPES["off-deletes"], range(60)) is not None
    assert hunt(mutant, range(60)) is None


def test_the_guarantees_have_every_rule() -> None:
    text = GUARANTEES.read_text()
    assert [mutant.rule for mutant in MUTANTS if f"| {mutant.rule} |" not in text] == []


def test_a_rule_that_is_not_where_it_was_is_reported() -> None:
    with pytest.raises(MutantError, match=r"0 times, not once: say again what is to be taken"):
        hunt(replace(MUTANTS[0], old="what nobody ever wrote"))
