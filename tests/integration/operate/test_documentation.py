"""The examples of docs/python.md that need no engine; tests/engine runs the other."""

from __future__ import annotations

import re
from pathlib import Path

from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.program import run_program
from local.endpoint.server import LocalServer
from local.stack_config import StackConfig
from ring.project import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs" / "python.md"


def test_a_ring_can_be_a_part_of_somebody_elses_program(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[1])
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        deployment = run_program(program, StackConfig("shop", {}), Cloud(accounts))
    first, second = deployment.outputs["cart_streams"]
    assert first.startswith("arn:aws:dynamodb:us-east-1:")
    assert second.startswith("arn:aws:dynamodb:eu-west-1:")
