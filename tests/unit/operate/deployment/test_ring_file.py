"""Many rings in one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from automate import main
from operate.deployment.ring_file import read_rings
from operate.errors import InvalidRequestError

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
    with pytest.raises(InvalidRequestError, match=r"no ring cart\. Did you mean `carts`\?"):
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
def test_all_that_is_wrong_is_reported_at_once(tmp_path: Path, case: str) -> None:
    old, new, keys = WRONG[case]
    count = 1 if case != "wrong settings in two rings" else 2
    with pytest.raises(InvalidRequestError) as caught:
        read_rings(written(tmp_path, TWO.replace(old, new, count)))
    assert {mistake.key for mistake in caught.value.problems} == keys


@pytest.mark.parametrize("text", ["rings: [", "- a", ""])
def test_a_file_that_is_no_ring_file_is_reported(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"rings\.yaml"):
        read_rings(written(tmp_path, text))


def apart(first: str, second: str) -> str:
    """Two rings in a file, each with its settings."""
    rings = {"first": first, "second": second}
    return "\n    ".join(
        [
            "rings:",
            *(f"- {{name: {name}, settings: {settings}}}" for name, settings in rings.items()),
        ]
    )


def ring_of(table: str, *members: str, more: str = "") -> str:
    key = "partition_key: {name: id, type: S}"
    return f"{{table: {{name: {table}, {key}}}, members: [{', '.join(members)}]{more}}}"


US, EU, AP = "{region: us-east-1}", "{region: eu-west-1}", "{region: ap-south-1}"
SHARED = {
    "the same tables": (ring_of("abc", US, EU), ring_of("abc", US, EU)),
    "one of them": (ring_of("abc", US, EU), ring_of("abc", EU, AP)),
    "by another name": (
        ring_of("abc", US, EU),
        ring_of("bcd", "{region: us-east-1, table: abc}", AP),
    ),
    "the other's tombstones": (ring_of("abc", US, EU), ring_of("abc-tombstones", EU, AP)),
    "tombstones of the other's": (ring_of("abc-tombstones", US, EU), ring_of("abc", EU, AP)),
    "one gives its account": (
        ring_of("abc", US, EU),
        ring_of("abc", "{region: eu-west-1, account: '123456789012'}", AP),
    ),
    "parts that overlap": (
        ring_of("abc", US, EU, AP, more=", hops: [us-east-1, eu-west-1]"),
        ring_of("abc", US, EU, AP, more=", hops: [eu-west-1, ap-south-1]"),
    ),
    "a part of another ring": (
        ring_of("abc", US, EU),
        ring_of("abc", EU, AP, more=", hops: [ap-south-1]"),
    ),
}
APART = {
    "other tables": (ring_of("abc", US, EU), ring_of("bcd", US, EU)),
    "other accounts": (
        ring_of("abc", US, "{region: eu-west-1, account: '123456789012'}"),
        ring_of("abc", AP, "{region: eu-west-1, account: '210987654321'}"),
    ),
    "what is reached otherwise, and may be elsewhere": (
        ring_of("abc", US, EU),
        ring_of("abc", "{region: us-east-1, profile: other}", AP),
    ),
    "parts of one ring": (
        ring_of("abc", US, EU, AP, more=", hops: [us-east-1, eu-west-1]"),
        ring_of("abc", US, EU, AP, more=", hops: [ap-south-1]"),
    ),
    "no tombstones to collide with": (
        ring_of("abc", US, EU, more=", tombstones: {enabled: false}"),
        ring_of("abc-tombstones", EU, AP),
    ),
}


@pytest.mark.parametrize(("first", "second"), SHARED.values(), ids=SHARED)
def test_two_rings_over_one_table_are_refused_where_they_are_to_be_made(
    tmp_path: Path, first: str, second: str
) -> None:
    path = written(tmp_path, apart(first, second))
    with pytest.raises(InvalidRequestError) as caught:
        read_rings(path, building=True)
    problems = caught.value.problems
    assert problems[0].key.startswith("second: members[")
    assert "it is also a table of the ring first" in problems[0].reason
    assert "Use another table in one of the two rings" in problems[0].remedy
    with pytest.raises(InvalidRequestError, match="it is also a table of the ring second"):
        read_rings(path, ["first"], building=True)
    # What there is of them can be looked at, and taken down.
    assert len(read_rings(path)) == 2


@pytest.mark.parametrize(("first", "second"), APART.values(), ids=APART)
def test_rings_that_share_nothing_are_not(tmp_path: Path, first: str, second: str) -> None:
    assert len(read_rings(written(tmp_path, apart(first, second)), building=True)) == 2


def test_every_command_that_makes_a_ring_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, apart(*SHARED["one of them"]))
    for command in (("validate",), ("preview",), ("up", "--yes")):
        result = CliRunner().invoke(main, [*command, "--file", str(path)])
        assert result.exit_code == 2
        assert "second: members[0]" in result.output
        assert "it is also a table of the ring first, at its member eu-west-1" in result.output
