"""The state machine, interpreted by moto: every segment is checked to its end, and all is found."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from handler.quarantine import place_of
from local.clients import HOME_ACCOUNT
from local.cloudwatch.execution_log import executions_logged
from operate.distributed import worker
from operate.distributed.results import collect_check, results
from operate.reconcile.check import CheckOptions, check, table_segments
from operate.reconcile.check_result import findings
from operate.reconcile.journal import Journal
from ring.state_machine import state_machine
from tests.support.local_rings import PATIENCE

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
GROUP = "/aws/vendedlogs/states/m"
BUCKET, FUNCTION, SEGMENTS, ITEMS = "found", "segment", 2, 30
PLACE = place_of(BUCKET, HOME_ACCOUNT)
TOLD = [
    {
        "name": region,
        "region": region,
        "replica": f"{place:08x}",
        "next": [f"{(place + 1) % 3:08x}"],
        "table": "orders",
        "tombstones": None,
        "retention": 0,
        "keys": ["id"],
        "types": ["S"],
        "expires": None,
        "role": None,
    }
    for place, region in enumerate(REGIONS)
]


def make(service: str, region: str | None, role: str | None = None) -> Any:
    return boto3.client(service, region_name=region or REGIONS[0])  # type: ignore[call-overload]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three tables, each with an item that is its own and one that it has otherwise."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    config: Any = {
        "lambda": {"use_docker": False},
        "stepfunctions": {"execute_state_machine": True},
    }
    with mock_aws(config=config), executions_logged():
        for region in REGIONS:
            client = make("dynamodb", region)
            client.create_table(
                TableName="orders",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            for number in range(ITEMS):
                item = {"id": {"S": f"k{number}"}, "v": {"S": "alike"}}
                client.put_item(TableName="orders", Item=item)
            client.put_item(TableName="orders", Item={"id": {"S": f"only at {region}"}})
            edited = f"k{REGIONS.index(region)}"
            client.put_item(TableName="orders", Item={"id": {"S": edited}, "v": {"S": "edited"}})
        make("s3", None).create_bucket(Bucket=BUCKET)
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls of the function, which moto would not run; each has time for a page of ten."""
    made: list[Any] = []

    def ten(service: str, region: str | None, role: str | None) -> Any:
        client = make(service, region, role)
        few: Any = lambda params, **_: {**params, "Limit": 10}  # noqa: E731
        client.meta.events.register("provide-client-params.dynamodb.Scan", few)
        return client

    def invoke(_: Any, function_name: str, qualifier: Any, body: Any, *more: Any) -> bytes:
        event = json.loads(body)
        made.append(event)
        return json.dumps(worker.process_segment(event, ten, lambda: 0.0, HOME_ACCOUNT)).encode()

    monkeypatch.setattr(LambdaSimpleBackend, "invoke", invoke)
    return made


def execute() -> dict[str, Any]:
    """Run the state machine to its end; what its Map says of its segments."""
    role = make("iam", None).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    zipfile.ZipFile(code, "w").close()
    function = make("lambda", None).create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=role,
        Handler="operate.distributed.worker.handle",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    members = [worker.member_from_event(one, make) for one in TOLD]
    listed = json.dumps([worker.segment_to_event(one) for one in table_segments(members, SEGMENTS)])
    make("s3", None).put_object(Bucket=BUCKET, Key="parts.json", Body=listed)
    client, logs = make("stepfunctions", None), make("logs", None)
    definition = json.dumps(state_machine(function, "aws", 4))
    logs.create_log_group(logGroupName=GROUP)
    group = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["arn"]
    machine = client.create_state_machine(
        name="m",
        definition=definition,
        roleArn=role,
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
        },
    )
    given: dict[str, Any] = {
        "work": "check",
        "how": {"settle": 0, "tombstones": False},
        "members": TOLD,
    }
    given |= {"bucket": BUCKET, "run": "run", "parts": "parts.json"}
    run = client.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(given)
    )["executionArn"]
    end = time.monotonic() + PATIENCE
    while (seen := client.describe_execution(executionArn=run))["status"] == "RUNNING":
        assert time.monotonic() < end, "the state machine does not end"
        time.sleep(0.1)
    assert seen["status"] == "SUCCEEDED", seen
    (map_run,) = client.list_map_runs(executionArn=run)["mapRuns"]
    counts: dict[str, Any] = client.describe_map_run(mapRunArn=map_run["mapRunArn"])["itemCounts"]
    return counts


def test_a_distributed_map_finds_what_a_check_finds(calls: list[Any], tmp_path: Path) -> None:
    counts = execute()
    assert (counts["total"], counts["succeeded"]) == (len(REGIONS) * SEGMENTS,) * 2
    assert len(calls) > counts["total"]  # a segment has more than ten items
    members = [worker.member_from_event(one, make) for one in TOLD]
    with Journal(tmp_path / "map", "a") as map_, Journal(tmp_path / "whole", "b") as whole:
        found, _ = collect_check(results(make("s3", None), PLACE, "run"), map_)
        assert found == check(members, whole, CheckOptions(settle_seconds=0))
        assert {one.key for one in findings(map_)} == {one.key for one in findings(whole)}
    assert found.differing == 2 * len(REGIONS)
    events = make("logs", None).filter_log_events(logGroupName=GROUP)["events"]
    logged = [json.loads(event["message"]) for event in events]
    assert {"ExecutionStarted", "ExecutionSucceeded"} <= {one["type"] for one in logged}
    assert not any({"input", "output"} & one.get("details", {}).keys() for one in logged)


@pytest.mark.long
def test_step_functions_is_given_no_item(calls: list[Any]) -> None:
    execute()
    states = [one["state"] for one in calls if one["state"]]

    assert states
    assert all(one.keys() == {"turn", "read", "over"} for one in states)
