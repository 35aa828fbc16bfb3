"""What `local` says of the ring when it is there."""

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


@pytest.mark.parametrize(("enabled", "told"), [("true", True), ("false", False)])
def test_who_expires_items_is_told_where_ttl_is_on_and_another_dynamodb_has_the_tables(
    tmp_path: Path, enabled: str, told: bool
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: dynamodb-ring\nruntime: python\n")
    (tmp_path / "Pulumi.one.yaml").write_text(_STACK % enabled)
    elsewhere, heard = ministack(), io.StringIO()
    run(tmp_path, SessionOptions("one", seconds=0, dynamodb=elsewhere), Console(file=heard))
    assert f"Its tables are in the DynamoDB at {elsewhere}." in heard.getvalue()
    assert ("Items expire by `until`" in heard.getvalue()) is told
