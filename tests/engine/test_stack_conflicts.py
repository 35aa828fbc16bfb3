"""Conflicts of a ring that Pulumi's engine has deployed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from handler.model.image import digest
from handler.model.version import Version
from operate.deployed import Deployed
from operate.deployment.stack import RingStack
from tests.engine.commands import answer, run
from tests.engine.stacks import Engine

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("users_environment")]

RING = (
    *("--table", "orders", "--key", "customer:S", "--sort", "order:S"),
    *("--member", "us-east-1", "--member", "eu-west-1:orders-eu"),
)
KEY: Any = {"customer": {"S": "ada"}, "order": {"S": "2"}}
WON, LOST = ({**KEY, "total": {"N": total}} for total in ("1", "2"))


def log_conflict(engine: Engine, deployed: Deployed) -> None:
    """Write the line of a conflict to the log group of the first hop."""
    here, there = deployed.members
    now = int(time.time())
    line = {
        "event": "conflict",
        "hop": "h",
        "key": KEY,
        "won": str(Version.make(now, 0, str(there.replica), 7, digest(WON))),
        "lost": str(Version.make(now, 0, str(here.replica), 7, digest(LOST))),
        "won_item": WON,
        "lost_item": LOST,
    }
    clients = engine.place("us-east-1").clients
    function = clients.functions("us-east-1").get_function_configuration(
        FunctionName=str(deployed.hops[0].function)
    )
    stream: Any = {"logGroupName": function["LoggingConfig"]["LogGroup"], "logStreamName": "test"}
    logs = clients.logs("us-east-1")
    logs.create_log_stream(**stream)
    event: Any = {"timestamp": now * 1000, "message": json.dumps(line)}
    logs.put_log_events(**stream, logEvents=[event])


def test_a_conflict_in_the_log_of_a_stacks_hop_is_listed_and_resolved(engine: Engine) -> None:
    assert run("up", *RING, "--yes").exit_code == 0
    deployed = RingStack(None, "orders").deployed()
    log_conflict(engine, deployed)
    table = engine.place("us-east-1").clients.dynamodb("us-east-1")
    table.put_item(TableName="orders", Item=WON)

    (ring,) = answer(run("conflicts", "list", "--stack", "orders", "--json"))["rings"]
    (entry,) = ring["conflicts"]
    here, there = deployed.members
    assert (entry["won"]["member"], entry["lost"]["member"]) == (there.name, here.name)
    resolve = ("conflicts", "resolve", entry["id"], "--keep", "loser", "--stack", "orders", "--yes")
    assert run(*resolve).exit_code == 0
    assert table.get_item(TableName="orders", Key=KEY)["Item"] == LOST
    assert run(*resolve).exit_code == 1
