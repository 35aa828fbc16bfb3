"""A ring as it is declared: whole or one hop at a time, for real or in a preview."""

from __future__ import annotations

import pytest
from pulumi.output import contains_unknowns

from tests.support.pulumi_mocks import (
    ABROAD,
    ACCOUNT,
    ADOPTED,
    BACK,
    OUT,
    TWO,
    Watching,
    actions_on,
    deployed,
)


def tree(seen: Watching) -> set[tuple[str, str, str]]:
    return {(one.type.rpartition(":")[2], one.name, one.parent) for one in seen.declared}


def test_a_ring_is_its_members_and_the_hops_between_them() -> None:
    children = {(kind, name) for kind, name, parent in tree(deployed()) if parent == "ring"}

    assert children == {
        ("Replica", "ring-us-east-1"),
        ("Replica", "ring-eu-west-1"),
        ("Hop", OUT),
        ("Hop", BACK),
        ("Watch", "ring-us-east-1"),
        ("Watch", "ring-eu-west-1"),
        ("Dashboard", "ring-us-east-1"),
    }


def test_the_types_of_the_components_never_change() -> None:
    types = {one.type for one in deployed().declared if one.type.startswith("dynamodb-ring:")}

    assert types == {
        "dynamodb-ring:index:Ring",
        "dynamodb-ring:index:Replica",
        "dynamodb-ring:index:Hop",
        "dynamodb-ring:index:Watch",
    }


def test_every_resource_lies_under_the_component_it_belongs_to() -> None:
    ours = ("ring-us-east-1", OUT)
    unwatched = tree(deployed(monitoring={"enabled": False}))
    names = [(kind, name, parent) for kind, name, parent in unwatched if parent in ours]

    assert sorted(names) == [
        ("Bucket", "ring-us-east-1-quarantine", "ring-us-east-1"),
        ("BucketLifecycleConfiguration", "ring-us-east-1-quarantine", "ring-us-east-1"),
        ("BucketPolicy", "ring-us-east-1-quarantine", "ring-us-east-1"),
        ("BucketPublicAccessBlock", "ring-us-east-1-quarantine", "ring-us-east-1"),
        ("EventSourceMapping", OUT, OUT),
        ("Function", OUT, OUT),
        ("LogGroup", OUT, OUT),
        ("Role", OUT, OUT),
        ("RolePolicy", OUT, OUT),
        ("Table", "ring-us-east-1", "ring-us-east-1"),
        ("Table", "ring-us-east-1-tombstones", "ring-us-east-1"),
        ("aws", "ring-us-east-1", "ring-us-east-1"),
    ]


def test_no_two_resources_of_a_type_share_a_name_even_in_one_region() -> None:
    members = [{"region": "us-east-1", "table": name} for name in ("a.b", "a-b", "x" * 244)]
    urns = [(one.type, one.name) for one in deployed(members=members).declared]

    assert len(set(urns)) == len(urns)


def test_every_resource_is_made_by_the_provider_of_its_members_region() -> None:
    seen = deployed()
    made = [
        one
        for one in seen.declared
        if one.type.startswith("aws:") and one not in seen.all("Dashboard")  # of all regions
    ]

    assert len(made) == 40
    for one in made:
        assert one.provider == one.parent.partition("-to-")[0], one.name
        assert seen.one("aws", one.provider).inputs["region"] in one.name


def test_the_outputs_name_each_members_tables_and_each_hops_function() -> None:
    outputs = deployed().outputs["ring"]

    assert outputs["members"][0] == {
        "name": "us-east-1",
        "region": "us-east-1",
        "table": "orders",
        "table_arn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders",
        "stream_arn": (
            f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders/stream/2024-05-01T09:30:00.000"
        ),
        "tombstones": "orders-tombstones",
    }
    assert outputs["hops"][1] == {
        "source": "eu-west-1",
        "target": "us-east-1",
        "function": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{BACK}-a1b2c3",
        "mapping": f"{BACK}-a1b2c3",
        "quarantine": "ring-quarantine-b2effd43-a1b2c3",
    }


# --- one hop at a time ----------------------------------------------------------------------


THREE: list[object] = [*TWO, {"region": "ap-southeast-2", "table": "orders-apac"}]
ONWARD = "ring-eu-west-1-to-ap-southeas-dc6e06bd"


def test_a_stack_of_one_hop_creates_its_source_and_names_its_target_only() -> None:
    seen = deployed(members=THREE, hops=["eu-west-1"])

    assert [one.name for one in seen.all("Hop")] == [ONWARD]
    assert [one.name for one in seen.all("Table")] == [
        "ring-eu-west-1",
        "ring-eu-west-1-tombstones",
    ]
    assert [one.name for one in seen.all("aws")] == [
        "ring-ap-southeast-2-orders-apac",
        "ring-eu-west-1",
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_named_tables_arns_are_put_together_without_looking_the_tables_up(
    partition: str,
) -> None:
    seen = deployed(members=THREE, hops=["eu-west-1"], partition=partition)
    policy = seen.one("RolePolicy", ONWARD).document("policy")
    target = f"arn:{partition}:dynamodb:ap-southeast-2:{ACCOUNT}:table/orders-apac"

    assert "dynamodb:DeleteItem" in actions_on(policy, target)
    assert "dynamodb:PutItem" in actions_on(policy, f"{target}-tombstones")
    assert sorted(seen.asked) == [
        (
            "aws:index/getCallerIdentity:getCallerIdentity",
            "ring-ap-southeast-2-orders-apac",
        ),
        ("aws:index/getPartition:getPartition", "ring-ap-southeast-2-orders-apac"),
    ]


def test_a_whole_ring_asks_nothing_of_aws_before_it_is_deployed() -> None:
    assert deployed().asked == []


def test_stacks_of_one_hop_each_create_every_table_once() -> None:
    tables = [
        (one.provider, one.inputs["name"])
        for hop in ("us-east-1", "eu-west-1", "ap-southeast-2")
        for one in deployed(members=THREE, hops=[hop]).all("Table")
    ]

    assert len(tables) == len(set(tables)) == 6


# --- preview --------------------------------------------------------------------------------


def test_a_preview_declares_the_same_resources_though_nothing_of_aws_is_known_yet() -> None:
    for sections in ({}, {"members": ADOPTED}, {"members": ABROAD}, {"hops": ["us-east-1"]}):
        assert tree(deployed(preview=True, **sections)) == tree(deployed(**sections))


def test_a_preview_says_what_is_unknown_and_shows_what_is_known() -> None:
    seen = deployed(preview=True)
    mapping = seen.one("EventSourceMapping", OUT).inputs

    assert contains_unknowns(mapping["eventSourceArn"])
    assert mapping["batchSize"] == 500
    assert contains_unknowns(seen.one("RolePolicy", OUT).inputs["policy"])
    assert seen.one("Table", "ring-us-east-1").inputs["name"] == "orders"
