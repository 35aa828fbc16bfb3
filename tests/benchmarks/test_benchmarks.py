"""The benchmarks: every way brings every load, and the tables say what was counted."""

from __future__ import annotations

import sys

import pytest

from benchmarks import costs
from benchmarks.__main__ import main
from benchmarks.records import KINDS, Load
from benchmarks.target import Conduct, target
from benchmarks.ways import ways


@pytest.mark.parametrize("conduct", [Conduct(), Conduct(1, refused=4, throttled=9)], ids=str)
def test_every_way_brings_every_load(conduct: Conduct) -> None:
    with target(conduct) as endpoint, ways(endpoint) as all_ways:
        for way in all_ways:
            for kind in KINDS:
                way.bring(Load(kind, count=20).records())


def test_an_insert_costs_a_write_at_every_other_member_and_two_reads() -> None:
    for size in (2, 3, 5):
        insert = costs.CASES["insert"]
        assert costs.Ring(size).costs_of(insert) == (size - 1, 2 * (size - 1))


def test_a_part_prints_its_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--part", "writes"])
    assert main() == 0
    assert "| update " in capsys.readouterr().out
