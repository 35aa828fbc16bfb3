"""The demo is honest: it passes on a ring that works, and says so when one does not."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from local.demo import first_act, second_act
from local.demo.story import Expected, Story
from local.ring import LocalRing
from tests.support.local_rings import hop_from, item, put, ring_of


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(3) as three:
        yield three


@pytest.fixture
def story(ring: LocalRing) -> Story:
    return Story(ring, Console(file=io.StringIO(), width=200))


@pytest.mark.long
def test_the_demo_ends_well_and_shows_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert first_act.main() == 0
    output = capsys.readouterr().out
    assert [f"{number}. " in output for number in range(1, 10)] == [True] * 9
    assert output.count("OK: all members are in sync") == 8
    assert "OK: only that record is missing, and it is in the quarantine" in output
    assert "OK: all members have the same items" in output
    assert "FAILED" not in output
    assert output.endswith("All steps ended as expected.\n")


@pytest.mark.long
def test_the_demo_fails_when_a_step_does_not_end_as_it_should(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mistaken(story: Story) -> Expected:
        """An item is written, and another one is expected."""
        story.put(0, {**first_act.ADA, "total": {"N": "1"}})
        return Expected(first_act.ADA, {"total": {"N": "2"}}, writes=99)

    monkeypatch.setattr(first_act, "STEPS", (mistaken,))
    monkeypatch.setattr(second_act, "STEPS", ())
    assert first_act.main() == 1
    assert "not every member has" in capsys.readouterr().out


@pytest.mark.long
def test_a_redrive_that_fails_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "automate.py"
    broken.write_text("import sys; sys.exit(1)")
    monkeypatch.setattr(second_act, "AUTOMATE", broken)
    monkeypatch.setattr(first_act, "STEPS", ())
    monkeypatch.setattr(second_act, "STEPS", second_act.STEPS[1:])
    assert first_act.main() == 1
    output = capsys.readouterr().out
    assert "redrive exited with 1" in output
    assert "the quarantines have {customer:" in output


@pytest.mark.long
def test_a_step_that_costs_more_writes_than_expected_is_reported(story: Story) -> None:
    def step(story: Story) -> Expected:
        story.put(0, item("costly"))
        return Expected(item("costly"), {}, writes=1)

    assert story.run_step("costly", step) == ["the hops made 2 writes, not 1"]


def test_a_record_in_the_quarantine_that_no_step_expects_is_reported(
    ring: LocalRing, story: Story
) -> None:
    hop = hop_from(ring, "us-east-1")
    s3 = ring.member("us-east-1").clients.s3("us-east-1")
    lost = {"key": item("lost"), "error": "refused that day"}
    s3.put_object(Bucket=hop.quarantine, Key="quarantine/1.json", Body=json.dumps(lost).encode())

    def step(story: Story) -> Expected:
        story.put(0, item("sound"))
        return Expected(item("sound"), {})

    problems = story.run_step("lost", step)
    s3.delete_object(Bucket=hop.quarantine, Key="quarantine/1.json")
    assert problems == ['the quarantines have {id: "lost"}']


def test_an_item_at_a_member_where_none_is_expected_is_reported(story: Story) -> None:
    def step(story: Story) -> Expected:
        story.put(0, item("everywhere"))
        return Expected(item("everywhere"), {}, members=(0, 1), also=item("nowhere"))

    assert story.run_step("misplaced", step) == [
        'a member has {id: "everywhere"} that should not',
        'not every member has {id: "nowhere"}',
    ]


def test_tables_that_differ_at_the_end_are_reported(ring: LocalRing, story: Story) -> None:
    with ring.paused():
        put(ring, "us-east-1", item("here alone"))
        problems = story.compare_all()
    ring.wait_until_quiet()
    assert problems == ['{id: "here alone"}: missing on eu-west-1, ap-southeast-2']
    assert story.compare_all() == []
