"""Rings of other shapes on this machine, and how they begin and end."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest

from local.cloud.program import DeployError
from local.endpoint.server import LocalServer
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from ring.settings.settings import SettingsError
from tests.support.local_rings import REGIONS, costs, get, item, put, ring_of


@pytest.mark.long
@pytest.mark.parametrize("size", [2, 5])
def test_a_ring_of_another_size_runs_as_well(size: int) -> None:
    with ring_of(size) as ring:
        with costs(ring, writes=size):
            put(ring, REGIONS[0], item("a", n={"N": "1"}))
        assert [get(ring, region, "a") for region in REGIONS[:size]] == [
            item("a", n={"N": "1"})
        ] * size
        assert ring.differences() == []


@pytest.mark.long
def test_every_setting_at_once_runs_accounts_and_adopted_tables_included(
    dynamodb: str | None,
) -> None:
    with LocalRing(StackConfig.read(PROJECT_ROOT, "full"), dynamodb=dynamodb, idle=0.02) as ring:
        accounts = {member.account for member in ring.members.values()}
        assert len(accounts) == 2
        first = next(iter(ring.members.values()))
        key = {"customer": {"S": "ada"}, "order": {"S": "1"}}
        first.client.put_item(TableName=first.table, Item=key)
        ring.wait_until_quiet()
        assert ring.differences() == []
        for member in ring.members.values():
            assert "Item" in member.client.get_item(TableName=member.table, Key=key)


def test_two_members_in_one_region_are_as_good_as_any(dynamodb: str | None) -> None:
    members = [{"region": "us-east-1", "table": name} for name in ("orders", "archive")]
    with ring_of(0, dynamodb, members=members) as ring:
        with costs(ring, writes=2):
            put(ring, "us-east-1/orders", item("a"))
        with costs(ring, writes=2):
            put(ring, "us-east-1/archive", item("a", n={"N": "1"}))
        assert get(ring, "us-east-1/orders", "a") == item("a", n={"N": "1"})
        assert ring.differences() == []


def test_a_single_hop_of_a_ring_runs_against_tables_of_other_stacks() -> None:
    with ring_of(3, hops=["eu-west-1"]) as ring:
        assert list(ring.members) == ["eu-west-1", "ap-southeast-2"]
        assert list(ring.hops) == ["eu-west-1 -> ap-southeast-2"]
        put(ring, "eu-west-1", item("a"))
        ring.wait_until_quiet()
        assert get(ring, "ap-southeast-2", "a") == item("a")


def test_wrong_settings_are_reported_before_anything_is_started() -> None:
    with pytest.raises(SettingsError, match="members"):
        ring_of(1)


def test_nothing_is_left_when_it_ends_not_even_by_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted() -> None:
        with ring_of(2) as ring:
            put(ring, "us-east-1", item("a"))
            assert len(workers()) == len(list(tmp_path.iterdir())) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert workers() == []
    assert list(tmp_path.iterdir()) == []
    assert [thread.name for thread in threading.enumerate() if thread.name == "mapping"] == []


def test_nothing_is_left_when_it_cannot_begin(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text("raise RuntimeError('no')")
    with pytest.raises(DeployError, match="The program failed: RuntimeError: no"):
        LocalRing(ring_of(2).stack, program=program).__enter__()
    assert workers() == []
    with LocalServer():  # which would refuse to start beside another
        pass


def workers() -> list[int]:
    """The processes that run functions, children of this one."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    found = [int(word) for path in children for word in path.read_text().split()]
    return [one for one in found if b"worker.py" in Path(f"/proc/{one}/cmdline").read_bytes()]
