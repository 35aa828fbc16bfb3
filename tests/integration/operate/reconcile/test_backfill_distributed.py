"""Members that are filled by functions, called by the state machine of a local ring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.ring import LocalRing
from operate.deployed import DeployedDistributed
from operate.distributed import executions
from tests.support.local_rings import REGIONS, costs, item, put, ring_of
from tests.support.whole_tables import unseen

FIRST, SECOND = REGIONS[:2]
KEYS = [f"k{number}" for number in range(20)]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(3, distributed={"enabled": True, "writes": True}) as three:
        yield three


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(executions, "_PAUSE", 0.05)
    monkeypatch.chdir(tmp_path)


def command(ring: LocalRing, *arguments: str) -> Result:
    how = ("--local", ring.endpoint, "--distributed", "--segments", "2", "--yes", *arguments)
    return CliRunner().invoke(main, ("backfill", *how))


def outcome(ring: LocalRing, *arguments: str) -> dict[str, Any]:
    (one,) = json.loads(command(ring, "--json", *arguments).stdout)["rings"]
    return dict(one)


def test_tables_that_had_items_before_the_ring_are_filled_a_route_after_the_other(
    ring: LocalRing,
) -> None:
    with unseen(ring):
        for key in KEYS:
            put(ring, FIRST, item(key, v={"S": "old"}))
        put(ring, SECOND, item("only here"))
    with costs(ring, 2 * len(KEYS) + 2):
        done = outcome(ring, "--all")
    assert (done["read"] >= len(KEYS), done["skipped"]) == (True, 0)
    assert ring.differences() == []


def test_an_emptied_member_is_filled_at_one_write_an_item(ring: LocalRing) -> None:
    with unseen(ring):
        for key in (*KEYS, "only here"):
            ring.client(SECOND).delete_item(TableName="orders", Key=item(key))
    with costs(ring, len(KEYS) + 1):
        done = outcome(ring, "--into", SECOND)
    assert (done["read"], done["written"], done["skipped"]) == (len(KEYS) + 1, len(KEYS) + 1, 0)
    assert ring.differences() == []


def test_what_cannot_be_filled_is_reported_and_it_ends_with_1(ring: LocalRing) -> None:
    with unseen(ring):
        put(ring, FIRST, item("odd", v={"S": "here"}))
        put(ring, SECOND, item("odd", v={"S": "there"}))
    result = command(ring, "--into", SECOND, "--json")
    (one,) = json.loads(result.stdout)["rings"]
    assert (result.exit_code, one["skipped"]) == (1, 1)
    assert one["skipped_keys"] == [{"key": {"id": {"S": "odd"}}, "reason": "conflict"}]


def test_functions_that_may_only_read_are_not_asked_to_write(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        DeployedDistributed, "from_outputs", _reading(DeployedDistributed.from_outputs)
    )
    result = command(ring, "--into", SECOND)
    assert result.exit_code == 2
    assert "distributed.writes: true" in result.output
    assert list(tmp_path.iterdir()) == []


def _reading(function_of: Any) -> Any:
    return lambda outputs: function_of({**outputs, "writes": False})
