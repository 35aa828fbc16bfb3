"""The component from a program that knows it by its schema alone, on Pulumi's engine.

The engine starts the plugin, and the program sends what a program in any language sends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from component.schema import SCHEMA
from local.running_ring import RunningRing
from ring.component_types import RING
from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings
from tests.engine.cli import pulumi_command
from tests.engine.deployed import deployment_of
from tests.engine.stacks import Engine
from tests.support.local_rings import PATIENCE

pytestmark = pytest.mark.long

REGIONS = ("us-east-1", "eu-west-1")
KEY = {"id": {"S": "ada"}}
INPUTS: Mapping[str, Any] = {
    "table": {
        "name": "carts",
        "partitionKey": {"name": "id", "type": "S"},
        "deletionProtection": False,
    },
    "members": [{"region": region} for region in REGIONS],
    "function": {"memory": 256},
    "monitoring": {"enabled": False},
}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin as a program of the name that the engine looks for."""
    plugin = tmp_path_factory.mktemp("plugin") / "pulumi-resource-dynamodb-ring"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROJECT_ROOT / "component"}" "$@"\n')
    plugin.chmod(0o755)
    return plugin


@pytest.fixture  # Pulumi keeps a stack's program in its options
def options(engine: Engine, plugin: Path) -> auto.LocalWorkspaceOptions:
    """A shell that has the plugin on its path, where the engine looks for it."""
    path = f"{plugin.parent}{os.pathsep}{os.environ['PATH']}"
    return auto.LocalWorkspaceOptions(
        env_vars={**engine.environment, "PATH": path}, pulumi_command=pulumi_command()
    )


class Ring(pulumi.ComponentResource):
    """What Pulumi generates for a component of a plugin, but for its names."""

    members: pulumi.Output[list[dict[str, Any]]]
    hops: pulumi.Output[list[dict[str, Any]]]

    def __init__(self, name: str, inputs: Mapping[str, Any]) -> None:
        properties = {**inputs, "members": inputs.get("members"), "hops": None}
        super().__init__(RING, name, properties, remote=True)


def stack(options: auto.LocalWorkspaceOptions, name: str, inputs: Mapping[str, Any]) -> auto.Stack:
    def program() -> None:
        ring = Ring("carts", inputs)
        pulumi.export("members", ring.members)
        pulumi.export("hops", ring.hops)

    return auto.create_stack(name, "shop", program, opts=options)


def test_a_ring_is_deployed_and_replicates(
    engine: Engine, options: auto.LocalWorkspaceOptions
) -> None:
    shop = stack(options, "prod", INPUTS)
    outputs = {name: output.value for name, output in shop.up().outputs.items()}
    assert [member["region"] for member in outputs["members"]] == list(REGIONS)
    assert [hop["target"] for hop in outputs["hops"]] == ["eu-west-1", "us-east-1"]
    resources = (shop.export_stack().deployment or {})["resources"]
    assert [one["urn"].rpartition("::")[2] for one in resources if one["type"] == RING] == ["carts"]
    settings = Settings.parse(
        {
            "table": {"name": "carts", "partition_key": {"name": "id", "type": "S"}},
            "members": INPUTS["members"],
            "monitoring": {"enabled": False},
        }
    )
    ring = RunningRing(settings, idle=0.02)
    try:
        ring.run(deployment_of(resources, engine.cloud), settings, engine.cloud)
        ring.client("us-east-1").put_item(TableName="carts", Item=KEY)
        ring.wait_until_quiet(PATIENCE)
        assert "Item" in ring.client("eu-west-1").get_item(TableName="carts", Key=KEY)
    finally:
        ring.close()
    assert set(shop.preview().change_summary) == {"same"}
    shop.destroy()
    for region in REGIONS:
        assert engine.place(region).clients.dynamodb(region).list_tables()["TableNames"] == []


def test_invalid_arguments_are_all_reported_by_their_names(
    options: auto.LocalWorkspaceOptions,
) -> None:
    inputs = {**INPUTS, "function": {"memory": 1}, "heartbeats": {}}
    with pytest.raises(auto.CommandError) as caught:
        stack(options, "invalid", inputs).preview()
    text = str(caught.value)
    assert "function.memory" in text
    assert "Did you mean `heartbeat`" in text
    assert "component/provider.py" not in text  # no traceback of the plugin


def test_pulumi_reads_the_schema_and_finds_no_fault_in_it(
    engine: Engine, plugin: Path, tmp_path: Path
) -> None:
    run = pulumi_command().run(
        ["package", "get-schema", str(plugin)], str(tmp_path), dict(engine.environment)
    )
    found, kept = json.loads(run.stdout), json.loads(SCHEMA.read_text())
    assert run.stderr == ""
    assert set(found["types"]) == set(kept["types"])
    assert set(found["resources"]) == {RING}
    inputs = found["resources"][RING]["inputProperties"]
    assert set(inputs) == set(kept["resources"][RING]["inputProperties"])


def test_the_yaml_program_of_its_readme_deploys_a_ring(
    engine: Engine, options: auto.LocalWorkspaceOptions, tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\nruntime: yaml\n{yaml_of_readme()}")
    shop = auto.create_stack("yaml", work_dir=str(tmp_path), opts=options)
    members = shop.up().outputs["members"].value
    assert [member["region"] for member in members] == list(REGIONS)
    for region in REGIONS:
        tables = engine.place(region).clients.dynamodb(region).list_tables()
        assert "carts" in tables["TableNames"]
    assert set(shop.preview().change_summary) == {"same"}


def yaml_of_readme() -> str:
    """Return the example in YAML."""
    text = (PROJECT_ROOT / "component" / "README.md").read_text()
    return text.partition("```yaml\n")[2].partition("```")[0]
