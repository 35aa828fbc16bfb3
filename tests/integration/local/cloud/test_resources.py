"""Each resource is made with all that is said of it, by boto3's own calls."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from local.clients import HOME_ACCOUNT
from local.cloud.cloud import Change, Cloud
from local.cloud.resources import RESOURCE_TYPES, Location
from tests.engine.provider.state import refreshed
from tests.support.cloud_inputs import TABLE, WRITES, described, function, role, table


def test_a_table_is_made_with_its_stream(cloud: Cloud, ireland: Location) -> None:
    inputs = table("plain", streamEnabled=True, streamViewType="NEW_AND_OLD_IMAGES")
    made, outputs = cloud.create(TABLE, "t", inputs, ireland)
    found = described(ireland, "plain")
    assert made == outputs["name"] == "plain"
    assert outputs["arn"] == found["TableArn"]
    assert outputs["streamArn"] == found["LatestStreamArn"]
    assert outputs["streamLabel"] == found["LatestStreamLabel"]
    assert found["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_a_table_is_made_with_everything_that_can_be_said_of_it(
    cloud: Cloud, ireland: Location
) -> None:
    inputs = table(
        "rich",
        rangeKey="order",
        attributes=[
            {"name": "customer", "type": "S"},
            {"name": "order", "type": "N"},
            {"name": "status", "type": "S"},
        ],
        billingMode="PROVISIONED",
        readCapacity=5.0,
        writeCapacity=6.0,
        globalSecondaryIndexes=[
            {
                "name": "wide",
                "keySchemas": [
                    {"attributeName": "status", "keyType": "HASH"},
                    {"attributeName": "order", "keyType": "RANGE"},
                ],
                "projectionType": "INCLUDE",
                "nonKeyAttributes": ["total"],
                "readCapacity": 1.0,
                "writeCapacity": 2.0,
            }
        ],
        localSecondaryIndexes=[{"name": "near", "rangeKey": "status", "projectionType": "ALL"}],
        ttl={"enabled": True, "attributeName": "expires"},
        pointInTimeRecovery={"enabled": True},
        deletionProtectionEnabled=True,
        serverSideEncryption={"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-1:1:key/a"},
        tags={"stage": "one"},
    )
    cloud.create(TABLE, "t", inputs, ireland)
    found = described(ireland, "rich")
    client = ireland.clients.dynamodb("eu-west-1")
    assert [key["AttributeName"] for key in found["KeySchema"]] == ["customer", "order"]
    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    (wide,) = found["GlobalSecondaryIndexes"]
    assert [key["AttributeName"] for key in wide["KeySchema"]] == ["status", "order"]
    assert wide["Projection"]["NonKeyAttributes"] == ["total"]
    assert wide["ProvisionedThroughput"]["ReadCapacityUnits"] == 1
    (near,) = found["LocalSecondaryIndexes"]
    assert [key["AttributeName"] for key in near["KeySchema"]] == ["customer", "status"]
    assert found["DeletionProtectionEnabled"]
    assert found["SSEDescription"]["KMSMasterKeyArn"] == "arn:aws:kms:eu-west-1:1:key/a"
    expiry = client.describe_time_to_live(TableName="rich")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = client.describe_continuous_backups(TableName="rich")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = client.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "orders", "stage": "one"}


def test_a_role_and_its_policy_are_made(cloud: Cloud, ireland: Location) -> None:
    arn = role(cloud, ireland, "carrier")
    policy = {"role": "carrier", "policy": WRITES, "name": "writes"}
    made, _ = cloud.create("aws:iam/rolePolicy:RolePolicy", "p", policy, ireland)
    iam = ireland.clients.iam("eu-west-1")
    assert arn == f"arn:aws:iam::{HOME_ACCOUNT}:role/carrier"
    assert iam.get_role(RoleName="carrier")["Role"]["Description"] == "replicates"
    assert iam.get_role_policy(RoleName="carrier", PolicyName="writes")["PolicyDocument"] == (
        json.loads(WRITES)
    )
    assert made == "carrier:writes"


def test_a_user_and_its_policy_are_made_changed_and_deleted(
    cloud: Cloud, ireland: Location
) -> None:
    user, policy = "aws:iam/user:User", "aws:iam/userPolicy:UserPolicy"
    made, outputs = cloud.create(user, "u", {"name": "writer"}, ireland)
    assert outputs["arn"] == f"arn:aws:iam::{HOME_ACCOUNT}:user/writer"
    reads = WRITES.replace("PutItem", "GetItem")
    inputs = {"user": "writer", "name": "writes", "policy": reads}
    written, _ = cloud.create(policy, "p", inputs, ireland)
    cloud.update(policy, "p", written, Change(inputs, {**inputs, "policy": WRITES}), ireland)
    seen = cloud.read(policy, "p", written, ireland)
    assert seen is not None
    assert json.loads(seen["policy"]) == json.loads(WRITES)
    tagged = {"name": "writer", "tags": {"team": "users"}}
    cloud.update(user, "u", made, Change({"name": "writer"}, tagged), ireland)
    seen = cloud.read(user, "u", made, ireland)
    assert seen is not None
    assert seen["tagsAll"] == {"team": "users", "stage": "all"}
    for token, id_ in ((policy, written), (user, made)):
        cloud.delete(token, "gone", id_, ireland)
        assert cloud.read(token, "gone", id_, ireland) is None


def test_a_log_group_is_made_with_its_retention(cloud: Cloud, ireland: Location) -> None:
    inputs = {"name": "hop", "retentionInDays": 30.0}
    _, outputs = cloud.create("aws:cloudwatch/logGroup:LogGroup", "g", inputs, ireland)
    (group,) = ireland.clients.logs("eu-west-1").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30
    assert outputs["arn"] == group["arn"].removesuffix(":*")


def test_a_log_group_has_the_key_that_is_said_and_another_and_none(
    cloud: Cloud, ireland: Location
) -> None:
    token, plain = "aws:cloudwatch/logGroup:LogGroup", {"name": "keyed"}
    keyed = [{**plain, "kmsKeyId": f"arn:aws:kms:eu-west-1:1:key/{one}"} for one in "ab"]
    made, _ = cloud.create(token, "g", keyed[0], ireland)

    for old, new in pairwise((*keyed, plain)):
        seen = cloud.read(token, "g", made, ireland)
        assert seen is not None
        assert seen.get("kmsKeyId") == old["kmsKeyId"]
        cloud.update(token, "g", made, Change(old, new), ireland)
    assert "kmsKeyId" not in (cloud.read(token, "g", made, ireland) or {})


def test_a_log_group_that_has_but_a_beginning_of_a_name_is_read_as_it_was_said(
    cloud: Cloud, ireland: Location
) -> None:
    token, inputs = "aws:cloudwatch/logGroup:LogGroup", {"namePrefix": "/aws/vendedlogs/states/m-"}
    made, outputs = cloud.create(token, "g", inputs, ireland)
    seen = cloud.read(token, "g", made, ireland)

    assert seen is not None
    assert refreshed(RESOURCE_TYPES[token], inputs, seen, ireland) == inputs
    assert outputs["name"].startswith(inputs["namePrefix"])


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_a_bucket_is_made_in_its_region_and_closed_to_the_public(cloud: Cloud, region: str) -> None:
    place = cloud.location({"region": region})
    name, outputs = cloud.create(
        "aws:s3/bucket:Bucket", "b", {"bucket": f"lost-{region}", "tags": {"a": "b"}}, place
    )
    block = {"bucket": name, "blockPublicAcls": True, "restrictPublicBuckets": True}
    cloud.create("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "x", block, place)
    s3 = place.clients.s3(region)
    assert outputs["arn"] == f"arn:aws:s3:::lost-{region}"
    location = s3.get_bucket_location(Bucket=name)["LocationConstraint"]
    assert (location or "us-east-1") == region
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "a", "Value": "b"}]
    closed = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert closed == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": True,
    }


def test_a_function_is_made_from_its_archive(cloud: Cloud, ireland: Location) -> None:
    outputs = function(cloud, ireland, "hop")
    found = ireland.clients.functions("eu-west-1").get_function(FunctionName="hop")
    configuration = found["Configuration"]
    assert outputs["arn"] == configuration["FunctionArn"]
    assert outputs["timeout"] == configuration["Timeout"] == 60
    assert configuration["MemorySize"] == 512
    assert configuration["Environment"]["Variables"] == {"A": "1"}
    assert configuration["Architectures"] == ["arm64"]
    assert found["Tags"] == {"team": "orders", "stage": "all"}


def test_an_event_source_mapping_is_made_and_moto_does_not_act_on_it(
    cloud: Cloud, ireland: Location
) -> None:
    stream = {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"}
    arn = cloud.create(TABLE, "t", table("source", **stream), ireland)[1]["streamArn"]
    inputs = {
        "functionName": function(cloud, ireland, "fed")["arn"],
        "eventSourceArn": arn,
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 200.0,
        "maximumRetryAttempts": -1.0,
        "bisectBatchOnFunctionError": True,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "destinationConfig": {"onFailure": {"destinationArn": "arn:aws:s3:::lost"}},
        "metricsConfig": {"metrics": ["EventCount"]},
    }
    made, outputs = cloud.create(
        "aws:lambda/eventSourceMapping:EventSourceMapping", "m", inputs, ireland
    )
    found = ireland.clients.functions("eu-west-1").get_event_source_mapping(UUID=made)
    assert found["EventSourceArn"] == arn
    assert found["BatchSize"] == 200
    assert found["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert outputs["uuid"] == made
    assert outputs["functionArn"] == found["FunctionArn"]

    client = ireland.clients.dynamodb("eu-west-1")
    for number in range(3):
        client.put_item(TableName="source", Item={"customer": {"S": str(number)}})
    streams = ireland.clients.streams("eu-west-1")
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert len(streams.get_records(ShardIterator=iterator)["Records"]) == 3


def test_a_rule_with_its_target_and_permission_lives_its_whole_life(
    cloud: Cloud, ireland: Location
) -> None:
    rule_kind = "aws:cloudwatch/eventRule:EventRule"
    target_kind = "aws:cloudwatch/eventTarget:EventTarget"
    permission_kind = "aws:lambda/permission:Permission"
    called = function(cloud, ireland, "called")
    rule = {"name": "beat", "scheduleExpression": "rate(1 minute)", "tags": {"a": "b"}}
    made, outputs = cloud.create(rule_kind, "r", rule, ireland)
    target = {"rule": made, "arn": called["arn"], "input": '{"beat": true}'}
    aimed, _ = cloud.create(target_kind, "t", target, ireland)
    permission = {
        "action": "lambda:InvokeFunction",
        "function": called["name"],
        "principal": "events.amazonaws.com",
        "sourceArn": outputs["arn"],
    }
    allowed, _ = cloud.create(permission_kind, "p", permission, ireland)

    seen = cloud.read(rule_kind, "r", made, ireland) or {}
    assert seen["scheduleExpression"] == "rate(1 minute)"
    assert seen["tagsAll"] == {"team": "orders", "stage": "all", "a": "b"}
    assert target.items() <= (cloud.read(target_kind, "t", aimed, ireland) or {}).items()
    assert permission.items() <= (cloud.read(permission_kind, "p", allowed, ireland) or {}).items()

    slower = {**rule, "scheduleExpression": "rate(5 minutes)", "tags": {"c": "d"}}
    cloud.update(rule_kind, "r", made, Change(rule, slower), ireland)
    seen = cloud.read(rule_kind, "r", made, ireland) or {}
    assert seen["scheduleExpression"] == "rate(5 minutes)"
    assert seen["tagsAll"] == {"team": "orders", "stage": "all", "c": "d"}
    cloud.update(target_kind, "t", aimed, Change(target, {**target, "input": "{}"}), ireland)
    assert (cloud.read(target_kind, "t", aimed, ireland) or {})["input"] == "{}"

    for kind, id_ in ((target_kind, aimed), (permission_kind, allowed), (rule_kind, made)):
        for _ in range(2):  # what is not there is deleted
            cloud.delete(kind, "x", id_, ireland)
        assert cloud.read(kind, "x", id_, ireland) is None
