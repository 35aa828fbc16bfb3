"""`status`, --json and wrong use on a local ring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from automate import main
from local.cloudwatch import alarm_evaluation
from local.ring import LocalRing
from tests.support.json_fields import described, examples, fields, sections
from tests.support.local_rings import PATIENCE, item, make_conflict, put
from tests.support.quarantined_ring import (
    HERE,
    THERE,
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


def test_the_json_reference_has_just_the_fields_that_commands_print(ring: LocalRing) -> None:
    """Of what needs Pulumi or AWS, it is judged by the page's examples alone."""
    printed = {name: examples(section) for name, section in sections().items()}
    for command, document in _documents(ring):
        (name,) = (name for name in printed if command in name.split(", "))
        printed[name].append(document)
    common = described(sections()["Common"])
    for name, documents in printed.items():
        known = described(sections()[name]) | common
        found = {field for document in documents for field in fields(document, known)}
        assert found - known == set(), name
        assert not documents or described(sections()[name]) - found - common == set(), name


def _documents(ring: LocalRing) -> Iterator[tuple[str, Any]]:
    """Yield what commands print with --json about a ring at work, by the commands' names."""

    def printed(*line: str, local: bool = True, stdin: str = "") -> Any:
        where = ("--local", ring.endpoint) if local else ()
        result = CliRunner().invoke(main, [*line, *where, "--json"], input=stdin)
        return json.loads(result.stdout)

    make_conflict(ring, "both")
    ring.wait_until_quiet(PATIENCE)
    conflicts = printed("conflicts", "list")
    (one,) = conflicts["rings"][0]["conflicts"]
    yield "conflicts", conflicts
    yield "conflicts", printed("conflicts", "show", one["id"])
    write = ("conflicts", "resolve", one["id"], "--item", "-", "--dry-run")
    yield "conflicts resolve", printed(*write, stdin='{"id": "both"}')
    yield "lag", printed("lag")
    yield "status", printed("status")
    yield "pause", printed("pause", HERE, "--yes")
    put(ring, HERE, item("waits"))
    yield "check", printed("check", "--settle-seconds", "0")
    yield "repair", printed("repair", "--settle-seconds", "0", "--dry-run")
    yield "backfill", printed("backfill", "--into", THERE, "--yes")
    yield "resume", printed("resume", HERE, "--yes")
    quarantine_items(ring, "kept")
    (entry,) = printed("redrive")["rings"][0]["entries"]
    yield "redrive", printed("redrive", "--all", "--dry-run")
    yield "redrive", printed("redrive", "--show", entry["id"])
    yield "discard", printed("discard", entry["id"], "--yes")
    yield "fault", printed("fault", "delay", HERE, "1")
    yield "fault", printed("fault", "list")
    yield "fault", printed("fault", "clear")
    yield "validate", printed("validate", "--stack", "dev", local=False)
    yield "cost", printed("cost", "--stack", "dev", "--writes", "50", local=False)
