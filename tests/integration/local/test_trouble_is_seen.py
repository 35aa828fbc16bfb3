"""Alarms, status and lag show a failing hop of a local ring as they do for a deployed one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from automate import main
from handler.metrics import NAMESPACE
from local.endpoint.fault_injection import outage
from local.ring import LocalRing
from operate.monitoring.status import HopStatus
from tests.support.local_rings import hop_from, item, put, ring_of, status, wait_for

HERE, THERE = "us-east-1", "eu-west-1"
NAME = f"{HERE}/orders -> {THERE}/orders"


def hop_status(ring: LocalRing) -> HopStatus:
    (found,) = [hop for hop in status(ring).hops if hop.source == HERE]
    return found


def _faults(ring: LocalRing, *minutes_ago: float) -> None:
    now = datetime.now(UTC)
    for minutes in minutes_ago:
        datum: Any = {
            "MetricName": "faults",
            "Dimensions": [{"Name": "hop", "Value": NAME}],
            "Timestamp": now - timedelta(minutes=minutes),
            "Value": 1.0,
        }
        ring.member(HERE).clients.cloudwatch(HERE).put_metric_data(
            Namespace=NAMESPACE, MetricData=[datum]
        )


def test_an_alarm_goes_to_alarm_when_it_must_and_the_status_says_so() -> None:
    with ring_of(2, is_watched=True) as ring:
        _faults(ring, 1)
        ring.evaluate_alarms()
        assert hop_status(ring).alarms == ()
        _faults(ring, 7)
        ring.evaluate_alarms()
        (alarm,) = hop_status(ring).alarms or ()
        assert "at-fault" in alarm
        shown = CliRunner().invoke(main, ["status", "--local", ring.endpoint])
        assert (shown.exit_code, alarm in shown.output) == (1, True)


@pytest.mark.long
def test_a_hop_that_lags_is_seen_by_its_iterator_age_and_its_alarm() -> None:
    # A short timeout, so that the function soon gives up its retries.
    with ring_of(2, function={"timeout": 4}) as ring, ring.faults.inject(outage(THERE)):
        put(ring, HERE, item("waits"))
        wait_for(ring, HERE, lambda stats: stats.failures >= 1)
        time.sleep(1)  # a record's time is in whole seconds
        # The invocation in progress may have begun before; the one after it has not.
        failures = hop_from(ring, HERE).mapping.stats().failures
        wait_for(ring, HERE, lambda stats: stats.failures >= failures + 2)
        ring.flush()
        age = hop_status(ring).iterator_age
        assert age is not None
        assert age >= 1


def test_a_hop_whose_stream_was_switched_off_is_in_the_status() -> None:
    with ring_of(2) as ring:
        off: Any = {"StreamEnabled": False}
        ring.client(HERE).update_table(TableName="orders", StreamSpecification=off)
        wait_for(ring, HERE, lambda stats: stats.trouble is not None)
        result = hop_status(ring).last_result
        assert result is not None
        assert result.startswith("PROBLEM: StreamEndedError: The stream arn:")
        assert any("has ended" in word for word in status(ring).problems)
