"""`status` and wrong use on a local ring."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from automate import main
from local.cloudwatch import alarm_evaluation
from local.ring import LocalRing
from tests.support.quarantined_ring import (
    HERE,
    output_of,
    quarantine_items,
    redrive,
)

# arguments -> what is said about them
WRONG = {
    "nobody to ask": (("--all",), "pass --yes"),
    "ids and all": (("quarantine/1.json", "--all"), "Use only one of"),
    "show and all": (("--show", "quarantine/1.json", "--all"), "Use only one of"),
    "nothing to play": (("--yes",), "Select records to replay"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_reported(ring: LocalRing, case: str) -> None:
    arguments, words = WRONG[case]
    result = redrive(ring, *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_a_stack_and_a_local_ring_at_once_are_wrong_use(ring: LocalRing) -> None:
    result = redrive(ring, "--stack", "dev")
    assert (result.exit_code, "leave --stack" in result.output) == (2, True)


def test_where_no_local_ring_is_that_is_reported() -> None:
    result = CliRunner().invoke(main, ["redrive", "--local", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "No local ring at http://127.0.0.1:9" in result.output


def test_status_sees_a_local_ring_too(ring: LocalRing) -> None:
    quarantine_items(ring, "seen")
    result = CliRunner().invoke(main, ["status", "--local", ring.endpoint])
    assert result.exit_code == 1
    assert "1 object in the quarantine" in result.output


def test_status_names_an_alarm_that_rings_and_reports_it_to_scripts(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The ring would set the state back. An evaluation in progress ends before the next request.
    monkeypatch.setattr(alarm_evaluation, "_evaluate", lambda *_: None)
    member = ring.member(HERE)
    cloudwatch = member.clients.cloudwatch(HERE)
    named = [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]]
    (name,) = [one for one in named if "-lags" in one]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test says so")
    status = ["status", "--local", ring.endpoint]
    words, document = (
        CliRunner().invoke(main, status),
        CliRunner().invoke(main, [*status, "--json"]),
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test says so")
    assert (words.exit_code, document.exit_code) == (1, 1)
    assert f"{name} is in ALARM" in words.output
    out, back = output_of(document)["rings"][0]["hops"]
    # What other tests here quarantine may ring as well: the local ring judges its alarms itself.
    assert name in out["alarms"]
    assert back["alarms"] == []
