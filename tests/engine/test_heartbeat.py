"""A heartbeat on the real engine: switched on, changed, and off again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.lambda_emulator.schedule import rate_seconds
from ring.resources.heartbeat import HEARTBEAT_EVENT
from tests.engine.replication import PATIENCE, keys_at, running
from tests.engine.stacks import Engine

pytestmark = pytest.mark.long

TABLE: dict[str, Any] = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
MEMBERS = [{"region": "us-east-1"}, {"region": "eu-west-1"}]


def test_a_heart_is_switched_on_beats_and_is_switched_off_again(engine: Engine) -> None:
    stack = engine.stack("beating", {"table": TABLE, "members": MEMBERS})
    stack.up()
    stack.configure(heartbeat={"enabled": True})
    changes = stack.up()
    # A rule, its target and what lets it call, for each of two functions, which know their key.
    assert (changes["create"], changes["update"]) == (6, 2)
    assert set(stack.refresh()) == {"same"}
    events = engine.place("eu-west-1").clients.client("events", "eu-west-1")
    (rule,) = events.list_rules()["Rules"]
    assert rate_seconds(rule["ScheduleExpression"]) == 60
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert json.loads(target["Input"]) == HEARTBEAT_EVENT

    with running(stack) as ring:
        engine.run(stack, ring)
        for hop in ring.hops.values():
            hop.function.invoke(HEARTBEAT_EVENT)
        ring.wait_until_quiet(PATIENCE)
        assert [len(keys_at(member)) for member in ring.members.values()] == [2, 2]

    stack.configure(heartbeat={"enabled": True, "every": 5})
    assert stack.up()["update"] == 2
    stack.configure(heartbeat=None)
    changes = stack.up()
    assert (changes["delete"], changes["update"]) == (6, 2)
    assert events.list_rules()["Rules"] == []
