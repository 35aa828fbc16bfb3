"""Statistics of metrics have the values of the current second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clients import Accounts
from local.endpoint.server import LocalServer

RECENT = timedelta(minutes=15)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield accounts.home.cloudwatch("us-east-1")


def put(client: Any, name: str) -> datetime:
    """Write a value late in a second; return a time after it in the same second."""
    second = datetime.now(UTC).replace(microsecond=0)
    value = {"MetricName": name, "Value": 1.0, "Timestamp": second + timedelta(milliseconds=800)}
    client.put_metric_data(Namespace="Test", MetricData=[value])
    return second + timedelta(milliseconds=900)


def test_a_value_of_the_current_second_is_in_the_statistics(client: Any) -> None:
    now = put(client, "statistics")
    found = client.get_metric_statistics(
        Namespace="Test",
        MetricName="statistics",
        StartTime=now - RECENT,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in found["Datapoints"]] == [1.0]


def test_a_value_of_the_current_second_is_in_metric_data(client: Any) -> None:
    now = put(client, "data")
    stat = {
        "Metric": {"Namespace": "Test", "MetricName": "data"},
        "Period": 900,
        "Stat": "Maximum",
    }
    found = client.get_metric_data(
        MetricDataQueries=[{"Id": "value", "MetricStat": stat}],
        StartTime=now - RECENT,
        EndTime=now,
    )
    assert found["MetricDataResults"][0]["Values"] == [1.0]
