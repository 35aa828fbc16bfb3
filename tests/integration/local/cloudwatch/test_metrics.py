"""CloudWatch on this machine: what functions measure gets there, is ranked, and is forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from local.clients import HOME_ACCOUNT, Clients
from local.cloudwatch.metrics import Metric, MetricBuffer
from local.cloudwatch.telemetry import Telemetry
from local.lambda_emulator.worker_process import FunctionError
from local.moto_patches import install, retention

LINE = {
    "event": "batch",
    "hop": "a -> b",
    "records": 2,
    "lag": [0.5, 1.5],
    "_aws": {
        "Timestamp": 1_700_000_000_123,
        "CloudWatchMetrics": [
            {
                "Namespace": "Measured",
                "Dimensions": [["hop"]],
                "Metrics": [
                    {"Name": "records", "Unit": "Count"},
                    {"Name": "lag", "Unit": "Seconds"},
                ],
            }
        ],
    },
}


def put(clients: Clients, gathered: MetricBuffer, region: str) -> list[Any]:
    """Give what was gathered to CloudWatch; return what is there."""
    for namespace, data in gathered.take():
        clients.client("cloudwatch", region).put_metric_data(Namespace=namespace, MetricData=data)
    return [*cloudwatch_backends[HOME_ACCOUNT][region].metric_data]


def test_all_that_a_line_measures_gets_to_cloudwatch(clients: Clients) -> None:
    gathered = MetricBuffer()
    gathered.add_line(json.dumps(LINE))
    gathered.add_line(json.dumps({**LINE, "records": 5}))
    one, two, three, four, records = put(clients, gathered, "us-east-1")
    lags = (one, two, three, four)
    assert {(each.namespace, each.name) for each in lags} == {("Measured", "lag")}
    assert [each.value for each in lags] == [0.5, 1.5, 0.5, 1.5]
    assert (records.name, records.sum, records.sample_count) == ("records", 7, 2)
    assert (records.min, records.max) == (2, 5)
    for each in (*lags, records):
        (dimension,) = each.dimensions
        assert (dimension.name, dimension.value) == ("hop", "a -> b")


@pytest.mark.parametrize("line", ["no JSON", '"_aws"', '{"_aws": {}}', "{}", '{"_aws": 1}', "[]"])
def test_a_line_that_measures_nothing_does_no_harm(line: str) -> None:
    gathered = MetricBuffer()
    with pytest.raises((ValueError, LookupError, TypeError)):
        gathered.add_line(line)
    assert list(gathered.take()) == []


def test_a_log_group_that_is_gone_costs_its_lines_and_no_metric(clients: Clients) -> None:
    logs = clients.logs("eu-west-3")
    telemetry = Telemetry(HOME_ACCOUNT, "eu-west-3", "hop", "gone")
    for line in ("plain", '{"_aws": 1}', json.dumps(LINE)):
        telemetry.add_line(line)
    telemetry.add_invocation(
        "a", 0.5, FunctionError("Sandbox.Timedout", "Task timed out after 0.50 seconds")
    )
    telemetry.close()
    kept: list[Any] = [*cloudwatch_backends[HOME_ACCOUNT]["eu-west-3"].metric_data]
    assert {one.name for one in kept} == {"lag", "records", "Invocations", "Errors", "Duration"}
    assert logs.describe_log_groups()["logGroups"] == []


def test_what_lambda_writes_of_an_invocation_is_in_the_log_group(clients: Clients) -> None:
    logs = clients.logs("eu-west-3")
    logs.create_log_group(logGroupName="there")
    telemetry = Telemetry(HOME_ACCOUNT, "eu-west-3", "hop", "there")
    telemetry.add_line("plain")
    telemetry.add_invocation(
        "a", 0.5, FunctionError("Sandbox.Timedout", "Task timed out after 0.50 seconds")
    )
    telemetry.add_invocation("b", 0.25, FunctionError("ValueError", "which the handler has logged"))
    telemetry.close()
    events = logs.filter_log_events(logGroupName="there")["events"]
    assert [event["message"] for event in events] == [
        "plain",
        "a Task timed out after 0.50 seconds",
        "REPORT RequestId: a\tDuration: 500.00 ms",
        "REPORT RequestId: b\tDuration: 250.00 ms",
    ]


def test_values_of_long_ago_are_forgotten_and_sets_of_a_minute_become_one(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "DROP_SECONDS", 0.0)
    monkeypatch.setattr(retention, "KEPT_VALUES", 5)
    monkeypatch.setattr(retention, "KEPT_SETS", 5)
    metrics = clients.client("cloudwatch", "eu-west-1")
    sets, lag = Metric("forgotten", "records", ()), Metric("forgotten", "lag", ())
    minute = datetime.now(UTC).replace(second=0, microsecond=0).timestamp() - 60
    for value in range(40):
        gathered = MetricBuffer()
        gathered.add(sets, value, minute + value)
        gathered.add_values(lag, [float(value)], minute + value)
        put(clients, gathered, "eu-west-1")
    kept: list[Any] = [*cloudwatch_backends[HOME_ACCOUNT]["eu-west-1"].metric_data]
    assert 10 <= len(kept) <= 22
    assert max(one.value for one in kept if one.name == "lag") == 39
    assert sum(one.sum for one in kept if one.name == "records") == sum(range(40))
    (point,) = metrics.get_metric_statistics(
        Namespace="forgotten",
        MetricName="records",
        StartTime=datetime.fromtimestamp(minute, UTC),
        EndTime=datetime.fromtimestamp(minute + 60, UTC),
        Period=60,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )["Datapoints"]
    assert (point["SampleCount"], point["Sum"], point["Maximum"]) == (40, sum(range(40)), 39)


def test_a_percentile_is_the_value_at_its_rank(clients: Clients) -> None:
    metrics = clients.client("cloudwatch", "eu-west-2")
    now = datetime.now(UTC)
    datum: Any = {
        "MetricName": "lag",
        "Timestamp": now - timedelta(minutes=1),
        "Values": [*range(1, 101)],
    }
    metrics.put_metric_data(Namespace="ranked", MetricData=[datum])
    queries = [
        {
            "Id": stat,
            "MetricStat": {
                "Metric": {"Namespace": "ranked", "MetricName": "lag"},
                "Period": 600,
                "Stat": stat,
            },
        }
        for stat in ("p50", "p99", "p0")
    ]
    answer = metrics.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=10), EndTime=now
    )
    assert {one["Id"]: one["Values"] for one in answer["MetricDataResults"]} == {
        "p50": [50.0],
        "p99": [99.0],
        "p0": [1.0],
    }
