"""What `pulumi new` and `pulumi config set` write is read as what a person writes."""

from pathlib import Path

import pytest
import yaml

from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings
from ring.settings.stack_file import StackFile

TEMPLATE = yaml.safe_load((PROJECT_ROOT / "Pulumi.yaml").read_text())["template"]["config"]


def test_what_pulumi_new_offers_is_a_valid_ring(tmp_path: Path) -> None:
    offered = {key: asked["default"] for key, asked in TEMPLATE.items()}
    (tmp_path / "Pulumi.new.yaml").write_text(yaml.safe_dump({"config": offered}))
    settings = Settings.parse(StackFile.read(tmp_path, "new").settings)
    assert settings.table.name == "orders"
    assert [member.region for member in settings.members] == ["us-east-1", "eu-west-1"]


@pytest.mark.parametrize(
    ("text", "read"),
    [('\'{"a": "b"}\'', {"a": "b"}), ("{a: b}", {"a": "b"}), ("not JSON", "not JSON")],
)
def test_a_section_can_be_text_in_json(tmp_path: Path, text: str, read: object) -> None:
    (tmp_path / "Pulumi.one.yaml").write_text(f"config:\n  dynamodb-ring:tags: {text}\n")
    assert StackFile.read(tmp_path, "one").settings == {"tags": read}
