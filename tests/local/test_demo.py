"""The demo tells the truth: it passes on a ring that works, and says so when one does not."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from local import demo
from local.ring import LocalRing
from local.story import Story, Told
from tests.local.rings import item, put, ring_of


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(3) as three:
        yield three


@pytest.fixture
def story(ring: LocalRing) -> Story:
    return Story(ring, Console(file=io.StringIO(), width=200))


def test_the_demo_ends_well_and_shows_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main() == 0
    told = capsys.readouterr().out
    assert [f"{number}. " in told for number in range(1, 7)] == [True] * 6
    assert told.count("OK: the members agree") == 6
    assert "OK: all members hold the same items" in told
    assert "WRONG" not in told


def test_the_demo_fails_when_a_step_does_not_end_as_it_should(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lie(story: Story) -> Told:
        """An item is written, and another is said to be there."""
        story.put(0, {**demo.ADA, "total": {"N": "1"}})
        return Told(demo.ADA, {"total": {"N": "2"}}, writes=99)

    monkeypatch.setattr(demo, "STEPS", (lie,))
    assert demo.main() == 1
    assert "not every member holds" in capsys.readouterr().out


def test_a_step_that_costs_more_writes_than_it_should_is_told(story: Story) -> None:
    def step(story: Story) -> Told:
        story.put(0, item("costly"))
        return Told(item("costly"), {}, writes=1)

    assert story.tell("costly", step) == ["it cost 2 writes, not 1"]


def test_tables_that_differ_at_the_end_are_told(ring: LocalRing, story: Story) -> None:
    with ring.paused():
        put(ring, "us-east-1", item("here alone"))
        wrong = story.compare_all()
    ring.wait_until_quiet()
    assert wrong == ['{id: "here alone"}: missing on eu-west-1, ap-southeast-2']
    assert story.compare_all() == []
