"""What is read from the state that Pulumi keeps."""

from __future__ import annotations

from operate.deployed import Credentials, Deployed
from ring.component_types import REPLICA
from ring.held_resources import member_of_replica
from tests.support.deployments import CONFIG, TABLE, deployed, state, stream

ROLE = "arn:aws:iam::210987654321:role/deploys"


def test_members_and_hops_are_found_in_ring_order() -> None:
    found = deployed(CONFIG)
    assert [member.name for member in found.members] == [
        "us-east-1",
        "eu-west-1",
        "ap-southeast-2-orders-apac",
    ]
    assert [(hop.source, hop.target) for hop in found.hops] == [
        ("us-east-1", "eu-west-1"),
        ("eu-west-1", "ap-southeast-2-orders-apac"),
        ("ap-southeast-2-orders-apac", "us-east-1"),
    ]


def test_a_member_is_listed_with_how_to_reach_it() -> None:
    reached = {"region": "eu-west-1", "profile": "eu", "role": ROLE, "external_id": "ring-2f7c"}
    found = deployed({"table": TABLE, "members": [{"region": "us-east-1"}, reached]})
    assert found.members[0].credentials == Credentials()
    assert found.members[1].credentials == Credentials("eu", ROLE, "ring-2f7c")
    assert found.members[1].stream_arn == stream("eu-west-1", "orders")


def test_tombstones_are_kept_as_long_as_the_hops_are_configured_to() -> None:
    found = deployed({**CONFIG, "tombstones": {"retention_days": 10}})
    assert [member.retention_days for member in found.members] == [10, 10, 10]


def test_a_member_that_another_stack_deploys_is_named_only() -> None:
    found = deployed({**CONFIG, "hops": ["us-east-1"]})
    assert [member.named_only for member in found.members] == [False, True]


def test_an_update_that_failed_midway_leaves_the_tables_to_be_found() -> None:
    found = Deployed.read(state(CONFIG, finished=False))
    assert {(one.region, one.table, one.tombstones) for one in found.members} == {
        ("us-east-1", "orders", "orders-tombstones"),
        ("eu-west-1", "orders", "orders-tombstones"),
        ("ap-southeast-2", "orders-apac", "orders-apac-tombstones"),
    }
    assert found.hops == ()


def test_what_waits_to_be_deleted_is_not_deployed() -> None:
    stack = state(CONFIG)
    for resource in stack["deployment"]["resources"]:
        resource["delete"] = True
    assert Deployed.read(stack) == Deployed()


def test_a_hop_whose_member_a_destroy_that_broke_off_has_deleted_is_not_deployed() -> None:
    stack = state(CONFIG)
    resources = stack["deployment"]["resources"]
    replicas = [one for one in resources if one["type"] == REPLICA]
    gone = next(one["urn"] for one in replicas if member_of_replica(one) == "us-east-1")
    stack["deployment"]["resources"] = [
        one for one in resources if gone not in (one["urn"], one.get("parent"))
    ]
    found = Deployed.read(stack)
    left = ("eu-west-1", "ap-southeast-2-orders-apac")
    assert {member.name for member in found.members} == set(left)
    assert [(hop.source, hop.target) for hop in found.hops] == [left]
