"""What the command `trial` refuses before anything is created, and what it says first."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from automate import main
from operate.trial.journal import TrialJournal
from operate.trial.plan import plan_trial

TWO = ("--region", "us-east-1", "--region", "eu-west-1")


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["trial", "--state", str(folder), *arguments])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "Where is the trial to run?"),
        (("--region", "us-east-1"), "members"),
        ((*TWO, "--price", "write=100000", "--yes"), "can cost"),
        (TWO, "pass --yes"),
        (("--clean-up",), "nothing to clean up"),
        ((*TWO, "--folder", "."), "give it with --stack"),
        ((*TWO, "--stack", "dev"), "Pass --region"),
    ],
)
def test_what_is_refused_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], text: str
) -> None:
    result = run(tmp_path / "state", *arguments)
    assert result.exit_code == 2
    assert text in result.output
    assert not (tmp_path / "state").exists()


def test_it_says_what_it_makes_and_what_that_can_cost(tmp_path: Path) -> None:
    output = run(tmp_path, *TWO).output
    assert "a table in each of us-east-1, eu-west-1, 2 hops" in output
    assert "US dollars at the most" in output
    assert "No prices for eu-west-1" in output


def test_an_open_trial_is_named_with_the_steps_that_are_left(tmp_path: Path) -> None:
    journal = TrialJournal.create(tmp_path, plan_trial(("us-east-1", "eu-west-1")))
    output = run(tmp_path).output
    assert journal.name in output
    assert "Goes on with: deploy, load" in output
    other = run(tmp_path, "--region", "us-west-2", "--region", "eu-west-1", "--yes")
    assert other.exit_code == 2
    assert f"{journal.name} in us-east-1, eu-west-1 is open" in other.output
