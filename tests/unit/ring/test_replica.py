"""A member as it is declared: its provider, its table and the table of its tombstones."""

from __future__ import annotations

import json

import pulumi
import pytest

from tests.support.pulumi_mocks import (
    ABROAD,
    ADOPTED,
    BACK,
    KEY,
    LEGACY,
    ORDERS,
    OUT,
    ROLE,
    STREAM,
    TWO,
    actions_on,
    config,
    deploy,
    deployed,
)


def test_a_table_has_the_keys_that_are_configured_and_a_stream_of_both_images() -> None:
    table = deployed().one("Table", "ring-us-east-1").inputs

    assert table["name"] == "orders"
    assert (table["hashKey"], table["rangeKey"]) == ("customer", "order")
    assert table["attributes"] == [
        {"name": "customer", "type": "S"},
        {"name": "order", "type": "S"},
    ]
    assert table["streamEnabled"]
    assert table["streamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"]
    assert table["serverSideEncryption"] == {"enabled": False}
    assert "ttl" not in table


def test_a_table_has_the_indexes_the_ttl_and_the_capacity_that_are_configured() -> None:
    status, placed = {"name": "status", "type": "S"}, {"name": "placed", "type": "N"}
    changes = {
        "global_indexes": [
            {
                "name": "by-status",
                "partition_key": status,
                "sort_key": placed,
                "projection": "INCLUDE",
                "attributes": ["total"],
            }
        ],
        "local_indexes": [{"name": "by-time", "sort_key": placed, "projection": "KEYS_ONLY"}],
        "ttl": {"attribute": "expires"},
        "billing": {"mode": "PROVISIONED", "read": 5, "write": 7},
    }
    table = deployed(table=ORDERS | changes).one("Table", "ring-eu-west-1").inputs

    assert table["globalSecondaryIndexes"] == [
        {
            "name": "by-status",
            "keySchemas": [
                {"attributeName": "status", "keyType": "HASH"},
                {"attributeName": "placed", "keyType": "RANGE"},
            ],
            "projectionType": "INCLUDE",
            "nonKeyAttributes": ["total"],
            "readCapacity": 5,
            "writeCapacity": 7,
        }
    ]
    assert table["localSecondaryIndexes"] == [
        {"name": "by-time", "rangeKey": "placed", "projectionType": "KEYS_ONLY"}
    ]
    assert [one["name"] for one in table["attributes"]] == ["customer", "order", "placed", "status"]
    assert table["ttl"] == {"attributeName": "expires", "enabled": True}
    assert (table["readCapacity"], table["writeCapacity"]) == (5, 7)


def test_an_expiry_that_is_switched_off_is_said_with_its_attribute() -> None:
    seen = deployed(table=ORDERS | {"ttl": {"attribute": "expires", "enabled": False}})

    off = {"attributeName": "expires", "enabled": False}
    assert seen.one("Table", "ring-us-east-1").inputs["ttl"] == off
    tombstones = seen.one("Table", "ring-us-east-1-tombstones").inputs
    assert tombstones["ttl"] == {"attributeName": "_repl_expires", "enabled": True}


def test_the_tombstones_table_has_the_same_keys_a_ttl_of_its_own_and_no_stream() -> None:
    changes = {"billing": {"mode": "PROVISIONED", "read": 5, "write": 7}}
    table = deployed(table=ORDERS | changes).one("Table", "ring-us-east-1-tombstones").inputs

    assert table["name"] == "orders-tombstones"
    assert (table["hashKey"], table["rangeKey"]) == ("customer", "order")
    assert table["attributes"] == [
        {"name": "customer", "type": "S"},
        {"name": "order", "type": "S"},
    ]
    assert table["ttl"] == {"attributeName": "_repl_expires", "enabled": True}
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert "streamEnabled" not in table


def test_there_is_no_tombstones_table_when_tombstones_are_off() -> None:
    seen = deployed(tombstones={"enabled": False})

    assert [one.name for one in seen.all("Table")] == ["ring-eu-west-1", "ring-us-east-1"]
    assert "tombstones" not in str(seen.one("RolePolicy", OUT).inputs["policy"])
    assert seen.outputs["ring"]["members"][0].get("tombstones") is None


@pytest.mark.parametrize("guarded", [True, False])
def test_a_protected_table_is_kept_by_dynamodb_and_by_pulumi_and_its_tombstones_are_not(
    guarded: bool,
) -> None:
    seen = deployed(table=ORDERS | {"deletion_protection": guarded})
    table = seen.one("Table", "ring-us-east-1")
    tombstones = seen.one("Table", "ring-us-east-1-tombstones")
    assert table.inputs["deletionProtectionEnabled"] is guarded
    assert table.kept is guarded
    assert "deletionProtectionEnabled" not in tombstones.inputs
    assert not tombstones.kept


def test_no_table_is_deleted_to_make_room_for_another_one() -> None:
    assert all(table.made_first for table in deployed().all("Table"))


def test_a_members_key_encrypts_both_of_its_tables_and_the_hops_at_it_may_use_it() -> None:
    seen = deployed(members=[{"region": "us-east-1", "kms_key": KEY}, TWO[1]])

    for name in ("ring-us-east-1", "ring-us-east-1-tombstones"):
        encryption = seen.one("Table", name).inputs["serverSideEncryption"]
        assert encryption == {"enabled": True, "kmsKeyArn": KEY}
    for name in ("ring-eu-west-1", "ring-eu-west-1-tombstones"):
        # Left out, the provider would keep the key that was there before.
        assert seen.one("Table", name).inputs["serverSideEncryption"] == {"enabled": False}
    for hop in (OUT, BACK):
        assert "kms:Decrypt" in actions_on(seen.one("RolePolicy", hop).document("policy"), KEY)


def test_the_key_of_a_member_whose_table_is_adopted_is_that_of_all_that_is_made_for_it() -> None:
    key = KEY.replace("us-east-1", "eu-west-1")
    seen = deployed(members=[TWO[0], {"region": "eu-west-1", "stream_arn": STREAM, "kms_key": key}])

    (tombstones,) = [one for one in seen.all("Table") if one.inputs["name"] == "legacy-tombstones"]
    assert tombstones.inputs["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": key}
    (bucket,) = seen.all("BucketServerSideEncryptionConfiguration")
    assert bucket.provider == tombstones.provider
    used = [sorted(actions_on(one.document("policy"), key)) for one in seen.all("RolePolicy")]
    assert sorted(used) == [["kms:Decrypt"], ["kms:Decrypt", "kms:GenerateDataKey"]]


def test_a_provider_has_the_profile_the_role_and_the_account_of_its_member_and_the_tags() -> None:
    seen = deployed(
        members=[{"region": "us-east-1", "profile": "home"}, ABROAD[1]], tags={"team": "orders"}
    )
    home = seen.one("aws", "ring-us-east-1").inputs
    abroad = seen.one("aws", "ring-eu-west-1").inputs

    assert home["profile"] == "home"
    assert "assumeRoles" not in home
    assert "allowedAccountIds" not in home
    assert json.loads(home["defaultTags"]) == {"tags": {"team": "orders"}}
    assert json.loads(abroad["assumeRoles"]) == [
        {"roleArn": ROLE, "externalId": "ring-1", "sessionName": "dynamodb-ring"}
    ]
    assert json.loads(abroad["allowedAccountIds"]) == ["210987654321"]


def test_an_adopted_table_is_not_created_but_given_tombstones() -> None:
    seen = deployed(members=ADOPTED)

    assert {one.inputs["name"] for one in seen.all("Table")} == {
        "orders",
        "orders-tombstones",
        "legacy-tombstones",
    }


NO_STREAM = {"streamArn": "", "streamEnabled": False, "streamViewType": ""}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (NO_STREAM, "the stream of table legacy in eu-west-1 is disabled"),
        ({"streamViewType": "KEYS_ONLY"}, "has the view type KEYS_ONLY"),
        ({"streamArn": STREAM.replace("2023", "2024")}, "the latest stream of table legacy"),
        ({"rangeKey": ""}, "has the keys customer:S, and the ring's are"),
    ],
)
def test_the_program_refuses_to_adopt_a_table_that_does_not_fit(
    wrong: dict[str, object], reason: str, preview: bool
) -> None:
    with pytest.raises(pulumi.RunError, match="stream_arn of the member eu-west-1") as error:
        deploy(config(members=ADOPTED), preview=preview, adopted=LEGACY | wrong)
    assert reason in str(error.value)
    assert "fix:" in str(error.value)


def test_the_program_asks_about_the_tables_alone_that_its_own_hops_read() -> None:
    third = {"region": "ap-southeast-2"}
    bypassed = [*ADOPTED[:1], {"region": "eu-west-1", "stream_arn": STREAM, "state": "bypassed"}]
    for more in ({"members": [*bypassed, third]}, {"members": ADOPTED, "hops": ["us-east-1"]}):
        seen = deploy(config(**more), adopted=LEGACY | NO_STREAM)
        assert "aws:dynamodb/getTable:getTable" not in {token for token, _ in seen.asked}
    asked = [one for one in deployed(members=ADOPTED).asked if "getTable" in one[0]]
    assert asked == [("aws:dynamodb/getTable:getTable", "ring-eu-west-1-legacy")]


def test_the_hops_at_an_adopted_table_use_its_own_stream_and_arn() -> None:
    seen = deployed(members=ADOPTED)
    legacy = STREAM.partition("/stream/")[0]
    mapping = seen.one("EventSourceMapping", "ring-eu-west-1-legacy-to-us-east-1")
    inward = seen.one("RolePolicy", "ring-us-east-1-to-eu-west-1-legacy").document("policy")
    outward = seen.one("RolePolicy", "ring-eu-west-1-legacy-to-us-east-1").document("policy")

    assert mapping.inputs["eventSourceArn"] == STREAM
    assert "dynamodb:GetRecords" in actions_on(outward, STREAM)
    assert "dynamodb:PutItem" in actions_on(inward, legacy)
    assert seen.outputs["ring"]["members"][1]["stream_arn"] == STREAM
