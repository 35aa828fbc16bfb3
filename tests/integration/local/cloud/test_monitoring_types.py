"""What watches a ring, made, read, changed and deleted through AWS's API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from local.clients import Accounts
from local.cloud.cloud import Change, Cloud
from local.cloud.diff import difference
from local.cloud.resources import RESOURCE_TYPES, Location
from local.endpoint.server import LocalServer
from tests.engine.provider.state import refreshed

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
OPS = "arn:aws:sns:eu-west-1:123456789012:ops"
SIMPLE: dict[str, Any] = {
    "name": "late",
    "alarmDescription": "It lags.",
    "alarmActions": [OPS],
    "namespace": "AWS/Lambda",
    "metricName": "IteratorAge",
    "dimensions": {"FunctionName": "hop"},
    "statistic": "Maximum",
    "comparisonOperator": "GreaterThanThreshold",
    "threshold": 300000.0,
    "period": 60.0,
    "evaluationPeriods": 5.0,
    "datapointsToAlarm": 5.0,
    "treatMissingData": "notBreaching",
}
METRIC = {
    "namespace": "AWS/Lambda",
    "metricName": "Errors",
    "dimensions": {"FunctionName": "hop"},
    "period": 60.0,
    "stat": "Sum",
}
MATHS: dict[str, Any] = {
    "name": "sum",
    "alarmActions": [OPS],
    "comparisonOperator": "GreaterThanThreshold",
    "threshold": 0.0,
    "evaluationPeriods": 1.0,
    "metricQueries": [
        {"id": "all", "expression": "a + b", "label": "both", "returnData": True},
        {"id": "a", "metric": METRIC, "returnData": False},
        {"id": "b", "metric": {**METRIC, "metricName": "Throttles"}, "returnData": False},
    ],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        yield Cloud(accounts)


@pytest.fixture(scope="module")
def place(cloud: Cloud) -> Location:
    tags = json.dumps({"tags": {"team": "orders"}})
    return cloud.location({"region": "eu-west-1", "defaultTags": tags})


def topic(cloud: Cloud, place: Location, name: str) -> str:
    made, _ = cloud.create(TOPIC, "t", {"name": name}, place)
    return made


def test_a_topic_has_the_key_that_is_said_and_another_and_none(
    cloud: Cloud, place: Location
) -> None:
    plain = {"name": "keyed"}
    keyed = [{**plain, "kmsMasterKeyId": f"arn:aws:kms:eu-west-1:1:key/{one}"} for one in "ab"]
    made, _ = cloud.create(TOPIC, "t", keyed[0], place)

    for old, new in pairwise((*keyed, plain)):
        seen = cloud.read(TOPIC, "t", made, place)
        assert seen is not None
        assert seen.get("kmsMasterKeyId") == old["kmsMasterKeyId"]
        cloud.update(TOPIC, "t", made, Change(old, new), place)
    assert "kmsMasterKeyId" not in (cloud.read(TOPIC, "t", made, place) or {})


@pytest.mark.parametrize("inputs", [SIMPLE, MATHS], ids=["one metric", "maths"])
def test_an_alarm_is_read_as_it_was_said_to_be(
    cloud: Cloud, place: Location, inputs: dict[str, Any]
) -> None:
    made, _ = cloud.create(ALARM, "a", inputs, place)
    seen = cloud.read(ALARM, "a", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[ALARM], inputs, seen, place) == inputs
    assert seen["tagsAll"] == {"team": "orders"}
    cloud.delete(ALARM, "a", made, place)
    assert cloud.read(ALARM, "a", made, place) is None


def test_what_somebody_changed_of_an_alarm_is_seen_and_put_right(
    cloud: Cloud, place: Location
) -> None:
    made, _ = cloud.create(ALARM, "a", MATHS, place)
    by_hand = {**MATHS, "threshold": 9.0, "metricQueries": MATHS["metricQueries"][:2]}
    cloud.update(ALARM, "a", made, Change(MATHS, by_hand), place)
    seen = cloud.read(ALARM, "a", made, place)
    assert seen is not None
    now = refreshed(RESOURCE_TYPES[ALARM], MATHS, seen, place)
    assert set(difference(RESOURCE_TYPES[ALARM], now, MATHS).changed) == {
        "threshold",
        "metricQueries",
    }
    wanted = {**MATHS, "tags": {"stage": "one"}}
    cloud.update(ALARM, "a", made, Change(now, wanted), place)
    seen = cloud.read(ALARM, "a", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[ALARM], wanted, seen, place) == wanted


def test_the_order_of_what_an_alarm_calls_and_watches_means_nothing() -> None:
    turned = {**MATHS, "metricQueries": MATHS["metricQueries"][::-1]}
    assert not difference(RESOURCE_TYPES[ALARM], MATHS, turned).changed


def test_a_dashboard_is_made_changed_and_deleted(cloud: Cloud, place: Location) -> None:
    inputs = {"dashboardName": "ring", "dashboardBody": json.dumps({"widgets": []})}
    text = {"type": "text", "properties": {"markdown": "hello"}}
    wanted = {**inputs, "dashboardBody": json.dumps({"widgets": [text]})}
    made, outputs = cloud.create(DASHBOARD, "d", inputs, place)
    assert outputs["dashboardArn"].endswith("dashboard/ring")
    cloud.update(DASHBOARD, "d", made, Change(inputs, wanted), place)
    seen = cloud.read(DASHBOARD, "d", made, place)
    assert seen is not None
    assert json.loads(seen["dashboardBody"])["widgets"] == [text]
    for _ in range(2):  # one that is not there is deleted
        cloud.delete(DASHBOARD, "d", made, place)
        assert cloud.read(DASHBOARD, "d", made, place) is None


def test_a_topic_and_its_subscription_are_made_and_deleted(cloud: Cloud, place: Location) -> None:
    arn = topic(cloud, place, "alarms")
    inputs = {"topic": arn, "protocol": "sms", "endpoint": "+4912345678"}
    made, _ = cloud.create(SUBSCRIPTION, "s", inputs, place)
    seen = cloud.read(SUBSCRIPTION, "s", made, place)
    assert seen is not None
    assert refreshed(RESOURCE_TYPES[SUBSCRIPTION], inputs, seen, place) == inputs
    for token, id_ in ((SUBSCRIPTION, made), (TOPIC, arn)):
        cloud.delete(token, "gone", id_, place)
        assert cloud.read(token, "gone", id_, place) is None


def test_a_topics_tags_are_changed(cloud: Cloud, place: Location) -> None:
    arn = topic(cloud, place, "tagged")
    change = Change({"name": "tagged"}, {"name": "tagged", "tags": {"team": "users"}})
    cloud.update(TOPIC, "t", arn, change, place)
    seen = cloud.read(TOPIC, "t", arn, place)
    assert seen is not None
    assert (seen["name"], seen["tagsAll"]) == ("tagged", {"team": "users"})
