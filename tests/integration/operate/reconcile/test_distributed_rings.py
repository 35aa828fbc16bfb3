"""Rings checked in functions: over two accounts, and without the part that does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.ring import LocalRing
from operate.distributed import executions
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(executions, "_PAUSE", 0.05)
    monkeypatch.chdir(tmp_path)


def check(ring: LocalRing, *arguments: str) -> Result:
    how = ("--local", ring.endpoint, "--distributed", "--settle-seconds", "0", *arguments)
    return CliRunner().invoke(main, ("check", *how))


@pytest.mark.long
def test_a_member_in_another_account_is_checked_by_the_role_there() -> None:
    there = {"account": "210987654321", "role": "arn:aws:iam::210987654321:role/deploys"}
    members = [{"region": REGIONS[0]}, {"region": REGIONS[1], **there}]
    with ring_of(0, members=members, distributed={"enabled": True}) as two:
        put(two, REGIONS[0], item("k1"))
        two.wait_until_quiet(PATIENCE)
        assert "1 key compared, all members are in sync" in check(two, "--segments", "1").output
        with two.paused():
            put(two, REGIONS[1], item("k2"))
            assert "2 keys compared, 1 differs." in check(two, "--segments", "1").output


def test_a_ring_without_that_part_says_what_to_do() -> None:
    with ring_of(2) as two:
        result = check(two)
    assert result.exit_code == 2
    assert "distributed.enabled: true" in result.output
