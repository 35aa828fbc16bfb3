"""`automate.py lag` on a ring that is deployed, by what CloudWatch holds of its hops."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from operate.deployed import Deployed, DeployedHop
from operate.errors import OperationFailedError
from operate.monitoring.lag import HopLag, Percentiles, lag
from ring.resources.heartbeat import HEARTBEAT_EVENT
from tests.support.local_rings import PATIENCE, hop_from, item, ring_of
from tests.support.local_rings import put as put_item

OUT, BACK = "us-east-1/orders -> eu-west-1/orders", "eu-west-1/orders -> us-east-1/orders"


@pytest.fixture
def ring() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


def run(ring: LocalRing, *arguments: str) -> Result:
    given = ["lag", "--local", ring.endpoint, *arguments]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def hops(ring: LocalRing, *arguments: str) -> list[dict[str, Any]]:
    result = run(ring, *arguments, "--json")
    assert result.exit_code == 0
    (only,) = json.loads(result.stdout)["rings"]
    found: list[dict[str, Any]] = only["hops"]
    return found


def measure(
    ring: LocalRing, hop: str, metric: str, values: list[float], minutes_ago: float = 2
) -> None:
    """Let CloudWatch hold what a hop has measured."""
    datum = {
        "MetricName": metric,
        "Dimensions": [{"Name": "hop", "Value": hop}],
        "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
        "Values": values,
    }
    put(ring, hop.partition("/")[0], "DynamoDBRing", datum)


def put(ring: LocalRing, region: str, namespace: str, datum: dict[str, Any]) -> None:
    client = ring.member(region).clients.client("cloudwatch", region)
    client.put_metric_data(Namespace=namespace, MetricData=[datum])


def test_lag_is_shown_for_each_hop_and_the_lap_for_each_origin(ring: LocalRing) -> None:
    measure(ring, OUT, "lag", [*(0.5 for _ in range(98)), 4.0, 9.0])
    measure(ring, BACK, "lap", [1.5])
    out, back = hops(ring)
    assert out["lag"] == {"count": 100, "p50": 0.5, "p99": 4.0, "max": 9.0}
    assert (out["round_trip"], back["lag"]) == (None, None)
    assert back["round_trip"] == {"count": 1, "p50": 1.5, "p99": 1.5, "max": 1.5}
    said = run(ring).output
    assert re.search(r"us-east-1 +eu-west-1 +100 +0\.5 +4\.0 +9\.0 +-", said)
    assert re.search(r"us-east-1 +1 +1\.5 +1\.5 +1\.5 +-", said)


def test_what_the_hops_of_a_running_ring_measure_is_shown(ring: LocalRing) -> None:
    for hop in ring.hops.values():
        hop.function.invoke(HEARTBEAT_EVENT)  # no heart is on: nothing is written
    put_item(ring, "us-east-1", item("measured"))
    ring.wait_until_quiet(PATIENCE)
    end = time.monotonic() + PATIENCE
    out, back = hops(ring)
    while not (out["lag"] and back["round_trip"]):
        assert time.monotonic() < end, (out, back)
        ring.flush()
        out, back = hops(ring)
    assert (out["lag"]["count"], back["round_trip"]["count"]) == (1, 1)
    assert (out["round_trip"], back["lag"], out["heartbeat_lag"]) == (None, None, None)
    assert 0 <= out["lag"]["max"] <= back["round_trip"]["max"] < PATIENCE


def test_the_round_trip_of_heartbeats_is_apart(ring: LocalRing) -> None:
    measure(ring, BACK, "lap", [9.0])
    measure(ring, BACK, "beat_lap", [2.0])
    _, back = hops(ring)
    assert back["heartbeat_round_trip"]["p50"] == 2.0


def test_where_nothing_was_measured_it_says_so(ring: LocalRing) -> None:
    measure(ring, OUT, "lag", [1.0])
    result = run(ring)
    assert result.exit_code == 0
    assert "the hop from eu-west-1 to us-east-1: no traffic, and the heartbeat is off" in (
        result.output
    )
    assert "from us-east-1 to eu-west-1: no traffic" not in result.output


def test_a_heartbeat_that_is_on_and_does_not_show_is_reported() -> None:
    with ring_of(2, heartbeat={"enabled": True}) as ring:
        measure(ring, OUT, "beat_lag", [1.0])
        assert [one["heartbeat"] for one in hops(ring)] == [True, True]
        said = run(ring).output
    assert said.count("no heartbeat arrived, although it is on") == 1


def test_only_the_last_minutes_count(ring: LocalRing) -> None:
    measure(ring, OUT, "lag", [50.0], minutes_ago=30)
    measure(ring, OUT, "lag", [1.0], minutes_ago=2)
    assert hops(ring)[0]["lag"]["max"] == 1.0
    assert hops(ring, "--minutes", "60")[0]["lag"]["max"] == 50.0


def test_the_iterator_age_is_the_greatest_and_in_seconds(ring: LocalRing) -> None:
    name = hop_from(ring, "us-east-1").function.spec.name
    datum = {
        "MetricName": "IteratorAge",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
        "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
        "Values": [900, 2500],
    }
    put(ring, "us-east-1", "AWS/Lambda", datum)
    assert [one["iterator_age"] for one in hops(ring)] == [2.5, None]


def test_what_cloudwatch_lays_across_the_window_in_two_is_shown_by_the_worse(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = {"count": [3.0, 1.0], "p50": [1.0, 2.0], "p99": [5.0, 2.0], "max": [6.0, 2.0]}
    answer = {"age": [], **{f"lag_{word}": values for word, values in two.items()}}
    monkeypatch.setattr("operate.monitoring.lag._values", lambda *_: answer)
    stack = RunningLocalRing(ring.endpoint)
    out, _ = lag(stack.deployed(), stack.clients(), 15)
    assert isinstance(out, HopLag)
    assert out.lag == Percentiles(4, 2.0, 5.0, 6.0)


def test_a_hop_that_was_not_finished_is_reported(ring: LocalRing) -> None:
    stack = RunningLocalRing(ring.endpoint)
    half = Deployed(stack.deployed().members, [DeployedHop("us-east-1", "eu-west-1")])
    with pytest.raises(OperationFailedError, match="was not deployed completely"):
        lag(half, stack.clients(), 15)


@pytest.mark.parametrize("minutes", ["0", "1441", "x"])
def test_what_is_no_number_of_minutes_is_wrong_use(minutes: str) -> None:
    arguments = ["lag", "--local", "http://127.0.0.1:9", "--minutes", minutes]
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_a_hop_that_only_sees_laps_end_is_not_said_to_be_without_traffic(ring: LocalRing) -> None:
    measure(ring, OUT, "lag", [1.0])
    measure(ring, BACK, "lap", [2.0])
    assert "no traffic" not in run(ring).output
