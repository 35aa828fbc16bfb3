"""The greeting of `automate.py local`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from local.session import SessionOptions, run
from tests.support.dynamodb_servers import ministack

_STACK = """config:
  dynamodb-ring:table:
    name: orders
    partition_key: {name: id, type: S}
    ttl: {attribute: until, enabled: %s}
  dynamodb-ring:members:
    - region: us-east-1
    - region: eu-west-1
"""


@pytest.mark.parametrize(("enabled", "expected"), [("true", True), ("false", False)])
def test_the_greeting_says_that_another_dynamodb_expires_items(
    tmp_path: Path, enabled: str, expected: bool
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: dynamodb-ring\nruntime: python\n")
    (tmp_path / "Pulumi.one.yaml").write_text(_STACK % enabled)
    server, output = ministack(), io.StringIO()
    run(tmp_path, SessionOptions("one", seconds=0, dynamodb=server), Console(file=output))
    assert f"The tables are in the DynamoDB at {server}." in output.getvalue()
    assert ("Items expire by `until`" in output.getvalue()) is expected
