"""Report of a trial."""

from __future__ import annotations

import json
from pathlib import Path

from operate.trial.journal import TrialJournal
from operate.trial.plan import plan_trial
from operate.trial.report import TrialReport, report_of
from operate.trial.verdicts import Expectation, Figures, StepResult
from tests.support.json_fields import described, fields, sections

MET = Expectation.of("a.met", "it is | so", "it\nis", met=True)
FAILED = Expectation.of("a.failed", "it is so", "it is not", met=False)
UNKNOWN = Expectation.not_judged("a.unknown", "it is so", "not reported here")
LAG = Figures("Lag", ("hop", "p50"), (("a -> b", None), ("b -> a", 1_234.5)), "In seconds.")


def report(folder: Path, *expectations: Expectation) -> TrialReport:
    journal = TrialJournal.create(folder, plan_trial(("us-east-1", "eu-west-1")))
    journal.begin("load")
    journal.end("load", StepResult(expectations, (LAG,)))
    return report_of(journal)


def test_every_expectation_is_in_both_files_with_what_was_seen(tmp_path: Path) -> None:
    found = report(tmp_path, MET, FAILED, UNKNOWN)
    markdown, document = found.write(tmp_path)
    text = markdown.read_text()
    assert "**1 met, 1 failed, 1 not judged**" in text
    assert "| `a.met` | it is \\| so | it is |" in text
    assert text.index("a.failed") < text.index("a.unknown") < text.index("a.met")
    assert "| a -> b | not reported |\n| b -> a | 1,234.5 |" in text
    read = json.loads(document.read_text())
    assert (read["ok"], read["counts"]) == (False, {"met": 1, "failed": 1, "not judged": 1})
    assert [one["verdict"] for one in read["expectations"]] == ["met", "failed", "not judged"]


def test_it_is_ok_if_none_failed_and_some_were_met(tmp_path: Path) -> None:
    assert report(tmp_path / "a", MET, UNKNOWN).ok
    assert not report(tmp_path / "b", MET, FAILED).ok
    assert not report(tmp_path / "c", UNKNOWN).ok
    assert not report(tmp_path / "d").ok


def test_the_json_reference_has_just_the_fields_of_a_report(tmp_path: Path) -> None:
    section = described(sections()["trial"])
    known = section | described(sections()["Common"])
    found = set(fields(report(tmp_path, MET, FAILED, UNKNOWN).document(), known))
    assert found - known == set()
    assert section - found == set()
