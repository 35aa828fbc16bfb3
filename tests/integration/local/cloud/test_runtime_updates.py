"""When a function's runtime is updated, said and looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pulumi
import pytest

from local.clients import Accounts
from local.cloud.cloud import Change, Cloud, CloudError
from local.cloud.resources import Location
from local.endpoint.server import LocalServer
from ring.policies.trust import lambda_trust

UPDATES = "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig"
FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    return cloud.location({"region": "eu-west-1"})


@pytest.fixture
def function(cloud: Cloud, place: Location) -> Iterator[str]:
    code = pulumi.AssetArchive({"app.py": pulumi.StringAsset("")})
    trust = json.dumps(lambda_trust())
    _, role = cloud.create("aws:iam/role:Role", "r", {"assumeRolePolicy": trust}, place)
    inputs = {"role": role["arn"], "runtime": "python3.13", "handler": "app.handle", "code": code}
    made, _ = cloud.create(FUNCTION, "f", inputs, place)
    yield made
    cloud.delete(FUNCTION, "f", made, place)


def when(cloud: Cloud, place: Location, function: str) -> str | None:
    seen = cloud.read(UPDATES, "f", function, place)
    return None if seen is None else str(seen["updateRuntimeOn"])


def test_it_is_said_changed_and_left_to_lambda_again(
    cloud: Cloud, place: Location, function: str
) -> None:
    inputs = {"functionName": function, "updateRuntimeOn": "FunctionUpdate"}
    made, outputs = cloud.create(UPDATES, "f", inputs, place)
    assert made == function
    assert outputs["functionArn"].endswith(f":function:{function}")
    assert when(cloud, place, function) == "FunctionUpdate"
    other = {**inputs, "updateRuntimeOn": "Auto"}
    cloud.update(UPDATES, "f", made, Change(inputs, other), place)
    assert when(cloud, place, function) == "Auto"
    cloud.update(UPDATES, "f", made, Change(other, inputs), place)
    for _ in range(2):
        cloud.delete(UPDATES, "f", made, place)
        assert when(cloud, place, function) == "Auto"


def test_of_a_function_that_is_not_there_nothing_can_be_said(cloud: Cloud, place: Location) -> None:
    inputs = {"functionName": "nobody", "updateRuntimeOn": "FunctionUpdate"}
    with pytest.raises(CloudError, match="nobody"):
        cloud.create(UPDATES, "f", inputs, place)
    assert when(cloud, place, "nobody") is None
    cloud.delete(UPDATES, "f", "nobody", place)
