"""The test provider treats names, regions and roles like the AWS provider. Without the engine."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from local.cloud.resources import Location
from tests.engine.connections import Connection
from tests.engine.provider.protobuf import decoded
from tests.engine.provider_inputs import (
    FUNCTION,
    GROUP,
    MACHINE,
    POLICY,
    READS,
    ROLE,
    SUBSCRIPTION,
    TOPIC,
    TRUST,
    made,
)


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
    inputs = {"name": "holder", "assumeRolePolicy": TRUST}
    _, state = made(ireland, ROLE, inputs)
    made(ireland, POLICY, {"name": "inside", "role": "holder", "policy": READS})
    answer = ireland.read(ROLE, "holder", inputs=inputs, properties=state)
    (policy,) = decoded(answer.properties)["inlinePolicies"]
    assert (policy["name"], json.loads(policy["policy"])) == ("inside", json.loads(READS))
    found = ireland.stub.Diff(
        provider_pb2.DiffRequest(
            id="holder",
            name="one",
            type=ROLE,
            old_inputs=answer.inputs,
            olds=answer.properties,
            news=ireland.check(ROLE, inputs).inputs,
        )
    )
    assert found.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_the_definition_of_a_state_machine_is_validated_in_a_preview(ireland: Connection) -> None:
    right = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    wrong = right.replace('"StartAt": "A"', '"StartAt": "B"')
    inputs = {"name": "machine", "roleArn": "arn:aws:iam::123456789012:role/runs"}
    for definition in (right, rpc.UNKNOWN):
        ireland.create(MACHINE, {**inputs, "definition": definition}, preview=True)
    with pytest.raises(grpc.RpcError, match="StartAt is B"):
        ireland.create(MACHINE, {**inputs, "definition": wrong}, preview=True)
    with pytest.raises(grpc.RpcError, match="StartAt is B"):
        ireland.diff(MACHINE, {**inputs, "definition": right}, {**inputs, "definition": wrong})


def test_a_subscription_that_nobody_has_confirmed_is_let_go_of_and_stays(
    ireland: Connection, place: Location
) -> None:
    arn, _ = made(ireland, TOPIC, {"name": "inputs"})
    inputs = {"topic": arn, "protocol": "email", "endpoint": "ops@example.com"}
    id_, state = made(ireland, SUBSCRIPTION, inputs)
    assert state["pendingConfirmation"] is True
    ireland.delete(SUBSCRIPTION, id_, state)
    there = place.clients.sns(place.region).list_subscriptions()["Subscriptions"]
    assert [one["Endpoint"] for one in there] == ["ops@example.com"]
