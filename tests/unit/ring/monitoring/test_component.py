"""What watches a ring as it is declared: alarms, and the topics that they call."""

from __future__ import annotations

import pytest

from tests.support.pulumi_mocks import (
    ABROAD,
    ACCOUNT,
    BACK,
    CHINA,
    KEY,
    OUT,
    TWO,
    Watching,
    deployed,
)

OWN = [f"arn:aws:sns:{region}:{ACCOUNT}:ops" for region in ("us-east-1", "eu-west-1")]
SLUGS = {"lags", "fails", "throttled", "at-fault", "quarantined", "loses", "silent"}


def alarms(seen: Watching, of: str) -> set[str]:
    """The last words of the names of the alarms of a hop or member."""
    names = [one.name for one in seen.all("MetricAlarm")]
    return {name.removeprefix(f"{of}-") for name in names if name.startswith(f"{of}-")} & (
        SLUGS | {"quarantine-kept"}
    )


def test_every_hop_and_every_quarantine_is_watched() -> None:
    seen = deployed()

    assert alarms(seen, OUT) == alarms(seen, BACK) == SLUGS
    assert alarms(seen, "ring-us-east-1") == {"quarantine-kept"}
    assert len(seen.all("MetricAlarm")) == 2 * len(SLUGS) + 2


def test_an_alarm_watches_its_own_hop_and_says_so() -> None:
    lags = deployed().one("MetricAlarm", f"{OUT}-lags").inputs

    assert lags["alarmDescription"].startswith("Table orders, hop us-east-1 -> eu-west-1: ")
    assert lags["namespace"] == "AWS/Lambda"
    assert lags["metricName"] == "IteratorAge"
    assert lags["dimensions"] == {"FunctionName": f"{OUT}-a1b2c3"}
    assert lags["comparisonOperator"] == "GreaterThanThreshold"
    assert (lags["threshold"], lags["statistic"]) == (300_000, "Maximum")
    assert (lags["period"], lags["evaluationPeriods"], lags["datapointsToAlarm"]) == (60, 5, 5)
    assert lags["treatMissingData"] == "notBreaching"  # a quiet hop is a good one


def test_what_the_hop_sets_aside_and_what_lambda_gives_up_is_one_alarm() -> None:
    seen = deployed()
    queries = seen.one("MetricAlarm", f"{OUT}-quarantined").inputs["metricQueries"]
    value, aside, given_up = queries

    assert [query["returnData"] for query in queries] == [True, False, False]
    assert value["expression"] == "FILL(by_hop, 0) + FILL(by_lambda, 0)"
    assert aside["metric"]["dimensions"] == {"hop": "us-east-1/orders -> eu-west-1/orders"}
    assert given_up["metric"]["dimensions"] == {"EventSourceMappingUUID": f"{OUT}-a1b2c3"}
    assert {query["metric"]["stat"] for query in queries[1:]} == {"Sum"}
    counts = seen.one("EventSourceMapping", OUT).inputs["metricsConfig"]
    assert counts == {"metrics": ["EventCount"]}


def test_the_quarantine_is_counted_in_its_bucket() -> None:
    kept = deployed().one("MetricAlarm", "ring-us-east-1-quarantine-kept").inputs

    assert kept["dimensions"] == {
        "BucketName": "ring-quarantine-0996013b-a1b2c3",
        "StorageType": "AllStorageTypes",
    }
    assert (kept["period"], kept["treatMissingData"]) == (86_400, "missing")


def test_an_alarm_calls_the_rings_own_topic_in_its_region() -> None:
    seen = deployed()
    topics = {
        member: f"arn:aws:sns:{member}:{ACCOUNT}:ring-{member}-a1b2c3"
        for member in ("us-east-1", "eu-west-1")
    }

    for one in seen.all("MetricAlarm"):
        member = one.parent.removeprefix("ring-")
        assert one.inputs["alarmActions"] == [topics[member]]
    assert seen.outputs["ring"]["topics"] == topics
    assert seen.all("TopicSubscription") == []


def test_a_topic_has_the_key_of_its_member() -> None:
    seen = deployed(members=[{"region": "us-east-1", "kms_key": KEY}, TWO[1]])

    assert seen.one("Topic", "ring-us-east-1").inputs["kmsMasterKeyId"] == KEY
    assert "kmsMasterKeyId" not in seen.one("Topic", "ring-eu-west-1").inputs


def test_an_email_is_subscribed_to_each_of_them() -> None:
    seen = deployed(watch={"email": "ops@example.com"})
    subscriptions = [one.inputs for one in seen.all("TopicSubscription")]

    assert [one["endpoint"] for one in subscriptions] == ["ops@example.com"] * 2
    assert [one["topic"] for one in subscriptions] == [
        f"arn:aws:sns:{region}:{ACCOUNT}:ring-{region}-a1b2c3"
        for region in ("eu-west-1", "us-east-1")
    ]


def test_an_alarm_calls_those_of_the_users_topics_that_are_in_its_region() -> None:
    seen = deployed(watch={"topics": [*OWN, OWN[0] + "-2"]})

    for one in seen.all("MetricAlarm"):
        here = [topic for topic in (*OWN, OWN[0] + "-2") if one.parent[5:] in topic]
        assert one.inputs["alarmActions"] == here
    assert seen.all("Topic") == []
    assert seen.outputs["ring"]["topics"] == {}


@pytest.mark.parametrize("members", [ABROAD, CHINA], ids=["accounts", "partitions"])
def test_what_watches_a_hop_is_where_its_source_is(members: list[object]) -> None:
    for one in deployed(members=members).declared:
        if one.type in ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topic:Topic"):
            assert one.provider == one.parent


def test_a_member_that_is_named_only_is_not_watched() -> None:
    seen = deployed(hops=["us-east-1"])

    assert [one.name for one in seen.all("Watch")] == ["ring-us-east-1"]
    assert alarms(seen, BACK) == set()


def test_both_hops_that_start_at_a_member_are_watched_by_one_topic() -> None:
    rejoining = {"region": "ap-southeast-2", "state": "rejoining"}
    seen = deployed(members=[TWO[0], rejoining, TWO[1]])
    mine = [one for one in seen.all("MetricAlarm") if one.parent == "ring-us-east-1"]

    assert len(mine) == 2 * len(SLUGS) + 1
    assert len({one.inputs["alarmActions"][0] for one in mine}) == 1


def test_nobody_watches_where_the_settings_say_so() -> None:
    seen = deployed(watch={"enabled": False})

    for kind in ("Watch", "MetricAlarm", "Topic", "Dashboard"):
        assert seen.all(kind) == []
    assert "metricsConfig" not in seen.one("EventSourceMapping", OUT).inputs
    assert seen.outputs["ring"]["topics"] == {}
