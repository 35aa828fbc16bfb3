"""The examples that are a stack's file: valid, and each a ring on this machine."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from automate import main
from local.ring import LocalRing
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE

EXAMPLES = PROJECT_ROOT / "examples"
STACKS = {"smallest": "smallest", "adopted_tables": "adopted", "two_accounts": "accounts"}
ORDER = {"customer": {"S": "ada"}, "order": {"S": "1"}}


def local_ring(folder: str) -> LocalRing:
    return LocalRing(StackConfig.read(EXAMPLES / folder, STACKS[folder]), idle=0.02)


def arrives(ring: LocalRing, source: str, target: str, key: dict[str, dict[str, str]]) -> bool:
    """Write an item at one member, and see it at another."""
    ring.client(source).put_item(TableName=ring.member(source).table, Item=key)
    ring.wait_until_quiet(PATIENCE)
    found = ring.client(target).get_item(TableName=ring.member(target).table, Key=key)
    return "Item" in found and ring.differences() == []


def test_every_stack_file_of_an_example_is_run_here() -> None:
    files = {(file.parent.name, file.name) for file in EXAMPLES.glob("*/Pulumi.*.yaml")}
    assert files == {(folder, f"Pulumi.{stack}.yaml") for folder, stack in STACKS.items()}


@pytest.mark.parametrize("folder", STACKS)
def test_its_settings_are_valid(folder: str) -> None:
    arguments = ["validate", "--folder", str(EXAMPLES / folder), "--stack", STACKS[folder]]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rings"][0]["hops"]


def test_the_smallest_ring_sends_items_in_both_directions() -> None:
    with local_ring("smallest") as ring:
        assert arrives(ring, "us-east-1", "eu-west-1", {"id": {"S": "there"}})
        assert arrives(ring, "eu-west-1", "us-east-1", {"id": {"S": "back"}})


@pytest.mark.long
def test_an_adopted_table_and_a_new_one_have_the_same_items() -> None:
    with local_ring("adopted_tables") as ring:
        assert ring.member("eu-west-1").table == "legacy-orders"
        assert arrives(ring, "eu-west-1", "us-east-1", ORDER)


@pytest.mark.long
def test_an_item_crosses_into_another_account() -> None:
    with local_ring("two_accounts") as ring:
        accounts = {
            member.client.describe_table(TableName="orders")["Table"]["TableArn"].split(":")[4]
            for member in ring.members.values()
        }
        assert accounts == {"123456789012", "210987654321"}
        assert arrives(ring, "us-east-1", "eu-west-1", ORDER)
