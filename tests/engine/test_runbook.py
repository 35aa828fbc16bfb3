"""The remedies of docs/how-to/troubleshoot.md, on the real engine, one after the other.

Each breaks something as somebody would by hand, sees that `up` alone does nothing about it, does
what the runbook says, and looks whether it helped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from pulumi.automation import CommandError

from local.clients import HOME_ACCOUNT
from local.running_ring import RunningRing
from tests.engine.replication import check_replication, running
from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

HERE, NEXT = "us-east-1", "eu-west-1"
SETTINGS: dict[str, Any] = {
    "table": {"name": "orders", "partition_key": {"name": "id", "type": "S"}},
    "members": [{"region": HERE}, {"region": NEXT}],
}


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    stack = engine.stack("runbook", SETTINGS)
    stack.up()
    return stack


@pytest.fixture(scope="module")
def ring(stack: EngineStack) -> Iterator[RunningRing]:
    with running(stack) as ring:
        yield ring


def client(engine: Engine, service: str, region: str = HERE) -> Any:
    return engine.place(region).clients.client(service, region)


def function(engine: Engine) -> Any:
    (found,) = client(engine, "lambda").list_functions()["Functions"]
    return found


def mapping(engine: Engine) -> Any:
    (found,) = client(engine, "lambda").list_event_source_mappings()["EventSourceMappings"]
    return found


def switch_stream(engine: Engine, table: str = "orders") -> str:
    """Switch the stream of a table off and on; return its new ARN."""
    dynamodb = client(engine, "dynamodb")
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    # moto keeps the label of a stream that is off, and takes it for one that is on.
    dynamodb_backends[HOME_ACCOUNT][HERE].tables[table].latest_stream_label = None
    on = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    dynamodb.update_table(TableName=table, StreamSpecification=on)
    return str(dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"])


def check_repaired(stack: EngineStack) -> None:
    """See that `up` alone changes nothing; then do as the runbook says."""
    assert set(stack.up()) == {"same"}
    stack.refresh()
    assert set(stack.up()) > {"same"}
    assert set(stack.refresh()) == set(stack.preview()) == {"same"}


def test_another_stream_of_a_table_of_the_stack(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    stream = switch_stream(engine)
    check_repaired(stack)
    assert mapping(engine)["EventSourceArn"] == stream
    policies = client(engine, "iam")
    (role,) = [
        one["RoleName"]
        for one in policies.list_roles()["Roles"]
        if one["RoleName"].startswith(f"ring-{HERE}-to")
    ]
    (name,) = policies.list_role_policies(RoleName=role)["PolicyNames"]
    policy = policies.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    assert stream in json.dumps(policy)
    check_replication(engine, stack, ring)


def test_a_mapping_that_is_gone(engine: Engine, stack: EngineStack, ring: RunningRing) -> None:
    before = mapping(engine)["UUID"]
    client(engine, "lambda").delete_event_source_mapping(UUID=before)
    check_repaired(stack)
    assert mapping(engine)["UUID"] != before
    assert mapping(engine)["StartingPosition"] == "TRIM_HORIZON"
    check_replication(engine, stack, ring)


def test_a_mapping_that_is_disabled_goes_on_when_it_is_enabled_by_hand(
    engine: Engine, stack: EngineStack
) -> None:
    functions, uuid = client(engine, "lambda"), mapping(engine)["UUID"]
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    assert mapping(engine)["State"] == "Enabled"
    assert set(stack.refresh()) == set(stack.up()) == {"same"}


def test_a_disabled_mapping_is_enabled_by_refresh_and_up_as_well(
    engine: Engine, stack: EngineStack
) -> None:
    uuid = mapping(engine)["UUID"]
    client(engine, "lambda").update_event_source_mapping(UUID=uuid, Enabled=False)
    check_repaired(stack)
    assert (mapping(engine)["State"], mapping(engine)["UUID"]) == ("Enabled", uuid)


def test_a_roles_policy_that_somebody_changed_or_took_away(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    policies = client(engine, "iam")
    role = function(engine)["Role"].rpartition("/")[2]
    (name,) = policies.list_role_policies(RoleName=role)["PolicyNames"]
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    nothing = {"Version": "2012-10-17", "Statement": [denied]}
    before = policies.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    policies.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(nothing))
    check_repaired(stack)
    assert policies.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] == before
    policies.delete_role_policy(RoleName=role, PolicyName=name)
    check_repaired(stack)
    (name,) = policies.list_role_policies(RoleName=role)["PolicyNames"]
    assert policies.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] == before


def test_a_functions_environment_that_somebody_changed(engine: Engine, stack: EngineStack) -> None:
    before = function(engine)
    client(engine, "lambda").update_function_configuration(
        FunctionName=before["FunctionName"], Environment={"Variables": {}}
    )
    check_repaired(stack)
    assert function(engine)["Environment"] == before["Environment"]


def test_a_functions_code_that_somebody_changed_comes_with_a_new_function(
    engine: Engine, stack: EngineStack, ring: RunningRing
) -> None:
    before, uuid = function(engine)["FunctionName"], mapping(engine)["UUID"]
    client(engine, "lambda").delete_function(FunctionName=before)
    check_repaired(stack)
    assert function(engine)["FunctionName"] != before
    assert mapping(engine)["UUID"] == uuid
    assert mapping(engine)["FunctionArn"] == function(engine)["FunctionArn"]
    check_replication(engine, stack, ring)


def test_a_quarantine_that_is_gone(engine: Engine, stack: EngineStack, ring: RunningRing) -> None:
    def bucket() -> str:
        destination = mapping(engine)["DestinationConfig"]["OnFailure"]["Destination"]
        return str(destination).rpartition(":")[2]

    before, buckets = bucket(), client(engine, "s3")
    buckets.delete_bucket(Bucket=before)
    check_repaired(stack)
    assert bucket() != before
    assert bucket() in {one["Name"] for one in buckets.list_buckets()["Buckets"]}
    assert bucket() in json.dumps(function(engine)["Environment"])
    check_replication(engine, stack, ring)


def test_settings_that_help_a_hop_that_lags_or_runs_out_of_time_are_changed_in_place(
    engine: Engine, stack: EngineStack
) -> None:
    stack.configure(
        function={"timeout": 60, "memory": 1024},
        mapping={"batch_size": 25, "parallelization_factor": 4},
    )
    uuid = mapping(engine)["UUID"]
    assert set(stack.up()) == {"same", "update"}
    now = mapping(engine)
    assert (now["UUID"], now["BatchSize"], now["ParallelizationFactor"]) == (uuid, 25, 4)
    assert (function(engine)["Timeout"], function(engine)["MemorySize"]) == (60, 1024)


def test_a_table_that_is_gone(engine: Engine, stack: EngineStack) -> None:
    dynamodb, at = client(engine, "dynamodb"), {"TableName": "orders"}
    before = dynamodb.describe_table(**at)["Table"]["LatestStreamArn"]
    dynamodb.update_table(**at, DeletionProtectionEnabled=False)
    dynamodb.delete_table(**at)
    check_repaired(stack)
    stream = dynamodb.describe_table(**at)["Table"]["LatestStreamArn"]
    assert mapping(engine)["EventSourceArn"] == stream != before


def test_another_stream_of_an_adopted_table_is_given_by_its_arn(engine: Engine) -> None:
    at = {"TableName": "legacy"}
    client(engine, "dynamodb").create_table(
        **at,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    described = client(engine, "dynamodb").describe_table(**at)["Table"]
    table = {**SETTINGS["table"], "name": "legacy"}
    adopted = {"region": HERE, "stream_arn": described["LatestStreamArn"]}
    stack = engine.stack("adopting", {"table": table, "members": [adopted, {"region": NEXT}]})
    stack.up()
    stream = switch_stream(engine, "legacy")
    stack.refresh()
    with pytest.raises(CommandError, match="this one gets no new records"):
        stack.up()
    stack.configure(members=[{**adopted, "stream_arn": stream}, {"region": NEXT}])
    stack.up()
    mappings = client(engine, "lambda").list_event_source_mappings()["EventSourceMappings"]
    streams = [
        mapping["EventSourceArn"]
        for mapping in mappings
        if ":table/legacy/" in mapping["EventSourceArn"]
    ]
    assert streams == [stream]
