"""The benchmarks: every contender replicates every load, and the tables say what was counted."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import botocore
import pytest

from benchmarks import costs, profile
from benchmarks.__main__ import main
from benchmarks.contenders import contenders
from benchmarks.records import KINDS, Load
from benchmarks.target import Conduct, target
from ring.project import PROJECT_ROOT


@pytest.mark.parametrize(
    "conduct",
    [
        Conduct(),
        pytest.param(Conduct(1, refused=4, throttled=9), marks=pytest.mark.long),
        Conduct(tls=True),
    ],
    ids=str,
)
def test_every_contender_replicates_every_load(conduct: Conduct) -> None:
    with target(conduct) as endpoint, contenders(endpoint) as all_contenders:
        for contender in all_contenders:
            for kind in KINDS:
                contender.replicate(Load(kind, count=20).records())


def test_an_insert_costs_a_write_at_every_other_member_and_two_reads() -> None:
    for size in (2, 3, 5):
        insert = costs.CASES["insert"]
        assert costs.Ring(size).costs_of(insert) == (size - 1, 2 * (size - 1))


def test_what_runs_is_counted_for_the_innermost_call_that_has_a_part() -> None:
    library = "ran = part_of(sys._getframe())"
    given = {"sys": sys, "part_of": profile.part_of}
    for file, part in (("handler/aws/sigv4.py", "signature and keys"), ("main.py", "all else")):
        call = f"exec(compile({library!r}, '/lib/json/encoder.py', 'exec'))"
        exec(compile(call, f"/task/{file}", "exec"), given)
        assert given["ran"] == part


def test_every_file_that_has_a_part_in_the_profile_is_there() -> None:
    botocore_s = Path(botocore.__file__).parents[1]
    roots = [PROJECT_ROOT, botocore_s, Path(asyncio.__file__).parents[1]]
    names = [name.lstrip("/") for files in profile.PARTS.values() for name in files]
    assert [name for name in names if not any((root / name).exists() for root in roots)] == []


def test_a_part_prints_its_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--part", "writes"])
    assert main() == 0
    assert "| update " in capsys.readouterr().out
