"""A state machine, and a bucket that may be emptied, through AWS's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.clients import Accounts
from local.cloud.cloud import Change, Cloud, CloudError
from local.cloud.resources import RESOURCE_TYPES, Location
from local.endpoint.server import LocalServer
from tests.engine.provider.state import refreshed

MACHINE = "aws:sfn/stateMachine:StateMachine"
BUCKET = "aws:s3/bucket:Bucket"
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    tags = json.dumps({"tags": {"team": "orders"}})
    return cloud.location({"region": "eu-west-1", "defaultTags": tags})


def machine(**changes: Any) -> dict[str, Any]:
    definition = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}})
    return {"name": "m", "definition": definition, "roleArn": ROLE, "tags": {"a": "b"}} | changes


def test_a_state_machine_lives_its_whole_life(cloud: Cloud, place: Location) -> None:
    made, outputs = cloud.create(MACHINE, "m", machine(), place)
    assert made == outputs["arn"] == "arn:aws:states:eu-west-1:123456789012:stateMachine:m"
    seen = cloud.read(MACHINE, "m", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[MACHINE], machine(), seen, place) == machine()
    assert seen["tagsAll"] == {"team": "orders", "a": "b"}

    other = machine(definition='{"StartAt": "b"}', roleArn=ROLE + "2", tags={"c": "d"})
    cloud.update(MACHINE, "m", made, Change(machine(), other), place)
    seen = cloud.read(MACHINE, "m", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[MACHINE], other, seen, place) == other
    assert seen["tagsAll"] == {"team": "orders", "c": "d"}

    for _ in range(2):  # one that is not there is deleted
        cloud.delete(MACHINE, "m", made, place)
        assert cloud.read(MACHINE, "m", made, place) is None


def test_what_is_logged_of_a_state_machine_is_said_changed_and_switched_off(
    cloud: Cloud, place: Location
) -> None:
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/m:*"
    logged = {"level": "ALL", "includeExecutionData": False, "logDestination": group}
    full = machine(name="logged", loggingConfiguration=logged)
    less = machine(name="logged", loggingConfiguration={**logged, "level": "ERROR"})
    off = machine(name="logged", loggingConfiguration={"level": "OFF"})
    made, _ = cloud.create(MACHINE, "m", full, place)

    for old, new in ((full, less), (less, off), (off, full)):
        seen = cloud.read(MACHINE, "m", made, place)
        assert seen is not None
        now = refreshed(RESOURCE_TYPES[MACHINE], old, seen, place)["loggingConfiguration"]
        assert now["level"] == old["loggingConfiguration"]["level"]
        assert now.get("logDestination") == old["loggingConfiguration"].get("logDestination")
        cloud.update(MACHINE, "m", made, Change(old, new), place)
    cloud.delete(MACHINE, "m", made, place)


def test_a_bucket_that_holds_something_goes_only_if_it_may_be_emptied(
    cloud: Cloud, place: Location
) -> None:
    made, outputs = cloud.create(BUCKET, "b", {"bucket": "full"}, place)
    place.clients.s3(place.region).put_object(Bucket=made, Key="a", Body=b"b")
    with pytest.raises(CloudError, match="BucketNotEmpty"):
        cloud.delete(BUCKET, "b", made, place, outputs)
    assert cloud.read(BUCKET, "b", made, place) is not None
    cloud.delete(BUCKET, "b", made, place, {**outputs, "forceDestroy": True})
    assert cloud.read(BUCKET, "b", made, place) is None
