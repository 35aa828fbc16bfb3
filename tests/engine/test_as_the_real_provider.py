"""Where the provider here does as the real one, though it could be kinder: without the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import grpc
import pytest
from botocore.exceptions import ClientError
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.resources import Location, resource_type
from local.endpoint.server import LocalServer
from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded
from tests.engine.provider.provider import EngineProvider

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
MACHINE = "aws:sfn/stateMachine:StateMachine"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
READS = (
    '{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)
TRUST = '{"Version": "2012-10-17", "Statement": []}'
EXPIRY = {"ttl": {"attributeName": "expires", "enabled": True}}
KEY = {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-1:1:key/a"}}
INDEX = {
    "name": "by-status",
    "keySchemas": [{"attributeName": "status", "keyType": "HASH"}],
    "projectionType": "ALL",
}
INDEXED = {
    "attributes": [{"name": "id", "type": "S"}, {"name": "status", "type": "S"}],
    "globalSecondaryIndexes": [INDEX],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def port(cloud: Cloud) -> Iterator[str]:
    with EngineProvider(cloud) as provider:
        yield provider.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:")


@pytest.fixture(scope="module")
def ireland(port: str) -> Iterator[Connection]:
    connection = Connection(port).configured(region="eu-west-1")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    return cloud.location({"region": "eu-west-1"})


def table(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        **more,
    }


def made(
    connection: Connection, token: str, inputs: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Check and make a resource; return its id and its outputs."""
    answer = connection.create(token, decoded(connection.check(token, inputs).inputs))
    return answer.id, decoded(answer.properties)


def described(place: Location, name: str) -> Any:
    return place.clients.dynamodb(place.region).describe_table(TableName=name)["Table"]


def expiry(place: Location, name: str) -> Any:
    client = place.clients.dynamodb(place.region)
    return client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


# --- blocks that are left out ---------------------------------------------------------------


@pytest.mark.parametrize("block", [EXPIRY, KEY, INDEXED], ids=["ttl", "key", "last index"])
def test_a_block_that_is_left_out_is_no_change(
    ireland: Connection, block: Mapping[str, Any]
) -> None:
    found = ireland.diff(TABLE, table("left-out", **block), table("left-out"))
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_block_that_is_left_out_stays_through_another_change(
    ireland: Connection, place: Location
) -> None:
    before = table("kept", **EXPIRY, **KEY, **INDEXED)
    made(ireland, TABLE, before)
    after = decoded(
        ireland.update(TABLE, "kept", before, table("kept", tags={"a": "b"})).properties
    )
    assert expiry(place, "kept")["TimeToLiveStatus"] == "ENABLED"
    assert described(place, "kept")["SSEDescription"]["Status"] == "ENABLED"
    assert len(described(place, "kept")["GlobalSecondaryIndexes"]) == 1
    assert after["ttl"] == EXPIRY["ttl"]


def test_what_is_said_to_be_off_goes_off(ireland: Connection, place: Location) -> None:
    before = table("off", **EXPIRY, **KEY)
    made(ireland, TABLE, before)
    off = table(
        "off",
        ttl={"attributeName": "expires", "enabled": False},
        serverSideEncryption={"enabled": False},
    )
    assert set(ireland.diff(TABLE, before, off).diffs) == {"ttl", "serverSideEncryption"}
    ireland.update(TABLE, "off", before, off)
    assert expiry(place, "off")["TimeToLiveStatus"] == "DISABLED"
    assert described(place, "off").get("SSEDescription", {}).get("Status") != "ENABLED"
    # And off it is the same as nothing.
    assert ireland.diff(TABLE, table("off"), off).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_another_attribute_of_expiry_in_one_step_is_refused_as_by_dynamodb(
    ireland: Connection, place: Location
) -> None:
    before = table("moving", **EXPIRY)
    made(ireland, TABLE, before)
    after = table("moving", ttl={"attributeName": "ends", "enabled": True})
    with pytest.raises(grpc.RpcError, match="active on a different AttributeName"):
        ireland.update(TABLE, "moving", before, after)
    assert expiry(place, "moving")["AttributeName"] == "expires"


def test_another_type_of_an_indexs_key_is_no_change(ireland: Connection) -> None:
    number = [{"name": "id", "type": "S"}, {"name": "status", "type": "N"}]
    found = ireland.diff(
        TABLE, table("typed", **INDEXED), table("typed", **{**INDEXED, "attributes": number})
    )
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_an_indexs_capacity_goes_with_the_tables(ireland: Connection, place: Location) -> None:
    before = table("sized", **INDEXED)
    made(ireland, TABLE, before)
    units = {"readCapacity": 3, "writeCapacity": 4}
    sized = {"billingMode": "PROVISIONED", **units, "globalSecondaryIndexes": [{**INDEX, **units}]}
    after = {**before, **sized}
    client = place.clients.dynamodb(place.region)
    with patch.object(client, "update_table", wraps=client.update_table) as calls:
        ireland.update(TABLE, "sized", before, after)
    assert calls.call_count == 1
    (index,) = described(place, "sized")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
    larger = {**after, "globalSecondaryIndexes": [{**INDEX, **units, "writeCapacity": 9}]}
    ireland.update(TABLE, "sized", after, larger)
    (index,) = described(place, "sized")["GlobalSecondaryIndexes"]
    assert index["ProvisionedThroughput"]["WriteCapacityUnits"] == 9


# --- functions and mappings -----------------------------------------------------------------


def code(text: str) -> dict[str, Any]:
    """An archive as the engine sends it, with its hash."""
    part = {rpc._special_sig_key: rpc._special_asset_sig, "text": text}
    return {
        rpc._special_sig_key: rpc._special_archive_sig,
        "hash": str(hash(text)),
        "assets": {"app.py": part},
    }


def function(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": "arn:aws:iam::123456789012:role/runs",
        "runtime": "python3.13",
        "handler": "app.handle",
        "code": code("def handle(*_): ..."),
        "loggingConfig": {"logFormat": "Text", "logGroup": "one"},
        **more,
    }


@pytest.fixture(scope="module")
def runs(ireland: Connection) -> None:
    made(ireland, ROLE, {"name": "runs", "assumeRolePolicy": TRUST})


@pytest.mark.usefixtures("runs")
def test_a_function_has_its_configuration_changed_before_its_code(
    ireland: Connection, place: Location
) -> None:
    before = function("ordered")
    made(ireland, FUNCTION, before)
    client = place.clients.functions(place.region)
    refusal = ClientError({"Error": {"Code": "Denied", "Message": "no code"}}, "UpdateFunctionCode")
    after = function("ordered", code=code("def other(*_): ..."), handler="app.other")
    with (
        patch.object(client, "update_function_code", side_effect=refusal),
        pytest.raises(grpc.RpcError, match="no code"),
    ):
        ireland.update(FUNCTION, "ordered", before, after)
    left = client.get_function(FunctionName="ordered")["Configuration"]
    assert left["Handler"] == "app.other"  # with the old code


@pytest.mark.usefixtures("runs")
def test_a_functions_code_is_sent_only_where_it_is_another(
    ireland: Connection, place: Location
) -> None:
    before = function("same")
    made(ireland, FUNCTION, before)
    client = place.clients.functions(place.region)
    with patch.object(client, "update_function_code", wraps=client.update_function_code) as calls:
        ireland.update(FUNCTION, "same", before, function("same", timeout=9))
        assert calls.call_count == 0
        ireland.update(FUNCTION, "same", before, function("same", code=code("x = 1")))
        assert calls.call_count == 1


@pytest.mark.usefixtures("runs")
def test_where_a_function_logs_is_told_read_and_changed(
    ireland: Connection, place: Location
) -> None:
    before = function("logs")
    made(ireland, FUNCTION, before)
    seen = decoded(ireland.read(FUNCTION, "logs", inputs=before, properties=before).properties)
    assert seen["loggingConfig"] == {"logFormat": "Text", "logGroup": "one"}
    other = {"logFormat": "Text", "logGroup": "two"}
    after = function("logs", loggingConfig=other)
    assert list(ireland.diff(FUNCTION, before, after).diffs) == ["loggingConfig"]
    ireland.update(FUNCTION, "logs", before, after)
    client: Any = place.clients.functions(place.region)
    assert client.get_function(FunctionName="logs")["Configuration"]["LoggingConfig"] == {
        "LogFormat": "Text",
        "LogGroup": "two",
    }


@pytest.fixture
def mapping(ireland: Connection, runs: None) -> Iterator[tuple[str, dict[str, Any]]]:
    stream = {"streamEnabled": True, "streamViewType": "NEW_AND_OLD_IMAGES"}
    _, source = made(ireland, TABLE, table("source", **stream))
    _, fed = made(ireland, FUNCTION, function("fed"))
    inputs = {
        "functionName": fed["arn"],
        "eventSourceArn": source["streamArn"],
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 5,
        "enabled": True,
    }
    yield made(ireland, MAPPING, {**inputs, "tags": {"team": "orders"}})
    ireland.delete(FUNCTION, "fed", {})
    ireland.delete(TABLE, "source", {})


def test_a_mapping_has_tags(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    assert client.list_tags(Resource=state["arn"])["Tags"] == {"team": "orders"}
    after = {**state, "tags": {"team": "carts"}}
    ireland.update(MAPPING, id_, state, after)
    assert client.list_tags(Resource=state["arn"])["Tags"] == {"team": "carts"}
    ireland.delete(MAPPING, id_, state)


class Lambda:
    """Lambda, which takes its time: what it tells of a mapping changes from look to look."""

    def __init__(self, client: Any, *states: str) -> None:
        self.left = list(states)
        self._get = client.get_event_source_mapping

    def get(self, **told: Any) -> Any:
        answer = self._get(**told)
        return {**answer, "State": self.left.pop(0)} if self.left else answer


def test_a_mapping_that_is_changed_is_awaited(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    slow = Lambda(client, "Updating", "Updating", "Enabled")
    with patch.object(client, "get_event_source_mapping", slow.get):
        ireland.update(MAPPING, id_, state, {**state, "batchSize": 6})
    assert slow.left == []
    ireland.delete(MAPPING, id_, state)


def test_a_mapping_that_is_in_use_is_deleted_when_it_no_longer_is(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    in_use = ClientError({"Error": {"Code": "ResourceInUseException", "Message": ""}}, "Delete")
    delete = client.delete_event_source_mapping
    tries = [in_use, in_use]

    def reluctant(**told: Any) -> Any:
        if tries:
            raise tries.pop()
        return delete(**told)

    with patch.object(client, "delete_event_source_mapping", reluctant):
        ireland.delete(MAPPING, id_, state)
    assert client.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_wait_that_has_no_end_is_given_up_with_what_was_seen(
    ireland: Connection, place: Location, mapping: tuple[str, dict[str, Any]]
) -> None:
    id_, state = mapping
    client: Any = place.clients.functions(place.region)
    endless = Lambda(client, *["Updating"] * 10_000)
    with (
        patch.object(resource_type, "_TIMEOUT", 0.1),
        patch.object(client, "get_event_source_mapping", endless.get),
        pytest.raises(grpc.RpcError, match=r"one \(aws:lambda.* not done after 0.1 s: Updating"),
    ):
        ireland.update(MAPPING, id_, state, {**state, "batchSize": 6})
    ireland.delete(MAPPING, id_, state)


# --- names, regions, roles, state machines, subscriptions -----------------------------------


@pytest.mark.parametrize(
    ("token", "longest"),
    [(FUNCTION, 64), (ROLE, 64), ("aws:cloudwatch/eventRule:EventRule", 64), (TOPIC, 80)],
)
def test_a_name_that_would_be_too_long_is_refused_when_it_is_made_up(
    ireland: Connection, token: str, longest: int
) -> None:
    def named(length: int) -> Any:
        request = provider_pb2.CheckRequest(type=token, name="n" * length, urn="urn")
        return ireland.stub.Check(request)

    assert list(named(longest - 8).failures) == []
    (failure,) = named(longest - 7).failures
    assert failure.property == "name"
    assert f"takes {longest}" in failure.reason


def test_another_region_makes_another_resource_but_not_of_iams(port: str) -> None:
    here, there = (Connection(port).configured(region=one) for one in ("eu-west-1", "us-east-2"))
    old = decoded(here.check(GROUP, {"name": "moved"}).inputs)
    new = decoded(there.check(GROUP, {"name": "moved"}, old).inputs)
    assert list(there.diff(GROUP, old, new).replaces) == ["region"]
    role = {"name": "stays", "assumeRolePolicy": TRUST}
    old, new = (decoded(one.check(ROLE, role).inputs) for one in (here, there))
    assert there.diff(ROLE, old, new).changes == provider_pb2.DiffResponse.DIFF_NONE
    for connection in (here, there):
        connection.close()


def test_a_resource_is_deleted_in_the_region_that_it_was_made_in(
    ireland: Connection, port: str, place: Location
) -> None:
    id_, state = made(ireland, GROUP, {"name": "left-behind"})
    there = Connection(port).configured(region="us-east-2")
    there.delete(GROUP, id_, state)
    there.close()
    groups = place.clients.logs("eu-west-1").describe_log_groups()["logGroups"]
    assert [one for one in groups if one["logGroupName"] == "left-behind"] == []


def test_a_role_is_read_with_the_policies_in_it_and_nothing_is_to_be_done_then(
    ireland: Connection,
) -> None:
    told = {"name": "holder", "assumeRolePolicy": TRUST}
    _, state = made(ireland, ROLE, told)
    made(ireland, POLICY, {"name": "inside", "role": "holder", "policy": READS})
    answer = ireland.read(ROLE, "holder", inputs=told, properties=state)
    (policy,) = decoded(answer.properties)["inlinePolicies"]
    assert (policy["name"], json.loads(policy["policy"])) == ("inside", json.loads(READS))
    found = ireland.stub.Diff(
        provider_pb2.DiffRequest(
            id="holder",
            name="one",
            type=ROLE,
            old_inputs=answer.inputs,
            olds=answer.properties,
            news=ireland.check(ROLE, told).inputs,
        )
    )
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_the_definition_of_a_state_machine_is_validated_in_a_preview(ireland: Connection) -> None:
    right = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    wrong = right.replace('"StartAt": "A"', '"StartAt": "B"')
    inputs = {"name": "machine", "roleArn": "arn:aws:iam::123456789012:role/runs"}
    for definition in (right, rpc.UNKNOWN):
        ireland.create(MACHINE, {**inputs, "definition": definition}, preview=True)
    with pytest.raises(grpc.RpcError, match="starts at B"):
        ireland.create(MACHINE, {**inputs, "definition": wrong}, preview=True)
    with pytest.raises(grpc.RpcError, match="starts at B"):
        ireland.diff(MACHINE, {**inputs, "definition": right}, {**inputs, "definition": wrong})


def test_a_subscription_that_nobody_has_confirmed_is_let_go_of_and_stays(
    ireland: Connection, place: Location
) -> None:
    arn, _ = made(ireland, TOPIC, {"name": "told"})
    told = {"topic": arn, "protocol": "email", "endpoint": "ops@example.com"}
    id_, state = made(ireland, SUBSCRIPTION, told)
    assert state["pendingConfirmation"] is True
    ireland.delete(SUBSCRIPTION, id_, state)
    there = place.clients.sns(place.region).list_subscriptions()["Subscriptions"]
    assert [one["Endpoint"] for one in there] == ["ops@example.com"]
