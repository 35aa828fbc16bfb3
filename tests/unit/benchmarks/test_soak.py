"""The soak: what it takes for lost, for grown, and that a seed draws the same faults again."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from benchmarks.soak.disturbances import draw
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.processes import Growth, Monitor
from benchmarks.soak.run import DESCRIPTORS, MEMORY_MB, grown

MEMBERS = ("a", "b", "c")


def acknowledged() -> None:
    """Answer a write."""


def unanswered() -> None:
    raise OSError("no answer")


def test_the_last_acknowledged_write_of_a_key_has_to_be_everywhere() -> None:
    ledger = Ledger()
    ledger.write("put", "a-1", 1, acknowledged, shared=False)
    ledger.write("update", "a-1", 2, acknowledged, shared=False)
    assert ledger.problems({"a": {"a-1": 2}, "b": {"a-1": 2}}) == []
    assert ledger.problems({"a": {"a-1": 2}, "b": {"a-1": 1}, "c": {}}) == [
        "b has 1 under a-1 instead of 2",
        "c has None under a-1 instead of 2",
    ]


def test_a_deleted_item_has_to_be_gone() -> None:
    ledger = Ledger()
    ledger.write("put", "a-1", 1, acknowledged, shared=False)
    ledger.write("delete", "a-1", None, acknowledged, shared=False)
    assert ledger.problems({"a": {}}) == []
    assert ledger.problems({"a": {"a-1": 1}}) == ["a has 1 under a-1 instead of None"]


def test_a_write_without_an_answer_may_be_there_or_not() -> None:
    ledger = Ledger()
    ledger.write("put", "a-1", 1, acknowledged, shared=False)
    with pytest.raises(OSError, match="no answer"):
        ledger.write("put", "a-1", 2, unanswered, shared=False)
    for value in (1, 2):
        assert ledger.problems({"a": {"a-1": value}}) == []
    assert len(ledger.problems({"a": {}})) == 1
    assert ledger.acknowledged == 1
    assert ledger.counts == {"put": 1, "unknown": 1}


def test_of_a_key_that_several_write_any_value_may_win_but_none_that_nobody_wrote() -> None:
    ledger = Ledger()
    for value in (1, 2):
        ledger.write("put", "shared-1", value, acknowledged, shared=True)
    for value in (1, 2):
        assert ledger.problems({"a": {"shared-1": value}}) == []
    assert len(ledger.problems({"a": {"shared-1": 3}})) == 1


def test_a_seed_draws_the_same_faults_again() -> None:
    def drawn(seed: int) -> list[object]:
        draws = random.Random(seed)
        return [draw(draws, MEMBERS, 8.0) for _ in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)


@pytest.mark.parametrize(
    ("growth", "problem"),
    [
        (Growth("a", (100, 100 + MEMORY_MB), (9, 9), (3, 3)), ""),
        (Growth("a", (100, 101 + MEMORY_MB), (9, 9), (3, 3)), "MB of memory"),
        (Growth("a", (100, 100), (9, 10 + DESCRIPTORS), (3, 3)), "open descriptors"),
        (Growth("a", (100, 100), (9, 9), (3, 4 + DESCRIPTORS)), "threads"),
    ],
)
def test_what_has_grown_beyond_its_bound_is_a_problem(growth: Growth, problem: str) -> None:
    found = grown(growth)
    assert bool(found) == bool(problem)
    assert all(problem in one for one in found)


@pytest.mark.skipif(not Monitor.is_possible, reason="this system has no /proc")
def test_this_process_and_its_children_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.soak.processes._SECONDS", 0.01)
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        env={"AWS_LAMBDA_FUNCTION_NAME": "the child"},
    )
    began = time.monotonic()
    with child, Monitor() as monitor:
        end = began + 30
        while {one.process for one in monitor.growth(began)} < {"the ring", "the child"}:
            assert time.monotonic() < end
            time.sleep(0.01)
        child.kill()
    (sampled,) = [one for one in monitor.growth(began) if one.process == "the child"]
    assert min(sampled.memory) > 0
    assert min(sampled.descriptors) >= 3
