"""State of a trial in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate.errors import InvalidRequestError
from operate.trial.journal import TrialJournal, only_trial
from operate.trial.plan import Load, plan_trial
from operate.trial.verdicts import Expectation, Figures, StepResult

REGIONS = ("us-east-1", "eu-west-1")
FOUND = StepResult(
    (Expectation.of("a.b", "it is so", "it is", met=True),),
    (Figures("Lag", ("hop", "p50"), (("a", 1.5),)),),
    {"began": 1.0},
)


def begun(folder: Path) -> TrialJournal:
    return TrialJournal.create(folder, plan_trial(REGIONS, load=Load(inserts=7)))


def reopened(folder: Path) -> TrialJournal:
    found = TrialJournal.find(folder)
    assert found
    return found


def test_a_new_trial_is_found_again_with_its_settings_and_load(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    found = reopened(tmp_path)
    assert found.plan().load == Load(inserts=7)
    assert found.plan().name == found.ring().name == journal.name
    assert [member.region for member in found.plan().members] == list(REGIONS)


def test_a_step_is_in_the_file_before_it_runs_and_its_result_after_it(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    assert journal.begin("load") == 1
    assert reopened(tmp_path).has_begun("load")
    assert reopened(tmp_path).result("load") is None
    assert reopened(tmp_path).begin("load") == 2
    journal = reopened(tmp_path)
    journal.end("load", FOUND)
    read = reopened(tmp_path).result("load")
    assert read
    assert read.expectations == FOUND.expectations
    assert reopened(tmp_path).notes("load") == {"began": 1.0}


def test_resources_are_noted_once(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    for _ in range(2):
        journal.add_resources([{"type": "aws:iam/role:Role", "id": "ring-x"}])
    assert len(reopened(tmp_path).document["resources"]) == 1


def test_a_closed_trial_is_gone_and_its_reports_stay(tmp_path: Path) -> None:
    (tmp_path / "ring-trial-1.md").write_text("report")
    begun(tmp_path).close()
    assert TrialJournal.find(tmp_path) is None
    assert [file.name for file in tmp_path.iterdir()] == ["ring-trial-1.md"]


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 99}'])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.json").write_text(text)
    with pytest.raises(InvalidRequestError, match=r"journal\.json"):
        TrialJournal.find(tmp_path)


def test_two_processes_cannot_run_one_trial(tmp_path: Path) -> None:
    refused = pytest.raises(InvalidRequestError, match="is running")
    with only_trial(tmp_path), refused, only_trial(tmp_path):
        pass
