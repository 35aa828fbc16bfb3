"""The state of each deployed alarm for given metric values.

No emulator evaluates alarms; `tests.support.alarm_series` does, as AWS documents it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.support.alarm_series import Samples, UnsupportedAlarmError, state
from tests.support.pulumi_mocks import OUT, deployed

NONE: Samples = ()
DAY = 24 * 60


@cache
def alarms() -> Mapping[str, Mapping[str, Any]]:
    """The inputs of all alarms of the first hop and of its quarantine, by slug."""
    names = {f"{OUT}-": "of the hop", "ring-us-east-1-quarantine-kept": "of the bucket"}
    return {
        one.name.removeprefix(f"{OUT}-").removeprefix("ring-us-east-1-"): one.inputs
        for one in deployed().all("MetricAlarm")
        if any(one.name.startswith(name) for name in names)
    }


def each(minutes: int, *samples: float) -> Samples:
    """The same samples in each of some minutes."""
    return [samples] * minutes


def once(minutes: int, index: int, *samples: float) -> Samples:
    """Samples in one of some minutes alone."""
    return [samples if minute == index else () for minute in range(minutes)]


BEHIND = 301_000.0
"""Milliseconds, just above the default threshold of five minutes."""
WRITES, CALLS = "ConsumedWriteCapacityUnits", "IteratorAge"
REFUSED = "ConditionalCheckFailedRequests"
QUARANTINED, FROM_LAMBDA = "quarantined", "OnFailureDestinationDeliveredEventCount"

# slug, event -> values of the metrics, and whether the alarm goes to ALARM
CASES: dict[tuple[str, str], tuple[dict[str, Samples], bool]] = {
    ("lags", "records get older and older, for five minutes too old"): (
        {CALLS: [[200_000 + 40_000 * minute] for minute in range(8)]},
        True,
    ),
    ("lags", "one batch in each minute is too old"): ({CALLS: each(5, 10, BEHIND, 10)}, True),
    ("lags", "too old for four minutes yet"): ({CALLS: [*each(9, 10), *each(4, BEHIND)]}, False),
    ("lags", "it has caught up"): ({CALLS: [*each(9, BEHIND), [10.0]]}, False),
    ("lags", "it is at the threshold"): ({CALLS: each(9, 300_000)}, False),
    ("lags", "nobody writes"): ({CALLS: NONE}, False),
    ("fails", "again after some minutes"): ({"Errors": [*each(1, 1), *each(9, 0)]}, False),
    ("fails", "all the time"): ({"Errors": each(15, 1)}, True),
    ("fails", "twice, and a good period between"): (
        {"Errors": [*each(5, 1), *each(5, 0), *each(5, 1)]},
        True,
    ),
    ("fails", "once"): ({"Errors": [*each(10, 0), *each(5, 1)]}, False),
    ("fails", "not called"): ({"Errors": NONE}, False),
    ("throttled", "for ten minutes"): ({"Throttles": each(10, 3)}, True),
    ("throttled", "for a moment"): ({"Throttles": [*each(14, 0), [3.0]]}, False),
    ("at-fault", "each batch, for ten minutes"): ({"faults": each(10, 2)}, True),
    ("at-fault", "one batch"): ({"faults": once(15, 14, 2)}, False),
    ("at-fault", "other failures, which pass"): (
        {"faults": each(15, 0), "failures": each(15, 9)},
        False,
    ),
    ("quarantined", "the hop quarantines one record"): (
        {QUARANTINED: [*each(14, 0, 0), [0.0, 1.0]]},
        True,
    ),
    ("quarantined", "Lambda discards a batch, and no batch ends"): (
        {FROM_LAMBDA: once(5, 4, 1)},
        True,
    ),
    ("quarantined", "the value comes five minutes late"): (
        {QUARANTINED: [*once(5, 2, 1), *each(5)]},
        True,
    ),
    ("quarantined", "half an hour ago"): ({QUARANTINED: [*once(5, 2, 1), *each(25, 0)]}, False),
    ("quarantined", "no record quarantined"): ({QUARANTINED: each(15, 0)}, False),
    ("quarantined", "nothing at all"): ({}, False),
    ("loses", "a batch"): ({"DestinationDeliveryFailures": once(5, 1, 1)}, True),
    ("loses", "none"): ({"DestinationDeliveryFailures": NONE}, False),
    ("silent", "the mapping is disabled, and its table is written"): (
        {WRITES: each(120, 1), CALLS: [*each(90, 10), *each(30)]},
        True,
    ),
    ("silent", "it was never called, and the hop before it writes"): (
        {WRITES: [*each(90), *each(30, 1, 1)]},
        True,
    ),
    ("silent", "a quiet table, written twice in two hours"): (
        {WRITES: [*once(60, 3, 1), *once(60, 3, 1)]},
        True,
    ),
    ("silent", "written once in two hours"): ({WRITES: once(120, 3, 1)}, False),
    ("silent", "it works"): ({WRITES: each(120, 1), CALLS: each(120, 10)}, False),
    ("silent", "nobody writes"): ({}, False),
    ("silent", "some writes are refused"): (
        {WRITES: each(120, 1, 1), REFUSED: each(120, 1)},
        True,
    ),
    ("silent", "all writes are refused, of 3 KB"): (
        {WRITES: each(120, 3), REFUSED: each(120, 1)},
        False,
    ),
    ("silent", "a write at the end of a period is read in the next"): (
        {WRITES: once(120, 104, 1), CALLS: once(120, 105, 10)},
        False,
    ),
    ("quarantine-kept", "S3 counted three"): ({"NumberOfObjects": once(DAY, 0, 3)}, True),
    ("quarantine-kept", "S3 counted none"): ({"NumberOfObjects": once(DAY, 0, 0)}, False),
    ("quarantine-kept", "S3 did not count"): ({"NumberOfObjects": NONE}, False),
}


@pytest.mark.parametrize(("slug", "event"), CASES, ids=lambda word: word)
def test_an_alarm_goes_off_when_it_must_and_only_then(slug: str, event: str) -> None:
    values, rings = CASES[slug, event]
    assert (state(alarms()[slug], values) == "ALARM") is rings


def test_each_alarm_is_tested_in_both_states() -> None:
    tested = {(slug, rings) for (slug, _), (_, rings) in CASES.items()}
    assert tested == {(slug, rings) for slug in alarms() for rings in (True, False)}


def test_a_bucket_that_s3_does_not_count_is_neither_ok_nor_in_alarm() -> None:
    assert state(alarms()["quarantine-kept"], {}) == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    "other",
    [
        {"comparisonOperator": "LessThanThreshold"},
        {"statistic": "p99"},
        {"treatMissingData": "ignore"},
        {"treatMissingData": "breaching"},
    ],
    ids=str,
)
def test_an_unsupported_alarm_is_not_evaluated(other: dict[str, str]) -> None:
    with pytest.raises(UnsupportedAlarmError):
        state({**alarms()["fails"], **other}, {})


@pytest.mark.parametrize("expression", ["calls - 1", "MAX(calls)", "calls OR 1", "calls < 1 < 2"])
def test_an_unsupported_expression_is_not_evaluated(expression: str) -> None:
    silent = alarms()["silent"]
    value, *metrics = silent["metricQueries"]
    with pytest.raises((UnsupportedAlarmError, SyntaxError)):
        state({**silent, "metricQueries": [{**value, "expression": expression}, *metrics]}, {})
