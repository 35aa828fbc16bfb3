"""A stack's file is read by Pulumi as by `validate`."""

from __future__ import annotations

import json
from pathlib import Path

from operate.deployment.workspace import Workspace
from ring.settings.settings import NAMESPACE
from tests.engine.cli import pulumi_command
from tests.unit.ring.settings.test_yaml_text import READ_BY_PULUMI


def test_pulumi_reads_words_as_validate_reads_them(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(
        f"name: {NAMESPACE}\nruntime: python\nbackend: {{url: 'file://{tmp_path / 'state'}'}}\n"
    )
    workspace = Workspace(
        tmp_path,
        pulumi_command(),
        environment={"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_HOME": str(tmp_path / "home")},
    )
    workspace.create_stack("words")
    lines = "".join(f"    - {word}\n" for word in READ_BY_PULUMI)
    (tmp_path / "Pulumi.words.yaml").write_text(f"config:\n  {NAMESPACE}:words:\n{lines}")
    found = json.loads(workspace.get_all_config("words")[f"{NAMESPACE}:words"].value)
    assert found == list(READ_BY_PULUMI.values())
