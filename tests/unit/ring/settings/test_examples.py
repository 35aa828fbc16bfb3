"""The stacks that come with the project: they parse, and the program runs on them."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.stack import Stack
from pydantic import BaseModel

from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings, SettingsError
from tests.support.pulumi_mocks import LEGACY, Watching, watch


def stack(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{name}.yaml").read_text())[
        "config"
    ]
    return loaded


def sections(name: str) -> dict[str, Any]:
    return {key.removeprefix("dynamodb-ring:"): value for key, value in stack(name).items()}


def ran(config: dict[str, Any], *, preview: bool = False) -> Watching:
    """Run the program as Pulumi does, with a stack's configuration as JSON."""
    pulumi.runtime.set_all_config({key: json.dumps(value) for key, value in config.items()})

    def program() -> None:
        runpy.run_path(str(PROJECT_ROOT / "__main__.py"))

    members: Any = config["dynamodb-ring:members"]
    streams = [one["stream_arn"] for one in members if "stream_arn" in one]
    adopted = LEGACY | {"streamArn": streams[0]} if streams else None
    return watch(program, preview=preview, adopted=adopted)


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    ("name", "members", "tables"), [("dev", 3, 6), ("full", 4, 7), ("china", 2, 4)]
)
def test_an_example_runs(name: str, members: int, tables: int, preview: bool) -> None:
    seen = ran(stack(name), preview=preview)

    assert len(seen.all("Replica")) == len(seen.all("Hop")) == members
    assert len(seen.all("Table")) == tables


def test_the_program_exports_the_members_and_the_hops() -> None:
    ran(stack("dev"))
    root = pulumi.runtime.get_root_resource()

    assert isinstance(root, Stack)
    assert [member["name"] for member in root.outputs["members"]] == [
        "us-east-1",
        "eu-west-1",
        "ap-southeast-2-orders-apac",
    ]
    assert [(hop["source"], hop["target"]) for hop in root.outputs["hops"]] == [
        ("us-east-1", "eu-west-1"),
        ("eu-west-1", "ap-southeast-2-orders-apac"),
        ("ap-southeast-2-orders-apac", "us-east-1"),
    ]


def test_the_program_reports_wrong_settings_before_anything_is_declared() -> None:
    config = stack("dev") | {"dynamodb-ring:hop": "us-east-1"}

    with pytest.raises(SettingsError, match="Did you mean `hops`"):
        ran(config)


def test_the_program_is_a_dozen_lines() -> None:
    lines = (PROJECT_ROOT / "__main__.py").read_text().splitlines()

    assert len([line for line in lines if line]) <= 12


def test_the_small_example_sets_nothing_but_the_table_and_the_members() -> None:
    assert set(sections("dev")) == {"table", "members"}


def settable(model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield key
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from settable(part)


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from keys(part)


def test_the_large_example_uses_every_setting_within_one_partition() -> None:
    # It only mentions `profile`: a profile would have to be there on every machine that runs it;
    # and `topics`, beside which there is no `email`.
    missing = set(settable(Settings)) - set(keys(sections("full")))
    assert missing == {"profile", "writer_secret", "arn", "topics"}
    text = (PROJECT_ROOT / "Pulumi.full.yaml").read_text()
    assert all(f"# {key}:" in text for key in ("profile", "topics"))
    assert missing < set(keys(sections("china")))


def test_the_project_is_the_one_whose_settings_are_read() -> None:
    project = yaml.safe_load((PROJECT_ROOT / "Pulumi.yaml").read_text())

    assert project["name"] == "dynamodb-ring"
    assert project["runtime"]["name"] == "python"
    assert project["runtime"]["options"]["virtualenv"] == ".venv"
