"""What commands on whole tables take: keys, and a journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from automate import main
from commands.options.whole_table import parse_keys
from operate.reconcile.members import MemberConnection

RINGS = """
rings:
  - &one
    name: orders
    settings:
      table: {name: orders, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
  - {<<: *one, name: carts}
"""


def member(*keys: str) -> MemberConnection:
    """A member whose keys have these names and are texts."""
    return cast(MemberConnection, Mock(keys=keys, types=("S",) * len(keys)))


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ({"id": "1", "key": {"id": {"S": "2"}}, "kind": "x", "members": {}}, ("id",)),
        ({"key": "1", "kind": "missing", "members": {}}, ("key",)),
        ({"key": {"S": "1"}, "kind": {"S": "missing"}, "members": {"M": {}}}, ("key",)),
        ({"key": "1", "kind": "missing", "members": {}, "more": 1}, ("key",)),
        ({"key": {"id": {"S": "1"}}, "kind": "missing", "members": {"a": {}}}, ("id",)),
    ],
)
def test_an_item_with_a_reports_names_is_taken_by_its_own_key(
    line: dict[str, Any], keys: tuple[str, ...]
) -> None:
    assert parse_keys([json.dumps(line)], member(*keys)) == ['[{"S":"1"}]']


@pytest.mark.parametrize(
    ("spellings", "number"),
    [
        (["1", "1.0", "1E0", '{"N":"01.00"}'], "1"),
        (["100", "1E2", "1.00e+2"], "100"),
        (["0", "-0", "0.0"], "0"),
        (["9" * 38, "9" * 38 + ".0"], "9" * 38),
        (["-0.5", "-5E-1"], "-0.5"),
    ],
)
def test_a_number_is_one_key_however_it_is_spelled(spellings: list[str], number: str) -> None:
    table = cast(MemberConnection, Mock(keys=("id",), types=("N",)))
    texts = parse_keys([f'{{"id": {text}}}' for text in spellings], table)
    assert texts == [f'[{{"N":"{number}"}}]'] * len(spellings)


def test_one_journal_for_several_rings_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rings.yaml"
    file.write_text(RINGS)
    result = CliRunner().invoke(main, ("check", "--file", str(file), "--journal", "j"))
    assert (result.exit_code, "select one with --only" in result.output) == (2, True)
