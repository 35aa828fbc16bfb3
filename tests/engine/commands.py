"""The command line over the engine, as a user of this machine."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from automate import main
from tests.engine.stacks import Engine


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def answer(result: Result) -> Any:
    """The one document on stdout, and the exit code beside it."""
    return json.loads(result.stdout)


def tables(engine: Engine, region: str) -> list[str]:
    client = engine.cloud.location({"region": region}).clients.dynamodb(region)
    return sorted(client.list_tables()["TableNames"])
