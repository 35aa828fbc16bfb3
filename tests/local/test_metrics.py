"""CloudWatch on this machine: what functions measure gets there, is ranked, and is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from local import moto_as_aws
from local.aws import HOME_ACCOUNT, Clients
from local.metrics import Metrics
from local.server import LocalServer

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


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def clients(server: LocalServer) -> Iterator[Clients]:
    with Clients(server.endpoint) as made:
        yield made


def test_the_times_in_a_line_get_to_cloudwatch_and_what_is_no_line_of_metrics_does_no_harm(
    clients: Clients,
) -> None:
    metrics = Metrics(clients.client("cloudwatch", "us-east-1"))
    for line in ("no JSON", '"_aws"', '{"_aws": {}}', "{}", json.dumps(LINE)):
        metrics.hear(line)
    metrics.close()
    kept: list[Any] = [*cloudwatch_backends[HOME_ACCOUNT]["us-east-1"].metric_data]
    assert [(one.namespace, one.name, one.value) for one in kept] == [
        ("Measured", "lag", 0.5),
        ("Measured", "lag", 1.5),
    ]
    assert {(one.dimensions[0].name, one.dimensions[0].value) for one in kept} == {
        ("hop", "a -> b")
    }


def test_metrics_of_long_ago_are_forgotten(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moto_as_aws, "_KEPT_VALUES", 5)
    metrics = clients.client("cloudwatch", "eu-west-1")
    for value in range(40):
        datum: Any = {"MetricName": "lag", "Value": value}
        metrics.put_metric_data(Namespace="forgotten", MetricData=[datum])
    kept: list[Any] = [*cloudwatch_backends[HOME_ACCOUNT]["eu-west-1"].metric_data]
    assert 5 <= len(kept) <= 10
    assert kept[-1].value == 39


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
