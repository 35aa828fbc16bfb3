"""The examples that deploy a ring by themselves, on Pulumi's engine."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from ring.project import PROJECT_ROOT
from tests.engine.cli import pulumi_command
from tests.engine.stacks import Engine, running_engine

pytestmark = pytest.mark.long

EXAMPLES = PROJECT_ROOT / "examples"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


def run(engine: Engine, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python file as a user would, in a folder."""
    environment = {**os.environ, **engine.users_environment, "PYTHONPATH": str(PROJECT_ROOT)}
    arguments = [sys.executable, *command]
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def tables(engine: Engine, region: str) -> set[str]:
    """Return the names of the tables in a region, without those of tombstones."""
    names = engine.place(region).clients.dynamodb(region).list_tables()["TableNames"]
    return {name for name in names if not name.endswith("-tombstones")}


def test_somebody_elses_program_has_a_ring_and_an_application_with_rights_to_it(
    engine: Engine,
) -> None:
    program = EXAMPLES / "own_program" / "__main__.py"
    options = auto.LocalWorkspaceOptions(
        env_vars=dict(engine.environment), pulumi_command=pulumi_command()
    )

    def run_program() -> None:
        runpy.run_path(str(program), run_name="__main__")

    stack = auto.create_stack("prod", "shop", run_program, opts=options)
    outputs = {name: output.value for name, output in stack.up().outputs.items()}
    role = outputs["application"].rpartition("/")[2]
    iam = engine.place("us-east-1").clients.iam("us-east-1")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    (statement,) = document["Statement"]
    assert statement["Resource"] == outputs["tables"]
    for region, arn in zip(("us-east-1", "eu-west-1"), outputs["tables"], strict=True):
        table = engine.place(region).clients.dynamodb(region).describe_table(TableName="carts")
        assert table["Table"]["TableArn"] == arn


def test_a_script_deploys_a_ring_and_fails_once_its_members_differ(
    engine: Engine, tmp_path: Path
) -> None:
    script = str(EXAMPLES / "script" / "deploy.py")
    first = run(engine, tmp_path, script)
    assert (first.returncode, first.stderr) == (0, "")
    assert "deployed: {'create': " in first.stdout
    assert first.stdout.endswith("in sync\n")
    # No hop runs in this AWS, so the item stays where it is.
    client = engine.place("us-east-1").clients.dynamodb("us-east-1")
    client.put_item(TableName="sessions", Item={"id": {"S": "lost"}})
    second = run(engine, tmp_path, script)
    assert second.returncode == 1
    assert "deployed: {'same': " in second.stdout
    assert "lost" in second.stdout
    assert second.stdout.endswith("out of sync\n")


def test_many_rings_are_deployed_from_one_file(engine: Engine, tmp_path: Path) -> None:
    file, automate = str(EXAMPLES / "many_rings" / "rings.yaml"), str(PROJECT_ROOT / "automate.py")
    result = run(engine, tmp_path, automate, "up", "--file", file, "--yes", "--json")
    rings = json.loads(result.stdout)["rings"]
    assert {ring["ring"]: ring.get("error") for ring in rings} == {
        "orders": None,
        "customers": None,
        "prices": None,
    }
    assert result.returncode == 0
    everywhere = {"orders", "customers"}
    assert {"prices", *everywhere} <= tables(engine, "eu-west-1")
    assert tables(engine, "ap-southeast-2") == everywhere
