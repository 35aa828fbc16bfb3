"""Monitoring of a ring as it is declared: alarms and the topics that they notify."""

from __future__ import annotations

import pytest

from tests.support.pulumi_mocks import (
    ABROAD,
    ACCOUNT,
    BACK,
    CHINA,
    KEY,
    ORDERS,
    OUT,
    TWO,
    Watching,
    deployed,
)

OWN = [f"arn:aws:sns:{region}:{ACCOUNT}:ops" for region in ("us-east-1", "eu-west-1")]
SLUGS = {"lags", "fails", "throttled", "at-fault", "quarantined", "loses", "silent"}


def alarms(seen: Watching, of: str) -> set[str]:
    """The slugs of the alarms of a hop or member."""
    names = [alarm.name for alarm in seen.all("MetricAlarm")]
    return {name.removeprefix(f"{of}-") for name in names if name.startswith(f"{of}-")} & (
        SLUGS | {"quarantine-kept"}
    )


def test_every_hop_and_every_quarantine_has_its_alarms() -> None:
    seen = deployed()

    assert alarms(seen, OUT) == alarms(seen, BACK) == SLUGS
    assert alarms(seen, "ring-us-east-1") == {"quarantine-kept"}
    assert len(seen.all("MetricAlarm")) == 2 * len(SLUGS) + 2


def test_an_alarm_uses_its_own_hops_metric_and_names_the_table_and_the_hop() -> None:
    lags = deployed().one("MetricAlarm", f"{OUT}-lags").inputs

    assert lags["alarmDescription"].startswith("Table orders, hop us-east-1 -> eu-west-1: ")
    assert lags["namespace"] == "AWS/Lambda"
    assert lags["metricName"] == "IteratorAge"
    assert lags["dimensions"] == {"FunctionName": f"{OUT}-a1b2c3"}
    assert lags["comparisonOperator"] == "GreaterThanThreshold"
    assert (lags["threshold"], lags["statistic"]) == (300_000, "Maximum")
    assert (lags["period"], lags["evaluationPeriods"], lags["datapointsToAlarm"]) == (60, 5, 5)
    assert lags["treatMissingData"] == "notBreaching"  # no record, no lag


def test_a_description_with_long_names_of_tables_is_cut_where_the_names_are() -> None:
    longest = 244
    members = [
        {"region": "us-east-1", "table": "b" * longest},
        {"region": "eu-west-1", "table": "c" * longest},
    ]
    seen = deployed(table={**ORDERS, "name": "a" * longest}, members=members)
    texts = [alarm.inputs["alarmDescription"] for alarm in seen.all("MetricAlarm")]

    assert max(map(len, texts)) == 1024  # CloudWatch's limit
    for text in texts:
        assert text.startswith("Table aaa")
        assert "docs/how-to/troubleshoot.md: " in text
    assert any("ccc...: " in text for text in texts)


def test_one_alarm_counts_records_quarantined_by_the_hop_and_by_lambda() -> None:
    seen = deployed()
    queries = seen.one("MetricAlarm", f"{OUT}-quarantined").inputs["metricQueries"]
    value, by_hop, by_lambda = queries

    assert [query["returnData"] for query in queries] == [True, False, False]
    assert value["expression"] == "FILL(by_hop, 0) + FILL(by_lambda, 0)"
    assert by_hop["metric"]["dimensions"] == {"hop": "us-east-1/orders -> eu-west-1/orders"}
    assert by_lambda["metric"]["dimensions"] == {"EventSourceMappingUUID": f"{OUT}-a1b2c3"}
    assert {query["metric"]["stat"] for query in queries[1:]} == {"Sum"}
    counts = seen.one("EventSourceMapping", OUT).inputs["metricsConfig"]
    assert counts == {"metrics": ["EventCount"]}


def test_the_quarantine_is_counted_in_its_bucket() -> None:
    alarm = deployed().one("MetricAlarm", "ring-us-east-1-quarantine-kept").inputs

    assert alarm["dimensions"] == {
        "BucketName": "ring-quarantine-0996013b-a1b2c3",
        "StorageType": "AllStorageTypes",
    }
    assert (alarm["period"], alarm["treatMissingData"]) == (86_400, "missing")


def test_an_alarm_notifies_the_rings_own_topic_in_its_region() -> None:
    seen = deployed()
    topics = {
        member: f"arn:aws:sns:{member}:{ACCOUNT}:ring-{member}-a1b2c3"
        for member in ("us-east-1", "eu-west-1")
    }

    for alarm in seen.all("MetricAlarm"):
        member = alarm.parent.removeprefix("ring-")
        assert alarm.inputs["alarmActions"] == [topics[member]]
    assert seen.outputs["ring"]["topics"] == topics
    assert seen.all("TopicSubscription") == []


def test_a_topic_has_the_key_of_its_member() -> None:
    seen = deployed(members=[{"region": "us-east-1", "kms_key": KEY}, TWO[1]])

    assert seen.one("Topic", "ring-us-east-1").inputs["kmsMasterKeyId"] == KEY
    assert "kmsMasterKeyId" not in seen.one("Topic", "ring-eu-west-1").inputs


def test_an_email_is_subscribed_to_each_of_them() -> None:
    seen = deployed(monitoring={"email": "ops@example.com"})
    subscriptions = [found.inputs for found in seen.all("TopicSubscription")]

    assert [found["endpoint"] for found in subscriptions] == ["ops@example.com"] * 2
    assert [found["topic"] for found in subscriptions] == [
        f"arn:aws:sns:{region}:{ACCOUNT}:ring-{region}-a1b2c3"
        for region in ("eu-west-1", "us-east-1")
    ]


def test_an_alarm_notifies_the_users_topics_in_its_region() -> None:
    seen = deployed(monitoring={"topics": [*OWN, OWN[0] + "-2"]})

    for alarm in seen.all("MetricAlarm"):
        regional = [topic for topic in (*OWN, OWN[0] + "-2") if alarm.parent[5:] in topic]
        assert alarm.inputs["alarmActions"] == regional
    assert seen.all("Topic") == []
    assert seen.outputs["ring"]["topics"] == {}


@pytest.mark.parametrize("members", [ABROAD, CHINA], ids=["accounts", "partitions"])
def test_alarms_and_topics_are_in_the_region_and_account_of_the_hops_source(
    members: list[object],
) -> None:
    for alarm in deployed(members=members).declared:
        if alarm.type in ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topic:Topic"):
            assert alarm.provider == alarm.parent


def test_a_member_of_another_stack_has_no_alarms() -> None:
    seen = deployed(hops=["us-east-1"])

    assert [alarm.name for alarm in seen.all("Watch")] == ["ring-us-east-1"]
    assert alarms(seen, BACK) == set()


def test_both_hops_that_start_at_a_member_share_a_topic() -> None:
    rejoining = {"region": "ap-southeast-2", "state": "rejoining"}
    seen = deployed(members=[TWO[0], rejoining, TWO[1]])
    mine = [alarm for alarm in seen.all("MetricAlarm") if alarm.parent == "ring-us-east-1"]

    assert len(mine) == 2 * len(SLUGS) + 1
    assert len({alarm.inputs["alarmActions"][0] for alarm in mine}) == 1


def test_there_is_no_monitoring_if_it_is_switched_off() -> None:
    seen = deployed(monitoring={"enabled": False})

    for kind in ("Watch", "MetricAlarm", "Topic", "Dashboard"):
        assert seen.all(kind) == []
    assert "metricsConfig" not in seen.one("EventSourceMapping", OUT).inputs
    assert seen.outputs["ring"]["topics"] == {}
