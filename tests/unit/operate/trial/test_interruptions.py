"""What ends a trial's process for now is no failure of its ring: the same call goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operate.errors import (
    CancelledError,
    Note,
    OperateError,
    OperationFailedError,
    PrerequisiteError,
)
from operate.trial import run
from operate.trial.journal import TrialJournal
from operate.trial.plan import plan_trial
from operate.trial.run import TrialOptions, run_trial
from operate.trial.verdicts import StepResult, Verdict


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "PutItem")


def of_the_engine(text: str) -> OperationFailedError:
    return OperationFailedError(text, [Note("error", text)])


INTERRUPTIONS = {
    "no connection": EndpointConnectionError(endpoint_url="https://dynamodb"),
    "a token that has expired": refused("ExpiredTokenException"),
    "a token that has expired, as S3 says it": refused("ExpiredToken"),
    "a token that has expired, as the engine says it": of_the_engine(
        "api error ExpiredToken: The security token included in the request is expired"
    ),
    "no connection of the engine": of_the_engine(
        "request send failed, Post: dial tcp: lookup iam.amazonaws.com: no such host"
    ),
    "a stop": CancelledError("Stopped."),
}
FAILURES = {
    "no access": refused("AccessDeniedException"),
    "a failure of the engine": of_the_engine("no functions today"),
}


def tried(folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> TrialJournal:
    """Run a trial of one step, which ends with an error."""

    def step(_trial: Any) -> StepResult:
        raise error

    monkeypatch.setattr(run, "STEPS", {"order": step})
    TrialJournal.create(folder, plan_trial(["us-east-1", "eu-west-1"]))
    try:
        run_trial(folder, options=TrialOptions(keep=True))
    finally:
        journal = TrialJournal.open(folder)
    return journal


@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_a_step_that_was_interrupted_has_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises((PrerequisiteError, CancelledError)):
        tried(tmp_path, monkeypatch, INTERRUPTIONS[name])
    journal = TrialJournal.open(tmp_path)
    assert journal.has_begun("order")
    assert journal.result("order") is None


@pytest.mark.parametrize("name", FAILURES)
def test_an_error_of_the_ring_is_a_failed_expectation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    result = tried(tmp_path, monkeypatch, FAILURES[name]).result("order")
    assert result
    assert [one.verdict for one in result.expectations] == [Verdict.FAILED]


def test_an_interruption_says_that_the_trial_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OperateError, match=r"ExpiredToken.*so it is") as raised:
        tried(tmp_path, monkeypatch, refused("ExpiredTokenException"))
    assert raised.value.__cause__
