"""Many rings of one file, over the real engine: each test begins where the one before it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.commands import answer, run, tables
from tests.engine.stacks import Engine

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("users_environment")]

RINGS = """
rings:
  - name: first
    settings:
      table: {name: one, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
  - name: second
    settings:
      table: {name: two, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
  - name: third
    settings:
      table: {name: three, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
"""


def test_many_rings_are_made_from_one_file_and_one_that_fails_keeps_none_of_the_others(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "rings.yaml"
    file.write_text(RINGS)
    somebodys(engine, "three")
    first = run("up", "--file", str(file), "--only", "first", "--only", "second", "--yes", "--json")
    assert first.exit_code == 0
    result = run("up", "--file", str(file), "--yes", "--json")
    assert result.exit_code == 1
    assert {one["ring"]: one["ok"] for one in answer(result)["rings"]} == {
        "first": True,
        "second": True,
        "third": False,
    }
    third = answer(result)["rings"][2]
    assert "already exists" in third["error"]["text"]
    assert {"one", "two"} <= set(tables(engine, "us-east-1"))


def somebodys(engine: Engine, name: str) -> None:
    """Make a table as somebody who knows nothing of rings."""
    engine.cloud.location({"region": "us-east-1"}).clients.dynamodb("us-east-1").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_a_ring_over_tables_of_a_deployed_stack_is_refused_before_anything_is_made(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "rings.yaml"
    file.write_text(RINGS.partition("  - name: second")[0].replace("name: first", "name: again"))
    before = tables(engine, "us-east-1")
    for command in (("preview",), ("up", "--yes")):
        result = run(*command, "--file", str(file), "--json")
        assert result.exit_code == 2
        (again,) = answer(result)["rings"]
        assert "the stack first has deployed it, in account" in again["error"]["text"]
        assert "two rings over one table" in again["error"]["text"]
    assert tables(engine, "us-east-1") == before
