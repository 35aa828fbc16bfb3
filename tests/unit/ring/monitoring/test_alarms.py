"""The alarms as values: their metrics exist, and their texts help."""

from __future__ import annotations

import re

import pytest

from handler import metrics as emitter
from handler.config import HopConfig as HopSettings
from ring.hop_metrics import DIMENSION, NAMESPACE, HopMetrics
from ring.monitoring.alarms import Alarm, hop_alarms, quarantine_bucket_alarm
from ring.project import PROJECT_ROOT
from ring.resources.function_environment import environment
from ring.settings.settings import Settings
from ring.topology import deployed_hops
from tests.support.emitted_metrics import AWS, handler_metrics
from tests.support.pulumi_mocks import config

RUNBOOK = PROJECT_ROOT / "docs" / "how-to" / "troubleshoot.md"
SETTINGS = Settings.parse(config(members=[{"region": "us-east-1"}, {"region": "eu-west-1"}]))
(EDGE, _) = deployed_hops(SETTINGS)
HOP = HopMetrics(EDGE.source, EDGE.target, "the-function", "the-mapping")
ALARMS = (*hop_alarms(HOP, 300), quarantine_bucket_alarm("the-bucket"))


def pages() -> list[str]:
    return re.findall(r"^## (.*)$", RUNBOOK.read_text(), re.MULTILINE)


def page(name: str) -> str:
    (found,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", RUNBOOK.read_text(), re.M | re.S)
    return str(found)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.slug)
def test_an_alarm_says_what_happened_what_it_means_and_what_to_do_and_names_its_page(
    alarm: Alarm,
) -> None:
    text = alarm.description(HOP.label)

    assert text == (
        f"us-east-1 -> eu-west-1: {alarm.summary} {alarm.meaning} {alarm.remedy} "
        f"See docs/how-to/troubleshoot.md: {alarm.runbook_section}"
    )
    assert all(part.endswith(".") for part in (alarm.summary, alarm.meaning, alarm.remedy))
    assert len(text) <= 1024  # CloudWatch's limit
    assert alarm.runbook_section in pages()
    assert f"`{alarm.slug}`" in page(alarm.runbook_section)
    for part in ("**What it means.**", "**How to look.**", "**What to do.**"):
        assert part in page(alarm.runbook_section)


def test_the_documented_cost_counts_the_alarms_and_metrics_that_there_are() -> None:
    decision = PROJECT_ROOT / "docs" / "decisions" / "0010-alarms-are-on.md"
    assert "eight alarms over eleven metrics: 1.10" in " ".join(decision.read_text().split())

    assert len(ALARMS) == 8
    assert sum(len(alarm.metrics) for alarm in ALARMS) == 11


def test_no_two_alarms_have_the_same_slug() -> None:
    assert len({alarm.slug for alarm in ALARMS}) == len(ALARMS)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.slug)
def test_an_alarm_uses_metrics_that_exist(alarm: Alarm) -> None:
    custom = handler_metrics()

    for metric in alarm.metrics.values():
        if metric.namespace == NAMESPACE:
            assert metric.name in custom
        else:
            assert metric.name in AWS[metric.namespace, *metric.dimensions]


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.slug)
def test_an_alarm_is_within_the_limits_of_cloudwatch(alarm: Alarm) -> None:
    assert alarm.datapoints_to_alarm <= alarm.evaluation_periods
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    assert alarm.period % 60 == 0
    assert alarm.period * alarm.evaluation_periods <= 24 * 60 * 60
    if alarm.expression:
        names = set(re.findall(r"\b[a-z]\w*", alarm.expression))
        assert names == set(alarm.metrics)
    else:
        assert len(alarm.metrics) == 1


def test_ring_and_handler_use_the_same_names_for_a_hop_and_its_metrics() -> None:
    variables = environment(EDGE.source, EDGE.target, SETTINGS, quarantine=("lost", "1"))
    texts = {name: value for name, value in variables.items() if isinstance(value, str)}

    assert HopSettings.read(texts).name == HOP.name
    assert (emitter.NAMESPACE, emitter.DIMENSION) == (NAMESPACE, DIMENSION)


def test_the_threshold_of_the_iterator_age_is_in_milliseconds() -> None:
    (lags,) = [alarm for alarm in hop_alarms(HOP, 90) if alarm.slug == "lags"]

    assert lags.threshold == 90_000  # milliseconds
    assert "above 90 s" in lags.summary


def test_an_invocation_for_a_heartbeat_does_not_count_for_the_silent_alarm() -> None:
    (silent,) = [alarm for alarm in ALARMS if alarm.slug == "silent"]
    calls = silent.metrics["calls"]

    assert (calls.name, calls.statistic) == ("IteratorAge", "SampleCount")
