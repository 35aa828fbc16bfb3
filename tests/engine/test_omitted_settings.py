"""What is left out of a table's settings, on the real engine: each test begins after the last.

The provider keeps it and reports no change. So it is refused before, with another message.
"""

from __future__ import annotations

from typing import Any

import pytest

from operate.deployed import Deployed
from operate.deployment.preflight.immutable_settings import immutable_violations
from ring.settings.settings import Settings
from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

REGION = "us-east-1"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1f0f2d4e-5f0b-4c7a-9a53-6d8c1c5b7a10"
PLAIN: dict[str, Any] = {
    "name": "orders",
    "partition_key": {"name": "id", "type": "S"},
    "deletion_protection": False,
}
INDEX = {"name": "by-status", "partition_key": {"name": "status", "type": "S"}}
TTL = {"attribute": "expires"}
FULL = {**PLAIN, "ttl": TTL, "global_indexes": [INDEX]}
OTHER = {"region": "eu-west-1"}


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    members = [{"region": REGION, "kms_key": KEY}, OTHER]
    stack = engine.stack("left-out", {"table": FULL, "members": members})
    stack.up()
    return stack


def table(engine: Engine) -> Any:
    client = engine.place(REGION).clients.dynamodb(REGION)
    return client.describe_table(TableName="orders")["Table"]


def expiry(engine: Engine) -> str:
    client = engine.place(REGION).clients.dynamodb(REGION)
    description = client.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    return str(description["TimeToLiveStatus"])


def keys(engine: Engine) -> set[str | None]:
    """The keys of what holds data of the member besides its tables."""
    clients = engine.place(REGION).clients
    s3, sns = clients.s3(REGION), clients.sns(REGION)
    found: set[str | None] = set()
    for bucket in s3.list_buckets()["Buckets"]:
        if s3.get_bucket_location(Bucket=bucket["Name"]).get("LocationConstraint") is None:
            put = s3.put_object(Bucket=bucket["Name"], Key="tried", Body=b"")
            s3.delete_object(Bucket=bucket["Name"], Key="tried")
            found.add(put.get("SSEKMSKeyId"))
    for topic in sns.list_topics()["Topics"]:
        attributes = sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        found.add(attributes.get("KmsMasterKeyId"))
    groups = clients.logs(REGION).describe_log_groups()["logGroups"]
    return found | {group.get("kmsKeyId") for group in groups}


def wrong(stack: EngineStack) -> list[str]:
    """The settings that the operations refuse before the engine runs."""
    deployed = Deployed.read({"deployment": {"resources": stack.state()}})
    return [one.key for one in immutable_violations(deployed, Settings.parse(stack.settings))]


def test_a_key_that_is_taken_away_is_no_longer_used(engine: Engine, stack: EngineStack) -> None:
    assert table(engine)["SSEDescription"]["KMSMasterKeyArn"] == KEY
    assert keys(engine) == {KEY}
    stack.configure(members=[{"region": REGION}, OTHER])
    assert wrong(stack) == []
    assert stack.up()["update"] >= 2  # both tables of the member, and the policies of its hops
    for name in ("orders", "orders-tombstones"):
        client = engine.place(REGION).clients.dynamodb(REGION)
        described = client.describe_table(TableName=name)["Table"]
        assert described.get("SSEDescription", {}).get("Status") != "ENABLED"
    assert keys(engine) == {None}
    assert set(stack.refresh()) == set(stack.preview()) == {"same"}


def test_what_is_left_out_stays_and_nothing_is_reported_so_it_is_refused(
    engine: Engine, stack: EngineStack
) -> None:
    stack.configure(table=PLAIN)
    assert wrong(stack) == ["table.ttl", "table.global_indexes"]
    assert set(stack.up()) == {"same"}  # as `pulumi up` would, which asks nobody
    assert expiry(engine) == "ENABLED"
    assert len(table(engine)["GlobalSecondaryIndexes"]) == 1
    assert wrong(stack) == ["table.ttl", "table.global_indexes"]  # all the same


def test_an_expiry_that_is_said_to_be_off_goes_off_and_may_be_left_out_then(
    engine: Engine, stack: EngineStack
) -> None:
    stack.configure(table={**FULL, "ttl": {**TTL, "enabled": False}})
    assert wrong(stack) == []
    assert stack.up()["update"] == 2
    assert expiry(engine) == "DISABLED"
    assert set(stack.refresh()) == set(stack.preview()) == {"same"}
    stack.configure(table={**FULL, "ttl": {"attribute": "ends"}})
    assert wrong(stack) == []
    stack.configure(table={**PLAIN, "global_indexes": [INDEX]})
    assert wrong(stack) == []
    assert set(stack.up()) == {"same"}


def test_another_type_of_an_indexs_key_changes_nothing_so_it_is_refused(
    engine: Engine, stack: EngineStack
) -> None:
    number = {**INDEX, "partition_key": {"name": "status", "type": "N"}}
    stack.configure(table={**PLAIN, "global_indexes": [number]})
    assert wrong(stack) == ["table.global_indexes[0].partition_key.type"]
    assert set(stack.preview()) == {"same"}
    stack.configure(table={**PLAIN, "global_indexes": [INDEX]})


def test_an_index_more_comes_and_one_less_goes_where_one_is_left(
    engine: Engine, stack: EngineStack
) -> None:
    second = {"name": "by-time", "partition_key": {"name": "placed", "type": "N"}}
    stack.configure(table={**PLAIN, "global_indexes": [INDEX, second]})
    assert stack.up()["update"] == 2
    assert len(table(engine)["GlobalSecondaryIndexes"]) == 2
    stack.configure(table={**PLAIN, "global_indexes": [second]})
    assert wrong(stack) == []
    assert stack.up()["update"] == 2
    (index,) = table(engine)["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-time"


def test_capacity_comes_to_the_table_and_its_index_together(
    engine: Engine, stack: EngineStack
) -> None:
    billing = {"mode": "PROVISIONED", "read": 3, "write": 4}
    stack.configure(table={**stack.settings["table"], "billing": billing})
    assert stack.up()["update"] == 2
    described = table(engine)
    for one in (described, *described["GlobalSecondaryIndexes"]):
        assert one["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    assert set(stack.refresh()) == set(stack.preview()) == {"same"}


def test_the_last_index_goes_by_hand_and_a_refresh_as_the_refusal_says(
    engine: Engine, stack: EngineStack
) -> None:
    stack.configure(table=PLAIN)
    assert wrong(stack) == ["table.global_indexes"]
    for region in (REGION, OTHER["region"]):
        engine.place(region).clients.dynamodb(region).update_table(
            TableName="orders",
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-time"}}],
        )
    stack.refresh()
    assert wrong(stack) == []
    stack.up()
    assert not table(engine).get("GlobalSecondaryIndexes")
    assert set(stack.refresh()) == set(stack.preview()) == {"same"}
    stack.destroy()
