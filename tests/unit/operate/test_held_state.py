"""What a state looks like in which a bypassed member is held, and after it was put back."""

from __future__ import annotations

import copy
from typing import Any

from operate.deployed import Deployed
from operate.held_state import arranged, held_members

STACK = "urn:pulumi:prod::dynamodb-ring::pulumi:pulumi:Stack::dynamodb-ring-prod"
INNER = "urn:pulumi:prod::dynamodb-ring::dynamodb-ring:index:Ring"
RING = f"{INNER}::ring"


def component(kind: str, at: str, **outputs: Any) -> dict[str, Any]:
    kind = f"dynamodb-ring:index:{kind}"
    return {
        "urn": f"{INNER}${kind}::{at}",
        "custom": False,
        "type": kind,
        "parent": RING,
        "outputs": outputs,
    }


def thing(kind: str, name: str, parent: str, provider: str, *depends: str) -> dict[str, Any]:
    return {
        "urn": f"{INNER}${kind}::{name}",
        "custom": True,
        "id": f"id-{name}",
        "type": kind,
        "parent": parent,
        "provider": provider,
        "inputs": {"name": name},
        "outputs": {"arn": f"arn:aws:dynamodb:eu-west-1:1:table/{name}"},
        "dependencies": list(depends),
        "propertyDependencies": {"name": list(depends)},
    }


def member(region: str) -> list[dict[str, Any]]:
    replica = component("Replica", f"ring-{region}", name=region, table="orders")
    provider = {
        "urn": f"{INNER}$pulumi:providers:aws::ring-{region}",
        "custom": True,
        "id": f"first-{region}",
        "type": "pulumi:providers:aws",
        "parent": replica["urn"],
        "inputs": {"region": region},
    }
    at = f"{provider['urn']}::{provider['id']}"
    return [replica, provider, thing("aws:dynamodb/table:Table", region, replica["urn"], at)]


def hop(source: list[dict[str, Any]], target: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A hop whose role at the target is made with the target's provider."""
    ends = [end[0]["outputs"]["name"] for end in (source, target)]
    name = f"ring-{ends[0]}-to-{ends[1]}"
    hop = component("Hop", name, source=ends[0], target=ends[1])
    role = thing("aws:iam/role:Role", name, hop["urn"], source[2]["provider"])
    writer = "aws:iam/role:Role", f"{name}-writer", hop["urn"], target[2]["provider"]
    return [hop, role, thing(*writer, role["urn"], target[2]["urn"])]


def ring() -> dict[str, Any]:
    a, b, c = member("us-east-1"), member("eu-west-1"), member("sa-east-1")
    resources = [
        {"urn": STACK, "custom": False, "type": "pulumi:pulumi:Stack"},
        {"urn": RING, "custom": False, "type": "dynamodb-ring:index:Ring", "parent": STACK},
        *(*a, *b, *c),
        *(*hop(a, b), *hop(b, c), *hop(c, a)),
        {**component("Watch", "ring-eu-west-1"), "outputs": {"topic": "arn:topic"}},
        {**copy.deepcopy(b[2]), "delete": True, "id": "an-old-one"},
    ]
    return {"version": 3, "deployment": {"manifest": {}, "resources": resources}}


def names(resources: Any) -> list[str]:
    return [one["urn"].rpartition("$")[2].rpartition("/")[2] for one in resources]


def refers(resources: Any) -> list[str]:
    """What stands behind what refers to it, or is not there at all: none may."""
    seen: set[str] = set()
    wrong = []
    for one in resources:
        provider = str(one.get("provider") or "").rpartition("::")[0]
        dependencies = [
            *one.get("dependencies", ()),
            *one.get("propertyDependencies", {}).get("name", ()),
        ]
        wanted = {one.get("parent"), provider or None, *dependencies} - {None}
        wrong += [f"{one['urn']} -> {urn}" for urn in wanted - seen]
        seen.add(one["urn"])
    return wrong


def test_all_that_is_in_the_region_goes_and_all_that_its_own_hop_needs() -> None:
    before = ring()
    after = arranged(before, {"eu-west-1"})["deployment"]["resources"]
    (kept,) = held_members(after)
    assert names(kept.resources) == [
        "dynamodb-ring:index:Replica::ring-eu-west-1",
        "pulumi:providers:aws::ring-eu-west-1",
        "table:Table::eu-west-1",
        "role:Role::ring-us-east-1-to-eu-west-1-writer",
        "dynamodb-ring:index:Hop::ring-eu-west-1-to-sa-east-1",
        "role:Role::ring-eu-west-1-to-sa-east-1",
        "role:Role::ring-eu-west-1-to-sa-east-1-writer",
        "dynamodb-ring:index:Watch::ring-eu-west-1",
        "table:Table::eu-west-1",
    ]
    assert (kept.ring, kept.member) == ("ring", "eu-west-1")
    left = [one for one in after if one.get("provider") or "providers" in one["type"]]
    assert not [name for name in names(left) if "::ring-eu-west-1" in name or "::eu-west-1" in name]
    assert refers(after) == []
    assert before == ring()


def test_nobody_can_delete_what_keeps_it_without_being_asked() -> None:
    (holds,) = [
        one
        for one in arranged(ring(), {"eu-west-1"})["deployment"]["resources"]
        if one["type"] == "dynamodb-ring:index:Held"
    ]
    assert holds["protect"] is True
    assert holds["urn"] == f"{INNER}$dynamodb-ring:index:Held::ring-eu-west-1"
    assert holds["parent"] == RING


def test_put_back_each_is_as_it_was() -> None:
    before = ring()
    back = arranged(arranged(before, {"eu-west-1"}), set())
    by_id = {(one["urn"], one.get("id")): one for one in back["deployment"]["resources"]}
    assert by_id == {(one["urn"], one.get("id")): one for one in before["deployment"]["resources"]}
    assert refers(back["deployment"]["resources"]) == []


def test_what_has_gone_or_come_again_in_the_meantime_is_distinguished() -> None:
    state = arranged(ring(), {"eu-west-1"})
    resources = [
        one
        for one in state["deployment"]["resources"]
        if "us-east-1-to-eu-west-1" not in one["urn"]
    ]
    text = [{**one} for one in resources]
    for one in text:  # the provider behind it was replaced
        if one.get("id") == "first-sa-east-1":
            one["id"] = "second-sa-east-1"
        if str(one.get("provider")).endswith("first-sa-east-1"):
            one["provider"] = str(one["provider"]).replace("first", "second")
    after = arranged({**state, "deployment": {"resources": text}}, set())["deployment"]["resources"]
    assert refers(after) == []
    (writer,) = [one for one in after if one["urn"].endswith("eu-west-1-to-sa-east-1-writer")]
    assert writer["provider"].endswith("::second-sa-east-1")
    (gone,) = [one for one in after if one["urn"].endswith("us-east-1-to-eu-west-1-writer")]
    assert gone["dependencies"] == [f"{INNER}$aws:dynamodb/table:Table::eu-west-1"]
    assert gone["parent"] in {one["urn"] for one in after}


def test_what_is_as_it_should_be_is_not_touched() -> None:
    plain, held_back = ring(), arranged(ring(), {"eu-west-1"})
    assert arranged(plain, set()) is plain
    assert arranged(held_back, {"eu-west-1"}) is held_back
    assert arranged(plain, {"a-stranger"}) is plain
    empty: dict[str, Any] = {"version": 3, "deployment": {}}
    assert arranged(empty, {"eu-west-1"}) is empty


def test_a_second_region_that_is_lost_takes_what_the_first_one_made_there() -> None:
    one = arranged(ring(), {"eu-west-1"})
    both = arranged(one, {"eu-west-1", "sa-east-1"})["deployment"]["resources"]
    kept = {one.member: names(one.resources) for one in held_members(both)}
    writer = "role:Role::ring-eu-west-1-to-sa-east-1-writer"
    assert writer in [*kept["eu-west-1"], *kept["sa-east-1"]]
    assert refers(both) == []
    assert not [one for one in both if "sa-east-1" in str(one.get("provider"))]
    second = arranged({"version": 3, "deployment": {"resources": both}}, {"sa-east-1"})
    left = second["deployment"]["resources"]
    assert refers(left) == []
    assert not [one for one in left if "sa-east-1" in str(one.get("provider"))]


def test_what_was_in_flight_in_the_region_is_kept_too() -> None:
    before = ring()
    table = before["deployment"]["resources"][7]
    other = before["deployment"]["resources"][4]
    in_flight = [{"resource": one, "type": "updating"} for one in (table, other)]
    before["deployment"]["pending_operations"] = in_flight
    after = arranged(before, {"eu-west-1"})
    assert after["deployment"]["pending_operations"] == [in_flight[1]]
    back = arranged(after, set())["deployment"]["pending_operations"]
    assert sorted(str(one) for one in back) == sorted(str(one) for one in in_flight)


def test_what_is_deployed_lists_a_held_member_as_any() -> None:
    before, after = Deployed.read(ring()), Deployed.read(arranged(ring(), {"eu-west-1"}))
    assert after.held == {"eu-west-1"}
    assert {one.name for one in after.members} == {"us-east-1", "eu-west-1", "sa-east-1"}
    key = lambda hop: (hop.source, hop.target)  # noqa: E731
    assert sorted(map(key, after.hops)) == sorted(map(key, before.hops))
