"""A region that answers nothing, without automate.py's words: each test goes on from the last.

The lost member is one that everything hangs on: it is in an account of its own, the work on
segments stands there, and it is the first in the account's dashboard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pulumi import automation as auto

from operate.deployment.stack import RingStack
from operate.errors import OperationFailedError
from ring.component_types import HELD
from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

LOST = "eu-west-1"
ROLE = "arn:aws:iam::210987654321:role/deploys"
SETTINGS: dict[str, Any] = {
    "table": {
        "name": "orders",
        "partition_key": {"name": "id", "type": "S"},
        "deletion_protection": False,
    },
    "distributed": {"enabled": True, "at": LOST},
    "heartbeat": {"enabled": True},
    "mapping": {"batch_size": 20},
}


def members(state: str | None = "in") -> list[dict[str, Any]]:
    lost = {"region": LOST, "account": "210987654321", "role": ROLE, "state": state}
    others = [{"region": "us-east-1"}, {"region": "sa-east-1"}]
    return [others[0], lost, others[1]] if state else others


@pytest.fixture(autouse=True, scope="module")
def environment(engine: Engine) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as set_by_user:
        for name, value in engine.users_environment.items():
            set_by_user.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def pulumi(engine: Engine) -> EngineStack:
    """The stack as Pulumi alone sees it."""
    stack = engine.stack("orders", {**SETTINGS, "members": members()})
    stack.up()
    return stack


@pytest.fixture(scope="module")
def at_first(pulumi: EngineStack) -> set[tuple[str, str]]:
    """What is in the region that will be lost."""
    return ids(pulumi)


@contextmanager
def lost(engine: Engine) -> Iterator[None]:
    engine.unreachable.asked.clear()
    engine.unreachable.regions.add(LOST)
    try:
        yield
    finally:
        engine.unreachable.regions.clear()


def automate(state: str | None, **changes: Any) -> RingStack:
    """The same stack, as the operations see it."""
    return RingStack({**SETTINGS, **changes, "members": members(state)}, "orders")


def ids(stack: EngineStack, *, at: str = LOST) -> set[tuple[str, str]]:
    """What the stack knows of a region: each thing's URN and id."""
    providers = [
        f"{one['urn']}::{one['id']}"
        for one in stack.state()
        if one["type"] == "pulumi:providers:aws" and one["inputs"]["region"] == at
    ]
    return {(one["urn"], one["id"]) for one in stack.state() if one.get("provider") in providers}


def named(stack: EngineStack) -> dict[str, Any]:
    """All that the stack names, with ids, and what it keeps of members that are held."""
    held = {one["urn"]: one["outputs"] for one in stack.state() if one["type"] == HELD}
    return {one["urn"]: one.get("id") for one in stack.state()} | held


def batch_sizes(engine: Engine, region: str) -> list[int]:
    client: Any = engine.cloud.location(place(region)).clients.functions(region)
    found = client.list_event_source_mappings()["EventSourceMappings"]
    return [one["BatchSize"] for one in found]


def place(region: str) -> Mapping[str, Any]:
    roles = {"assumeRoles": [{"roleArn": ROLE}]} if region == LOST else {}
    return {"region": region, **roles}


def test_pulumi_alone_stops_at_a_region_that_is_lost_and_deletes_nothing(
    engine: Engine, pulumi: EngineStack, at_first: set[tuple[str, str]]
) -> None:
    assert at_first
    before = pulumi.state()
    pulumi.configure(members=members("bypassed"))
    with lost(engine), pytest.raises(auto.CommandError, match=f"{LOST} does not answer"):
        pulumi.up()
    kept = {one["urn"] for one in pulumi.state()}
    assert {one["urn"] for one in before} <= kept


def test_a_preview_shows_what_a_bypass_does_and_holds_nothing_yet(
    engine: Engine, pulumi: EngineStack
) -> None:
    before = pulumi.state()
    with lost(engine):
        changes = automate("bypassed").preview().changes
    assert engine.unreachable.asked == []
    assert changes["create"] > 0
    assert pulumi.state() == before


def test_the_ring_closes_and_nothing_at_all_is_asked_of_the_lost_region(
    engine: Engine, pulumi: EngineStack
) -> None:
    before = automate("bypassed").deployed()
    with lost(engine):
        result = automate("bypassed").up()
    assert engine.unreachable.asked == []
    after = automate("bypassed").deployed()
    assert after.held == {LOST}
    hops = {(one.source, one.target) for one in after.hops}
    assert hops == {("us-east-1", "sa-east-1"), (LOST, "sa-east-1"), ("sa-east-1", "us-east-1")}
    named = [
        [one["name"] for one in result.outputs["members"]],
        [one.name for one in after.members],
    ]
    assert named == [["us-east-1", LOST, "sa-east-1"]] * 2
    assert after.distributed == before.distributed
    assert {(one["source"], one["target"]) for one in result.outputs["hops"]} == hops
    assert LOST in result.outputs["topics"]


def test_others_change_while_it_is_out_by_whatever_command(
    engine: Engine, pulumi: EngineStack
) -> None:
    with lost(engine):
        automate("bypassed", mapping={"batch_size": 30}).up()
        assert not automate("bypassed", mapping={"batch_size": 30}).up().differs
        pulumi.configure(mapping={"batch_size": 30})
        for counts in (pulumi.preview(), pulumi.up(), pulumi.refresh()):
            assert set(counts) == {"same"}
        pulumi.configure(mapping={"batch_size": 40})
        pulumi.up()
    assert engine.unreachable.asked == []
    assert batch_sizes(engine, "us-east-1") == [40]
    assert batch_sizes(engine, LOST) == [20]


def test_pulumi_alone_does_not_make_it_a_second_time(engine: Engine, pulumi: EngineStack) -> None:
    before = named(pulumi)
    pulumi.configure(distributed=None)
    for entries in (members("rejoining"), members("in"), members(None)):
        pulumi.configure(members=entries)
        with pytest.raises(auto.CommandError, match=rf"automate\.py rejoin {LOST}"):
            pulumi.up()
    pulumi.configure(members=members("bypassed"), distributed=SETTINGS["distributed"])
    assert named(pulumi) == before


def test_let_in_too_early_it_fails_and_can_be_left_out_again(
    engine: Engine, pulumi: EngineStack
) -> None:
    known = automate("bypassed").deployed()
    with lost(engine):
        with pytest.raises(OperationFailedError, match=f"{LOST} does not answer"):
            automate("rejoining").up()
        engine.unreachable.asked.clear()
        automate("bypassed").up()
    assert engine.unreachable.asked == []
    assert automate("bypassed").deployed() == known


def test_it_is_not_destroyed_while_its_region_is_lost(engine: Engine, pulumi: EngineStack) -> None:
    with lost(engine):
        with pytest.raises(OperationFailedError, match=f"{LOST} does not answer"):
            automate("bypassed").destroy()
        engine.unreachable.asked.clear()
        automate("bypassed").up()
    assert engine.unreachable.asked == []
    assert automate("bypassed").deployed().held == {LOST}


def test_back_it_is_the_same_as_before_and_what_it_missed_is_made_up_for(
    engine: Engine, pulumi: EngineStack, at_first: set[tuple[str, str]]
) -> None:
    changes = automate("rejoining", mapping={"batch_size": 40}).up().changes
    assert changes.get("replace", 0) == 0
    assert at_first <= ids(pulumi)
    assert batch_sizes(engine, LOST) == [40]
    assert not automate("rejoining", mapping={"batch_size": 40}).preview().differs
    automate("in", mapping={"batch_size": 40}).up()
    assert ids(pulumi) == at_first
    pulumi.configure(members=members())
    assert set(pulumi.preview()) == set(pulumi.refresh()) == {"same"}


def test_pulumi_alone_destroys_all_but_what_is_held_and_does_not_forget_that(
    engine: Engine, pulumi: EngineStack
) -> None:
    automate("bypassed").up()
    (holds,) = [one for one in pulumi.state() if one["type"] == HELD]
    with pytest.raises(auto.CommandError, match="because it is protected"):
        pulumi.destroy()
    assert holds["outputs"] in [one.get("outputs") for one in pulumi.state()]


def test_taken_off_the_list_while_it_is_held_nothing_of_it_is_left_behind(
    engine: Engine, pulumi: EngineStack
) -> None:
    without = {"distributed": {"enabled": False}}
    planned = automate(None, **without).preview().changes
    assert automate(None, **without).up().changes["delete"] == planned["delete"]
    assert ids(pulumi) == set()
    there = engine.cloud.location(place(LOST)).clients
    dynamodb: Any = there.dynamodb(LOST)
    functions: Any = there.functions(LOST)
    assert dynamodb.list_tables()["TableNames"] == []
    assert functions.list_functions()["Functions"] == []
