"""A run of a state machine: found again, redriven, and its results never taken by halves.

Step Functions is made up here, since moto knows no redrive; the bucket is moto's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from handler.quarantine import place_of
from operate.aws.clients import ClientPool
from operate.deployed import Deployed, DeployedDistributed
from operate.distributed.executions import SegmentJob, SegmentRunner
from operate.distributed.results import put_result
from operate.errors import InvalidRequestError, OperationFailedError
from operate.reconcile.parallel_scan import ScanSegment, Segment

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
BUCKET = "results"
PARTS = [ScanSegment(0, Segment("orders", number, 2)) for number in range(2)]
PART = DeployedDistributed("us-east-1", MACHINE, BUCKET, {}, writes=False)


class States:
    """Step Functions, as much of it as is asked; `ends` are how runs end, each time they run."""

    def __init__(self, *ends: str) -> None:
        self.ends = list(ends)
        self.runs: list[dict[str, Any]] = []
        self.redriven: list[str] = []
        self.stopped: list[str] = []
        self.refuses = False
        self.listed = 2

    def start_execution(self, **request: Any) -> dict[str, Any]:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.runs))
        run = {"name": request["name"], "executionArn": f"run:{request['name']}", "startDate": at}
        self.runs.append(run | {"status": "RUNNING", "input": request["input"]})
        return run

    def get_paginator(self, _: str) -> States:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"executions": self.runs}]

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn.startswith("child"):
            return {"error": "Lambda.Unknown", "cause": "out of memory"}
        run = self._run(executionArn)
        if run["status"] == "RUNNING":
            run["status"] = self.ends.pop(0)
        return {"status": run["status"], "cause": "a threshold was exceeded"}

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "map"}]}

    def describe_map_run(self, **_: Any) -> dict[str, Any]:
        return {"itemCounts": {"total": self.listed, "succeeded": 1}}

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": [{"executionArn": "child:1"}]}

    def redrive_execution(self, executionArn: str) -> None:  # noqa: N803
        if self.refuses:
            error = {"Code": "ExecutionNotRedrivable", "Message": "older than 14 days"}
            raise ClientError({"Error": cast("Any", error)}, "RedriveExecution")
        self.redriven.append(executionArn)
        self._run(executionArn)["status"] = "RUNNING"

    def stop_execution(self, executionArn: str) -> None:  # noqa: N803
        self.stopped.append(executionArn)
        self._run(executionArn)["status"] = "ABORTED"

    def _run(self, arn: str) -> dict[str, Any]:
        return next(one for one in self.runs if one["executionArn"] == arn)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def task(about: str = "all") -> SegmentJob:
    return SegmentJob("check", {"settle": 0}, [], PARTS, about)


def machine(states: States, s3: Any) -> SegmentRunner:
    return SegmentRunner(PART, states, s3, sleep=lambda: None)


def objects(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_a_run_is_given_what_to_do_and_its_parts_lie_in_the_bucket(s3: Any) -> None:
    states = States("SUCCEEDED")
    run = machine(states, s3).run_to_completion(task())

    task_input = json.loads(states.runs[0]["input"])
    assert (task_input["work"], task_input["how"], task_input["bucket"]) == (
        "check",
        {"settle": 0},
        BUCKET,
    )
    assert task_input["run"] == run.name
    listed = json.loads(s3.get_object(Bucket=BUCKET, Key=task_input["parts"])["Body"].read())
    assert listed == [{"source": 0, "number": number, "of": 2} for number in range(2)]


def test_how_far_it_is_is_reported_by_segments(s3: Any) -> None:
    progress: list[Any] = []
    machine(States("RUNNING", "SUCCEEDED"), s3).run_to_completion(
        task(), on_progress=lambda what, done, of: progress.append((what, done, of))
    )
    assert progress == [("working on segments", 1, 2)] * 2


def test_it_counts_the_segments_that_step_functions_has_not_listed_yet(s3: Any) -> None:
    states, progress = States("SUCCEEDED"), list[Any]()
    states.listed = 1
    machine(states, s3).run_to_completion(
        task(), on_progress=lambda *reported: progress.append(reported)
    )
    assert progress == [("working on segments", 1, 2)]


def test_a_run_that_fails_says_why_how_far_it_is_and_what_to_do(s3: Any) -> None:
    with pytest.raises(OperationFailedError) as raised:
        machine(States("FAILED"), s3).run_to_completion(task())
    for words in ("out of memory", "1 of 2 segments is done", "The same command", "--restart"):
        assert words in str(raised.value)


def test_the_same_command_redrives_a_run_that_failed(s3: Any) -> None:
    states = States("FAILED", "SUCCEEDED")
    with pytest.raises(OperationFailedError):
        machine(states, s3).run_to_completion(task())
    run = machine(states, s3).run_to_completion(task())
    assert states.redriven == [run.arn]
    assert len(states.runs) == 1


def test_a_run_that_cannot_be_redriven_says_so(s3: Any) -> None:
    states = States("FAILED")
    states.refuses = True
    with pytest.raises(OperationFailedError):
        machine(states, s3).run_to_completion(task())
    with pytest.raises(OperationFailedError, match=r"older than 14 days.*--restart"):
        machine(states, s3).run_to_completion(task())


def test_another_task_has_a_run_of_its_own(s3: Any) -> None:
    states = States("SUCCEEDED", "SUCCEEDED")
    for about in ("all", "some"):
        machine(states, s3).run_to_completion(task(about))
    assert len(states.runs) == 2


def test_a_run_whose_results_were_taken_is_not_gone_on_with(s3: Any) -> None:
    states = States("SUCCEEDED", "SUCCEEDED")
    made = machine(states, s3)
    first = made.run_to_completion(task())
    made.delete_results(task())
    assert objects(s3) == []
    assert made.find_open(task()) is None
    assert made.run_to_completion(task()).name != first.name


def test_restart_stops_what_runs_and_drops_what_it_found(s3: Any) -> None:
    states = States("RUNNING", "SUCCEEDED")
    made = machine(states, s3)
    begun = made._begin(task())
    s3.put_object(Bucket=BUCKET, Key=f"{begun.name}/0-0-0.jsonl", Body=b"")
    states.ends = ["SUCCEEDED"]
    run = made.run_to_completion(task(), restart=True)
    assert states.stopped == [begun.arn]
    assert objects(s3) == [f"{run.name}.json"]


def write_result(s3: Any, run: str, number: int, *, over: bool) -> None:
    about = {"source": 0, "number": number, "over": over, "read": 1, "units": 0.5}
    put_result(
        s3,
        place_of(BUCKET, "123456789012"),
        f"{run}/0-{number}-0.jsonl",
        about,
        [["key", [], "missing"]],
    )


def test_results_are_taken_as_a_whole_or_it_is_said_that_some_are_missing(s3: Any) -> None:
    made = machine(States("SUCCEEDED"), s3)
    run = made.run_to_completion(task())
    write_result(s3, run.name, 0, over=True)
    write_result(s3, run.name, 1, over=False)
    with pytest.raises(OperationFailedError, match="results of 1 segment are not"):
        list(made.collect(run, task()))
    write_result(s3, run.name, 1, over=True)
    calls = list(made.collect(run, task()))
    assert [(call.number, call.read, call.units) for call in calls] == [(0, 1, 0.5), (1, 1, 0.5)]


def test_a_stack_without_that_part_says_what_to_do() -> None:
    with pytest.raises(InvalidRequestError, match=r"distributed\.enabled: true"):
        SegmentRunner.of(Deployed(), ClientPool())
