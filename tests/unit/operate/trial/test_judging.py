"""Each expectation that is judged by figures fails when they are not as expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operate.deployment.config_source import parse_settings
from operate.monitoring.lag import HopLag, Percentiles
from operate.trial.context import Patience, patience_for
from operate.trial.items import sized_item, small_item, text_of, typed_item
from operate.trial.leftovers import Leftovers
from operate.trial.plan import plan_trial
from operate.trial.reading import Arrival, compare
from operate.trial.steps.ends import judge_deployment, judge_leftovers
from operate.trial.steps.figures import (
    judge_alarms,
    judge_billed,
    judge_lag,
    judge_memory,
    judge_units,
    max_lag,
)
from operate.trial.steps.invocations import Invocations, sum_up
from operate.trial.steps.load import judge_accepted
from operate.trial.verdicts import Verdict
from tests.support.local_rings import TABLE

MET, FAILED, NOT_JUDGED = Verdict.MET, Verdict.FAILED, Verdict.NOT_JUDGED
QUICK = Percentiles(10, 1.0, 2.0, 2.0)
HOP = HopLag("a", "b", QUICK, QUICK, None, None, None, heartbeat=False)
CALLS = Invocations(2, 0.100, 0.102, 0.0, 90, 512)
REPORT = (
    "REPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: {used} MB\tInit Duration: 200.5 ms"
)


@pytest.mark.parametrize(
    ("hops", "verdict"),
    [
        ([HOP, HOP], MET),
        ([HOP, replace(HOP, lag=replace(QUICK, p99=31.0))], FAILED),
        ([HOP, replace(HOP, lag=None)], NOT_JUDGED),
        ([], NOT_JUDGED),
    ],
)
def test_lag(hops: list[HopLag], verdict: Verdict) -> None:
    assert judge_lag(hops).verdict is verdict


def test_a_batching_window_is_waited_for_at_each_hop_and_is_no_lag() -> None:
    hops = [replace(HOP, lag=replace(QUICK, p99=140.0))]
    settings = {"mapping": {"batching_window": 60}}
    regions = ("us-east-1", "eu-west-1", "ap-southeast-2")
    like = parse_settings({"table": TABLE, "members": [{"region": one} for one in regions]})
    plan = plan_trial(like=like)
    windows = replace(plan, settings={**plan.settings, **settings})
    assert judge_lag(hops, max_lag(plan)).verdict is FAILED
    assert judge_lag(hops, max_lag(windows)).verdict is MET
    assert patience_for(plan, Patience()) == Patience()
    longer = patience_for(windows, Patience(arrival=600.0, quiet=10.0))
    assert (longer.arrival, longer.quiet) == (780.0, 190.0)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (1_000.0, MET),
        (1_200.0, MET),
        (1_300.0, FAILED),
        (900.0, FAILED),
        (None, NOT_JUDGED),
        (0.0, NOT_JUDGED),
    ],
)
def test_write_units(measured: float | None, verdict: Verdict) -> None:
    assert judge_units(measured, 1_000.0).verdict is verdict


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        (CALLS, MET),
        (replace(CALLS, memory_used=500), FAILED),
        (replace(CALLS, memory_used=None), NOT_JUDGED),
    ],
)
def test_memory(calls: Invocations, verdict: Verdict) -> None:
    assert judge_memory({"a -> b": CALLS, "b -> a": calls}).verdict is verdict


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [
        (CALLS, MET),
        (replace(CALLS, billed=0.3), FAILED),
        (replace(CALLS, billed=None), NOT_JUDGED),
    ],
)
def test_billed_time(calls: Invocations, verdict: Verdict) -> None:
    assert judge_billed({"a -> b": CALLS, "b -> a": calls}).verdict is verdict
    assert judge_billed({}).verdict is NOT_JUDGED


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ({"ring-a-lags-1": "OK", "ring-a-quarantined-2": "ALARM"}, MET),
        ({"ring-a-lags-1": "OK", "ring-a-quarantine-kept-2": "ALARM"}, MET),
        ({"ring-a-lags-1": "ALARM", "ring-a-quarantined-2": "ALARM"}, FAILED),
        ({"ring-a-lags-1": "INSUFFICIENT_DATA"}, NOT_JUDGED),
        ({}, NOT_JUDGED),
    ],
)
def test_alarms(states: dict[str, str], verdict: Verdict) -> None:
    assert judge_alarms(states).verdict is verdict


def test_accepted_writes() -> None:
    assert judge_accepted(10, 10).verdict is MET
    assert judge_accepted(9, 10).verdict is FAILED


@pytest.mark.parametrize(
    ("members", "hops", "verdict"), [(3, 3, MET), (3, 2, FAILED), (2, 3, FAILED)]
)
def test_the_deployment(members: int, hops: int, verdict: Verdict) -> None:
    assert judge_deployment(3, members, hops, "69 resources").verdict is verdict


def test_leftovers() -> None:
    (clean,) = judge_leftovers(Leftovers((), 10))
    assert clean.verdict is MET
    (left,) = judge_leftovers(Leftovers(("role ring-trial-1",), 10))
    assert (left.verdict, left.seen) == (FAILED, "left: role ring-trial-1")


def test_what_could_not_be_looked_at_is_never_taken_for_gone() -> None:
    gone, seen = judge_leftovers(Leftovers((), 10, {"roles in us-east-1": "AccessDenied"}))
    assert (gone.verdict, seen.verdict) == (MET, NOT_JUDGED)
    assert "AccessDenied" in seen.seen
    blind, _ = judge_leftovers(Leftovers((), 0, {"roles in us-east-1": "ExpiredToken"}))
    assert blind.verdict is NOT_JUDGED


def test_a_report_line_of_lambda_is_read() -> None:
    found = sum_up([REPORT.format(used=88), REPORT.format(used=91), "START RequestId: 1"])
    assert found == Invocations(2, 0.02468, 0.026, 0.401, 91, 512)


def test_a_short_report_line_says_nothing_of_bills_and_memory() -> None:
    found = sum_up(["REPORT RequestId: 1\tDuration: 12.34 ms"])
    assert (found.number, found.billed, found.memory_used) == (1, None, None)


def test_a_lacking_another_and_an_unexpected_item_each_differ() -> None:
    one, other = small_item("g", "1", 1, "a"), small_item("g", "1", 2, "a")
    assert compare("m", {"1": one}, {"1": one}) is None
    lacking = compare("m", {"1": one}, {})
    changed = compare("m", {"1": one}, {"1": other})
    extra = compare("m", {}, {"1": one})
    assert lacking
    assert changed
    assert extra
    assert (lacking.lacking, changed.other, extra.unexpected) == (["1"], ["1"], ["1"])
    text = Arrival(3.0, (lacking, changed)).text("all")
    assert text == "after 3 s: m lacks 1 key: 1. m has another content of 1 key: 1"


def test_a_number_is_the_same_in_every_form_and_no_other() -> None:
    same = [{"n": {"N": text}} for text in ("1.50", "15E-1", "0001.5")]
    assert len({text_of(item) for item in same}) == 1
    digits = "1234567890.1234567890123456789012345678"
    assert text_of({"n": {"N": digits}}) != text_of({"n": {"N": digits[:-1] + "9"}})
    assert text_of({"n": {"N": "-1"}}) != text_of({"n": {"N": "1"}})
    assert text_of({"n": {"N": "10"}}) != text_of({"n": {"N": "1"}})


def test_every_type_of_attribute_is_in_the_typed_item_and_a_change_of_any_is_seen() -> None:
    item = typed_item("g", "1", 1, "a")
    kinds = {next(iter(value)) for value in item.values()}
    assert kinds == {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
    for name, value in item.items():
        other = {**item, name: {"S": f"{value}!"}}
        assert text_of(other) != text_of(item)


def test_a_large_item_has_its_size() -> None:
    item = sized_item("group-1", "trial-abcdef-us-east-1-390", 390, "trial-abcdef-us-east-1")
    size = sum(len(name) + len(str(next(iter(value.values())))) for name, value in item.items())
    assert 389 * 1_024 < size <= 390 * 1_024
