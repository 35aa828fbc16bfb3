"""What watches a ring, made, changed and deleted by the real engine, each test after the last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.stacks import Engine, EngineStack

pytestmark = pytest.mark.long

REGIONS = ("us-east-1", "eu-west-1")
SETTINGS: dict[str, Any] = {
    "table": {
        "name": "orders",
        "partition_key": {"name": "id", "type": "S"},
        "deletion_protection": False,
    },
    "members": [{"region": region} for region in REGIONS],
    "monitoring": {"email": "ops@example.com"},
}
OWN = [f"arn:aws:sns:{region}:123456789012:ops" for region in REGIONS]


@pytest.fixture(scope="module")
def stack(engine: Engine) -> EngineStack:
    return engine.stack("watched", SETTINGS)


def alarms(engine: Engine, region: str) -> list[Any]:
    client = engine.place(region).clients.cloudwatch(region)
    return [*client.describe_alarms()["MetricAlarms"]]


def topics(engine: Engine, region: str) -> list[str]:
    client = engine.place(region).clients.sns(region)
    return [topic["TopicArn"] for topic in client.list_topics()["Topics"]]


def dashboards(engine: Engine) -> list[Any]:
    client = engine.place("us-east-1").clients.cloudwatch("us-east-1")
    names = [one["DashboardName"] for one in client.list_dashboards()["DashboardEntries"]]
    return [json.loads(client.get_dashboard(DashboardName=one)["DashboardBody"]) for one in names]


def test_up_makes_alarms_that_call_somebody_and_a_dashboard_that_shows_them(
    engine: Engine, stack: EngineStack
) -> None:
    stack.up()
    shown = {
        arn
        for widget in dashboards(engine)[0]["widgets"]
        for arn in widget["properties"].get("alarms", ())
    }
    made = {region: alarms(engine, region) for region in REGIONS}
    for region in REGIONS:
        (topic,) = topics(engine, region)
        assert len(made[region]) == 8
        assert {tuple(alarm["AlarmActions"]) for alarm in made[region]} == {(topic,)}
        subscriptions = engine.place(region).clients.sns(region).list_subscriptions()
        assert [one["Endpoint"] for one in subscriptions["Subscriptions"]] == ["ops@example.com"]
    assert shown == {alarm["AlarmArn"] for region in REGIONS for alarm in made[region]}


def test_nothing_of_it_differs_afterwards(stack: EngineStack) -> None:
    assert set(stack.refresh()) == {"same"}
    assert set(stack.preview()) == {"same"}


def test_another_threshold_and_other_topics_are_changed_in_place(
    engine: Engine, stack: EngineStack
) -> None:
    before = {alarm["AlarmArn"] for alarm in alarms(engine, "eu-west-1")}
    stack.configure(monitoring={"topics": OWN, "iterator_age": 90})
    assert "replace" not in stack.up()
    after = alarms(engine, "eu-west-1")
    assert {alarm["AlarmArn"] for alarm in after} == before
    assert {tuple(alarm["AlarmActions"]) for alarm in after} == {(OWN[1],)}
    (lags,) = [alarm for alarm in after if alarm.get("MetricName") == "IteratorAge"]
    assert lags["Threshold"] == 90_000
    assert topics(engine, "eu-west-1") == []


def test_a_ring_that_nobody_watches_has_nothing_of_it(engine: Engine, stack: EngineStack) -> None:
    stack.configure(monitoring={"enabled": False})
    changes = stack.up()
    assert changes["update"] == 2  # the mappings, which count nothing any more
    assert dashboards(engine) == []
    for region in REGIONS:
        assert alarms(engine, region) == []
        client = engine.place(region).clients.functions(region)
        (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
        assert not mapping.get("MetricsConfig", {}).get("Metrics")


def test_destroy_takes_it_along(engine: Engine, stack: EngineStack) -> None:
    stack.configure(monitoring=None)
    stack.up()
    assert len(alarms(engine, "us-east-1")) == 8
    stack.destroy()
    assert dashboards(engine) == []
    for region in REGIONS:
        assert alarms(engine, region) == topics(engine, region) == []
