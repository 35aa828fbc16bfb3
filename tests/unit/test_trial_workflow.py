"""The workflow that runs a trial: off until somebody asks for it, and always cleaned up."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from ring.project import PROJECT_ROOT
from ring.settings.yaml_text import read_yaml
from tests.support.command_lines import parse_command_line

WORKFLOW: Any = read_yaml(PROJECT_ROOT / ".github" / "workflows" / "trial.yml")
TEXT = (PROJECT_ROOT / ".github" / "workflows" / "trial.yml").read_text()
JOB = WORKFLOW["jobs"]["trial"]


def commands() -> list[list[str]]:
    lines = re.findall(r"\./automate\.py (.*)", TEXT)
    return [shlex.split(line.replace('"${options[@]}"', "--region us-east-1")) for line in lines]


def test_a_schedule_alone_runs_nothing() -> None:
    assert JOB["if"] == ("github.event_name == 'workflow_dispatch' || vars.TRIAL_WEEKLY == 'true'")
    assert "push" not in TEXT
    assert "pull_request" not in TEXT


def test_every_credential_is_a_secret() -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PULUMI_CONFIG_PASSPHRASE")
    for name in names:
        assert JOB["env"][name].startswith("${{ secrets.TRIAL_")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_its_commands_and_options_exist(words: list[str]) -> None:
    assert parse_command_line(words)


def test_what_an_interrupted_trial_has_left_is_cleaned_up_whatever_happened() -> None:
    (clean_up,) = [step for step in JOB["steps"] if "--clean-up" in step.get("run", "")]
    assert clean_up["if"] == "always()"
    (trial,) = [step for step in JOB["steps"] if step.get("name") == "Trial"]
    assert trial["timeout-minutes"] < JOB["timeout-minutes"]


def test_every_action_is_pinned_to_a_commit_that_ci_uses() -> None:
    ci = (PROJECT_ROOT / ".github" / "workflows" / "ci.yml").read_text()
    for action in re.findall(r"uses: (\S+)", TEXT):
        assert action in ci
