"""Alarms at a local ring's endpoint: judged by what is in CloudWatch, or said not to be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clients import Clients
from local.cloudwatch.alarm_evaluation import Alarms
from local.endpoint.server import LocalServer

REGION = "eu-west-1"
TABLE = [{"Name": "TableName", "Value": "orders"}]
CALLED = [{"Name": "FunctionName", "Value": "hop"}]
SIMPLE: Any = {
    "AlarmName": "simple",
    "Namespace": "Mine",
    "MetricName": "errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


def query(name: str, namespace: str, dimensions: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {
        "Id": name.lower(),
        "MetricStat": {"Metric": metric, "Period": 900, "Stat": "SampleCount"},
        "ReturnData": False,
    }


SILENT: Any = {
    "AlarmName": "silent",
    "Metrics": [
        {"Id": "silent", "Expression": "IF(FILL(calls, 0) == 0 AND FILL(writes, 0) > 0, 1, 0)"}
        | {"ReturnData": True},
        query("writes", "AWS/DynamoDB", TABLE),
        query("calls", "AWS/Lambda", CALLED),
    ],
    "EvaluationPeriods": 8,
    "DatapointsToAlarm": 2,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "ignore",
}


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with LocalServer() as server, Clients(server.endpoint) as clients:
        yield clients.cloudwatch(REGION)


def put(cloudwatch: Any, name: str, minutes_ago: float, **more: Any) -> None:
    when = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    datum = {"MetricName": name, "Timestamp": when, "Value": 2.0, **more}
    namespace = datum.pop("Namespace", "Mine")
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def judged(cloudwatch: Any, *unmeasured: str) -> tuple[str, str]:
    """The state of the one alarm, and why."""
    Alarms(frozenset(unmeasured)).evaluate()
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    return alarm["StateValue"], alarm["StateReason"]


def test_an_alarm_follows_the_values_of_its_last_periods(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**SIMPLE)
    assert judged(cloudwatch)[0] == "OK"
    put(cloudwatch, "errors", 0.5)
    put(cloudwatch, "errors", 9)
    put(cloudwatch, "others", 1.5)
    assert judged(cloudwatch)[0] == "OK"
    put(cloudwatch, "errors", 1.5)
    assert judged(cloudwatch)[0] == "ALARM"


def test_a_hop_that_is_not_called_while_its_table_is_written_is_silent(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**SILENT)
    for minutes in (1, 40):
        put(cloudwatch, "writes", minutes, Namespace="AWS/DynamoDB", Dimensions=TABLE)
    assert judged(cloudwatch)[0] == "ALARM"
    put(cloudwatch, "calls", 2, Namespace="AWS/Lambda", Dimensions=CALLED)
    assert judged(cloudwatch)[0] == "OK"


@pytest.mark.parametrize(
    "other", [{"ComparisonOperator": "LessThanThreshold"}, {"Statistic": "Minimum"}], ids=str
)
def test_an_alarm_of_another_kind_is_said_not_to_be_judged(cloudwatch: Any, other: Any) -> None:
    cloudwatch.put_metric_alarm(**{**SIMPLE, **other})
    put(cloudwatch, "errors", 0.5)
    state, reason = judged(cloudwatch)
    assert state == "INSUFFICIENT_DATA"
    assert "does not evaluate this alarm" in reason


def test_an_alarm_on_what_nobody_measures_is_said_not_to_be_judged(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**SILENT)
    state, reason = judged(cloudwatch, "AWS/DynamoDB")
    assert state == "INSUFFICIENT_DATA"
    assert "there are no metrics of AWS/DynamoDB" in reason
