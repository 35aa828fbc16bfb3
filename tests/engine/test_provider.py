"""The provider as the engine speaks to it, without the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.endpoint.server import LocalServer
from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded, encoded
from tests.engine.provider.provider import EngineProvider

TABLE = "aws:dynamodb/table:Table"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
BUCKET = "aws:s3/bucket:Bucket"
ORDERS = {
    "name": "orders",
    "hashKey": "id",
    "attributes": [{"name": "id", "type": "S"}],
    "billingMode": "PAY_PER_REQUEST",
}


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    with (
        LocalServer() as server,
        Accounts(server.endpoint) as accounts,
        EngineProvider(Cloud(accounts)) as provider,
    ):
        yield provider.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:")


@pytest.fixture(scope="module")
def ireland(port: str) -> Iterator[Connection]:
    tags = json.dumps({"tags": {"team": "orders"}})
    connection = Connection(port).configured(region="eu-west-1", defaultTags=tags)
    yield connection
    connection.close()


def refusals(answer: Any) -> dict[str, str]:
    return {failure.property: failure.reason for failure in answer.failures}


@pytest.mark.parametrize(
    ("wrong", "place", "reason"),
    [
        ({"hashkey": "id"}, "hashkey", "Did you mean `hashKey`?"),
        ({"ttl": {"attribute": "t"}}, "ttl.attribute", "Did you mean `attributeName`?"),
        ({"attributes": [{"name": "id", "typ": "S"}]}, "attributes[0].typ", "`type`"),
        ({"attributes": {"name": "id"}}, "attributes", "not a list"),
        ({"tags": ["a"]}, "tags", "not a map"),
        ({"ttl": "expires"}, "ttl", "TableTtlArgs"),
        ({"readCapacity": "many"}, "readCapacity", "not a int"),
        ({"readCapacity": 1.5}, "readCapacity", "not a int"),
        ({"streamEnabled": "yes"}, "streamEnabled", "not a bool"),
        ({"hashKey": 7}, "hashKey", "not a str"),
    ],
)
def test_an_argument_that_the_provider_does_not_know_is_refused(
    ireland: Connection, wrong: Mapping[str, Any], place: str, reason: str
) -> None:
    refused = refusals(ireland.check(TABLE, {**ORDERS, **wrong}))
    assert list(refused) == [place]
    assert reason in refused[place]


def test_right_arguments_unknown_ones_among_them_are_taken(ireland: Connection) -> None:
    inputs = {**ORDERS, "readCapacity": "5", "streamEnabled": "true", "rangeKey": rpc.UNKNOWN}
    answer = ireland.check(TABLE, inputs)
    assert refusals(answer) == {}
    made = {"tagsAll": {"team": "orders"}, "region": "eu-west-1"}
    assert decoded(answer.inputs) == {**inputs, **made}


def test_a_provider_is_checked_as_well(port: str) -> None:
    connection = Connection(port)
    wrong = {"region": "eu-west-1", "defaultTags": json.dumps({"tag": {}}), "version": "7.29.0"}
    answer = connection.stub.CheckConfig(provider_pb2.CheckRequest(news=encoded(wrong)))
    assert list(refusals(answer)) == ["defaultTags.tag"]
    connection.close()


@pytest.mark.parametrize("change", [{"region": "us-east-1"}, {"defaultTags": "{}"}])
def test_no_change_of_a_provider_makes_another_one(
    ireland: Connection, change: Mapping[str, str]
) -> None:
    old = {"region": "eu-west-1"}
    request = provider_pb2.DiffRequest(old_inputs=encoded(old), news=encoded({**old, **change}))
    found = ireland.stub.DiffConfig(request)
    assert list(found.diffs) == list(change)
    assert list(found.replaces) == []


def test_each_connection_has_a_place_of_its_own(port: str, ireland: Connection) -> None:
    ohio = Connection(port).configured(region="us-east-2")
    arns = [
        decoded(connection.create(GROUP, {"name": "same"}).properties)["arn"]
        for connection in (ireland, ohio)
    ]
    assert [arn.split(":")[3] for arn in arns] == ["eu-west-1", "us-east-2"]
    ohio.close()


def test_a_connection_that_was_not_configured_reaches_no_place(port: str) -> None:
    connection = Connection(port)
    with pytest.raises(grpc.RpcError, match="was not configured"):
        connection.create(GROUP, {"name": "nowhere"})
    connection.close()


def test_a_preview_knows_what_is_given_and_nothing_that_aws_will_say(ireland: Connection) -> None:
    outputs = decoded(ireland.create(TABLE, {**ORDERS, "name": "later"}, preview=True).properties)
    assert outputs["name"] == "later"
    assert outputs["arn"] == outputs["streamArn"] == rpc.UNKNOWN
    bucket = decoded(ireland.create(BUCKET, {"bucketPrefix": "b-"}, preview=True).properties)
    assert bucket["bucket"] == rpc.UNKNOWN


@pytest.mark.parametrize(
    ("change", "replacing", "first"),
    [
        ({"hashKey": "other"}, ["hashKey"], True),
        ({"rangeKey": "at"}, ["rangeKey"], True),
        ({"localSecondaryIndexes": [{"name": "near"}]}, ["localSecondaryIndexes"], True),
        ({"name": "other"}, ["name"], False),
        ({"billingMode": "PROVISIONED", "readCapacity": 1, "writeCapacity": 1}, [], False),
        ({"streamEnabled": True, "streamViewType": "KEYS_ONLY"}, [], False),
        ({"deletionProtectionEnabled": True, "tags": {"a": "b"}}, [], False),
    ],
)
def test_a_table_is_replaced_for_what_cannot_be_changed_alone(
    ireland: Connection, change: Mapping[str, Any], replacing: list[str], first: bool
) -> None:
    found = ireland.diff(TABLE, ORDERS, {**ORDERS, **change})
    assert found.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert set(change) == set(found.diffs)
    assert list(found.replaces) == replacing
    assert found.deleteBeforeReplace is first


def test_what_means_the_same_is_no_difference(ireland: Connection) -> None:
    two = [{"name": "a", "type": "S"}, {"name": "b", "type": "S"}]
    old = {**ORDERS, "attributes": two, "tags": {}}
    new = {**ORDERS, "attributes": two[::-1], "rangeKey": None}
    assert ireland.diff(TABLE, old, new).changes == provider_pb2.DiffResponse.DIFF_NONE
    documents = [{"assumeRolePolicy": text} for text in ('{"a": 1, "b": 2}', '{"b":2,"a":1}')]
    assert ireland.diff(ROLE, *documents).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_made_up_name_stays_and_does_not_collide(ireland: Connection) -> None:
    first = decoded(ireland.check(GROUP, {"retentionInDays": 1}).inputs)
    second = decoded(ireland.check(GROUP, {"retentionInDays": 3}, first).inputs)
    assert first["name"] == second["name"]
    found = ireland.diff(GROUP, first, {**second, "logGroupClass": "INFREQUENT_ACCESS"})
    assert list(found.replaces) == ["logGroupClass"]
    assert not found.deleteBeforeReplace


def test_a_resource_that_is_there_can_be_imported(ireland: Connection) -> None:
    inputs = {
        **ORDERS,
        "name": "older",
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "ttl": {"attributeName": "expires", "enabled": True},
        "tags": {"own": "tag"},
    }
    checked = decoded(ireland.check(TABLE, inputs).inputs)
    ireland.create(TABLE, checked)
    found = ireland.stub.Read(provider_pb2.ReadRequest(id="older", name="one", type=TABLE))
    assert found.id == "older"
    assert ireland.diff(TABLE, decoded(found.inputs), checked).changes == (
        provider_pb2.DiffResponse.DIFF_NONE
    )
    gone = ireland.stub.Read(provider_pb2.ReadRequest(id="never", name="one", type=TABLE))
    assert gone.id == ""


def test_what_is_not_known_here_is_reported(ireland: Connection) -> None:
    with pytest.raises(grpc.RpcError, match=r"one: .* not support .* aws:none/none:None"):
        ireland.create("aws:none/none:None", {})
    with pytest.raises(grpc.RpcError, match="not support the function aws:index/getAmi:getAmi"):
        ireland.stub.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getAmi:getAmi"))


def test_a_cancelled_provider_lets_go(ireland: Connection) -> None:
    assert ireland.stub.Cancel(empty_pb2.Empty()) == empty_pb2.Empty()
