"""What the program declares of a ring of which a member is held."""

from __future__ import annotations

import json
from typing import Any, cast

import grpc
import pulumi
import pytest

from ring import held
from ring.component_types import HELD
from ring.held import READS_STATE, HeldMember
from ring.ring import Ring
from ring.settings.settings import Settings
from tests.support.pulumi_mocks import CHINA, ORDERS, TWO, Cloud, Watching, config, watch

LOST = "eu-west-1"
MEMBER_SUMMARY = {
    "name": LOST,
    "region": LOST,
    "table": "orders",
    "table_arn": "arn:table",
    "stream_arn": "arn:stream",
    "tombstones": "orders-tombstones",
}
HOP_SUMMARY = {
    "source": LOST,
    "target": "sa-east-1",
    "function": "arn:f",
    "mapping": "m",
    "quarantine": "q",
}


def kept(member: str = LOST, ring: str = "ring") -> dict[str, Any]:
    """The state's word of a member that is held, as the engine reports it."""
    resources = [
        {"type": "dynamodb-ring:index:Replica", "outputs": MEMBER_SUMMARY},
        {"type": "dynamodb-ring:index:Hop", "outputs": HOP_SUMMARY},
        {"type": "dynamodb-ring:index:Watch", "outputs": {"topic": "arn:topic"}},
    ]
    text = json.dumps({"resources": resources, "needed": [], "pending": []})
    return {"urn:held": {"type": HELD, "outputs": HeldMember(ring, member, text).outputs}}


def members(state: str) -> list[object]:
    return [TWO[0], {"region": LOST, "state": state}, {"region": "sa-east-1"}]


def declared(state: dict[str, Any], **sections: object) -> tuple[Watching, Ring]:
    rings: list[Ring] = []
    settings = Settings.parse(config(**sections))
    monitor = watch(lambda: rings.append(Ring("ring", settings)), state=state)
    return monitor, rings[0]


def test_nothing_of_it_is_declared_but_what_keeps_it() -> None:
    monitor, _ = declared(kept(), members=members("bypassed"))
    (holds,) = monitor.all("Held")
    assert (holds.name, holds.parent, holds.protected) == ("ring-eu-west-1", "ring", True)
    assert monitor.outputs["ring-eu-west-1"] == kept()["urn:held"]["outputs"]
    assert {one.name for one in monitor.all("aws")} == {"ring-us-east-1", "ring-sa-east-1"}
    assert [one.name for one in monitor.declared if LOST in one.name] == ["ring-eu-west-1"]
    assert {one.name for one in monitor.all("Hop")} == {
        "ring-us-east-1-to-sa-east-1",
        "ring-sa-east-1-to-us-east-1",
    }


def test_it_is_listed_as_it_was_in_ring_order() -> None:
    monitor, _ = declared(kept(), members=members("bypassed"))
    ring_outputs = monitor.outputs["ring"]
    assert [one["name"] for one in ring_outputs["members"]] == ["us-east-1", LOST, "sa-east-1"]
    assert ring_outputs["members"][1] == MEMBER_SUMMARY
    assert [one["source"] for one in ring_outputs["hops"]] == ["us-east-1", LOST, "sa-east-1"]
    assert ring_outputs["hops"][1] == HOP_SUMMARY
    assert ring_outputs["topics"][LOST] == "arn:topic"


@pytest.mark.parametrize("state", ["in", "rejoining"])
def test_it_is_not_made_a_second_time_when_it_is_no_longer_bypassed(state: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"automate\.py rejoin eu-west-1"):
        declared(kept(), members=members(state))


def test_what_is_off_the_list_is_not_forgotten_either() -> None:
    with pytest.raises(pulumi.RunError, match="still held outside Pulumi's state"):
        declared(kept(), members=[TWO[0], {"region": "sa-east-1"}])


def test_a_bypassed_member_that_is_not_held_is_declared_as_any() -> None:
    monitor, _ = declared({}, members=members("bypassed"))
    assert f"ring-{LOST}" in {one.name for one in monitor.all("aws")}
    assert monitor.all("Held") == []


def test_what_another_ring_of_the_stack_holds_is_that_ones() -> None:
    monitor, _ = declared(kept(ring="another"), members=members("in"))
    assert f"ring-{LOST}" in {one.name for one in monitor.all("aws")}


def test_the_user_that_its_hop_writes_as_in_another_partition_stays() -> None:
    first, second = cast("list[dict[str, Any]]", CHINA)
    third = {**first, "region": "us-west-2"}
    ring = [first, {**second, "state": "bypassed"}, third]
    before, _ = declared({}, members=ring, table=ORDERS)
    after, _ = declared(kept("cn-north-1"), members=ring, table=ORDERS)
    users = {one.name for one in before.all("User")}
    assert "ring-us-west-2-writer" in users
    assert {one.name for one in after.all("User")} == users - {"ring-cn-north-1-writer"}


class StateError(grpc.RpcError):
    """The engine's answer to a question about a state that it cannot read."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


def fail_to_read(monkeypatch: pytest.MonkeyPatch, *failures: str) -> list[str]:
    """Let so many questions about the state fail; return the list of those to come."""
    left, answer = list(failures), Cloud.call

    def call(cloud: Cloud, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        if args.token == READS_STATE and left:
            raise StateError(left.pop())
        return answer(cloud, args)

    monkeypatch.setattr(held, "_PAUSE", 0.0)
    monkeypatch.setattr(Cloud, "call", call)
    return left


def test_a_state_that_is_just_being_written_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    left = fail_to_read(monkeypatch, *["failed to load checkpoint: EOF"] * 4)
    monitor, _ = declared(kept(), members=members("bypassed"))
    assert monitor.all("Held")
    assert left == []


@pytest.mark.parametrize(
    ("error", "again"), [("failed to load checkpoint: EOF", 5), ("it is no JSON", 1)]
)
def test_a_state_that_cannot_be_read_is_not_asked_for_forever(
    monkeypatch: pytest.MonkeyPatch, error: str, again: int
) -> None:
    left = fail_to_read(monkeypatch, *[error] * 7)
    with pytest.raises(Exception, match=error):
        declared(kept(), members=members("bypassed"))
    assert 7 - len(left) == again
