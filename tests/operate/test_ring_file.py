"""Many rings in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate.errors import WrongError
from operate.ring_file import read_rings

RING = """
    settings:
      table: {name: %s, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
"""
TWO = f"rings:\n  - name: orders{RING % 'orders'}\n  - name: carts{RING % 'carts'}"


def written(folder: Path, text: str) -> Path:
    path = folder / "rings.yaml"
    path.write_text(text)
    return path


def test_each_ring_has_its_settings_and_a_stack_of_its_name(tmp_path: Path) -> None:
    rings = read_rings(written(tmp_path, TWO))
    assert [(ring.label, ring.name, ring.settings().table.name) for ring in rings] == [
        ("orders", "orders", "orders"),
        ("carts", "carts", "carts"),
    ]


def test_a_ring_can_have_another_stack(tmp_path: Path) -> None:
    rings = read_rings(
        written(tmp_path, TWO.replace("name: carts\n", "name: carts\n    stack: c2\n", 1))
    )
    assert [(ring.label, ring.name) for ring in rings] == [("orders", "orders"), ("carts", "c2")]


def test_only_some_of_them_can_be_chosen(tmp_path: Path) -> None:
    assert [ring.label for ring in read_rings(written(tmp_path, TWO), ["carts"])] == ["carts"]
    with pytest.raises(WrongError, match=r"no ring cart\. Did you mean `carts`\?"):
        read_rings(written(tmp_path, TWO), ["cart"])


# a change to the file -> the keys of the mistakes
WRONG = {
    "a misspelt word": ("settings:", "setings:", {"rings[0].settings", "rings[0].setings"}),
    "wrong settings in two rings": (
        "region: us-east-1",
        "region: mars",
        {"orders: members[0].region", "carts: members[0].region"},
    ),
    "a misspelt word, and wrong settings": (
        "settings:\n      table: {name: orders, partition_key: {name: id, type: S}}",
        "stak: a\n    settings:\n      table: {name: orders, partition_key: {name: id, type: X}}",
        {"rings[0].stak", "orders: table.partition_key.type"},
    ),
    "no name, and wrong settings": (
        "  - name: orders\n    settings:\n      "
        "table: {name: orders, partition_key: {name: id, type: S}}",
        "  - settings:\n      table: {name: orders, partition_key: {name: id, type: X}}",
        {"rings[0].name", "rings[0]: table.partition_key.type"},
    ),
    "one name twice": ("name: carts\n", "name: orders\n", {"rings[1]"}),
    "one stack twice": ("name: carts\n", "name: carts\n    stack: orders\n", {"rings[1]"}),
    "no ring": (TWO, "rings: []", {"rings"}),
}


@pytest.mark.parametrize("case", WRONG)
def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, case: str) -> None:
    old, new, keys = WRONG[case]
    count = 1 if case != "wrong settings in two rings" else 2
    with pytest.raises(WrongError) as told:
        read_rings(written(tmp_path, TWO.replace(old, new, count)))
    assert {mistake.key for mistake in told.value.mistakes} == keys


@pytest.mark.parametrize("text", ["rings: [", "- a", ""])
def test_a_file_that_is_no_ring_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongError, match=r"rings\.yaml"):
        read_rings(written(tmp_path, text))
