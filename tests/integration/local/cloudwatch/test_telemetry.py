"""What is seen of a hop at the endpoint: its log lines, its metrics, its alarms, its status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.metrics import METRICS, NAMESPACE
from local.ring import LocalRing
from tests.support.local_rings import PATIENCE, hop_from, item, put, ring_of, status

HERE, THERE = "us-east-1", "eu-west-1"
NAME = f"{HERE}/orders -> {THERE}/orders"
TIMES = {"lag", "lap", "beat_lag", "beat_lap"}


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2) as running:
        put(running, HERE, item("seen"))
        running.wait_until_quiet(PATIENCE)
        running.flush()
        yield running


def client(ring: LocalRing, service: str) -> Any:
    return ring.member(HERE).clients.client(service, HERE)


def values(ring: LocalRing, namespace: str, name: str, dimension: tuple[str, str]) -> Any:
    """What CloudWatch has of a metric in the last hour: how many values, their sum and greatest."""
    statistics = ["SampleCount", "Sum", "Maximum"]
    points = client(ring, "cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=86_400,
        Statistics=statistics,
    )["Datapoints"]
    return tuple(points[0][one] for one in statistics) if points else None


def lines(ring: LocalRing) -> list[str]:
    group = hop_from(ring, HERE).function.spec.log_group
    events = client(ring, "logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events]


def test_the_lines_of_a_hop_are_in_its_log_group(ring: LocalRing) -> None:
    logged = lines(ring)
    batch = next(json.loads(line) for line in logged if '"event": "batch"' in line)
    assert (batch["hop"], batch["records"]) == (NAME, 1)
    assert any(line.startswith("REPORT RequestId: ") for line in logged)


def test_all_that_a_batch_measures_is_in_cloudwatch(ring: LocalRing) -> None:
    for name in set(METRICS) - TIMES:
        assert values(ring, NAMESPACE, name, ("hop", NAME)) is not None, name
    assert values(ring, NAMESPACE, "replicated", ("hop", NAME))[1] == 1
    assert values(ring, NAMESPACE, "lag", ("hop", NAME))[0] == 1


def test_what_lambda_measures_of_a_function_and_a_mapping_is_in_cloudwatch(
    ring: LocalRing,
) -> None:
    hop = hop_from(ring, HERE)
    function = ("FunctionName", hop.function.spec.name)
    count, total, _ = values(ring, "AWS/Lambda", "Invocations", function)
    assert count == total >= 1
    assert values(ring, "AWS/Lambda", "Errors", function)[:2] == (count, 0)
    assert values(ring, "AWS/Lambda", "Duration", function)[2] > 0
    age = values(ring, "AWS/Lambda", "IteratorAge", function)[2]
    assert 0 <= age < PATIENCE * 1000
    mapping = ("EventSourceMappingUUID", hop.mapping_id)
    polled = values(ring, "AWS/Lambda", "PolledEventCount", mapping)[1]
    assert polled == values(ring, "AWS/Lambda", "InvokedEventCount", mapping)[1] >= 1


def test_the_status_has_the_last_result_and_the_iterator_age(ring: LocalRing) -> None:
    found = status(ring)
    (hop,) = [hop for hop in found.hops if hop.source == HERE]
    assert (hop.mapping, hop.last_result, hop.alarms) == ("Enabled", "OK", ())
    assert hop.iterator_age is not None
    assert found.problems == ()
