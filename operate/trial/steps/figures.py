"""Steps that measure: lag, capacity units, billed time, alarms; and the comparison of all items."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil

from operate.monitoring.lag import HopLag, Percentiles, lag
from operate.reconcile.check import CheckOptions
from operate.table_operations import check
from operate.table_options import TableOptions
from operate.trial.context import Trial
from operate.trial.plan import TrialPlan
from operate.trial.steps.invocations import Invocations, invocations_of
from operate.trial.steps.trial_alarms import alarm_states
from operate.trial.steps.units import Units, expected_units, units_of
from operate.trial.verdicts import Cell, Expectation, Figures, StepResult

MAX_LAG = 30.0
"""Seconds: the p99 of a hop's lag under the trial's load, besides the batching windows before it.
The alarm's threshold is 300."""
MAX_UNITS = 1.25
"""Write units by the metrics, at the most, for one by the arithmetic: some records are delivered
again, and a refused write is a unit, too."""
MEMORY_SHARE = 0.8
"""Of a function's memory, at the most."""
_DOCS = "docs/explanation/performance.md"


def compare_all(trial: Trial) -> StepResult:
    """Compare all items of all members, as `automate.py check` does."""
    options = CheckOptions(settle_seconds=trial.patience.quiet, tombstones=_has_tombstones(trial))
    journal = trial.journal.folder / "comparison.sqlite"
    report = check(
        trial.ring,
        options,
        table_options=TableOptions(journal=journal, restart=True, stop=trial.stop),
    )
    result = report.result
    seen = (
        f"{result.compared:,} keys compared, {result.differing} differ, {result.changing} changing"
    )
    least = trial.load.inserts - trial.load.deletes + trial.load.types
    met = report.in_sync and result.compared >= least
    first = "; ".join(f"{one['kind']}: {one['key']}" for one in report.differences[:3])
    return StepResult(
        [
            Expectation.of(
                "check.in-sync",
                "`check` finds all members in sync, versions and tombstones included",
                f"{seen}. {first}" if first else seen,
                met,
            )
        ]
    )


def _has_tombstones(trial: Trial) -> bool:
    return all(member.tombstones for member in trial.members)


def figures(trial: Trial) -> StepResult:
    """Measure what the load took, from CloudWatch's metrics and the functions' log lines."""
    parts = [lags(trial), units(trial), billing(trial), other_alarms(trial)]
    return StepResult(
        [one for part in parts for one in part.expectations],
        [one for part in parts for one in part.figures],
    )


def max_lag(plan: TrialPlan) -> float:
    """Return the most that the p99 of the lag may be at the member furthest from a write."""
    settings = plan.parsed()
    return MAX_LAG + settings.mapping.batching_window * (len(settings.members) - 1)


def lags(trial: Trial) -> StepResult:
    """Measure the lag of each hop and lap during the load."""
    most = max_lag(trial.plan)
    window = trial.journal.notes("load")
    if not window:
        expectation = Expectation.not_judged(*_lag_expected(most), "there was no load")
        return StepResult([expectation])
    minutes = ceil((window["ended"] - window["began"]) / 60)
    until = datetime.fromtimestamp(window["ended"], UTC)
    found: list[HopLag] = []

    def is_measured() -> bool:
        found[:] = lag(trial.deployed, trial.clients, minutes, lambda: until)
        return all(hop.lag and hop.round_trip for hop in found)

    trial.wait(is_measured, trial.patience.metrics)
    return StepResult([judge_lag(found, most)], [_lag_figures(found)])


def _lag_expected(most: float) -> tuple[str, str]:
    return "figures.lag", f"p99 of the lag is at most {most:g} s at each member under the load"


def judge_lag(hops: Sequence[HopLag], most: float = MAX_LAG) -> Expectation:
    """Judge the lag of all hops."""
    name, expected = _lag_expected(most)
    silent = [f"{hop.source} -> {hop.target}" for hop in hops if hop.lag is None]
    if silent or not hops:
        why = f"not reported here by {', '.join(silent) or 'any hop'}"
        return Expectation.not_judged(name, expected, why)
    worst = max(hops, key=lambda hop: hop.lag.p99 if hop.lag else 0.0)
    assert worst.lag
    seen = f"the worst is {worst.lag.p99:.1f} s, at {worst.target}"
    return Expectation.of(name, expected, seen, worst.lag.p99 <= most)


def _lag_figures(hops: Sequence[HopLag]) -> Figures:
    rows: list[Sequence[Cell]] = []
    for hop in hops:
        rows.append((f"{hop.source} -> {hop.target}", *_cells(hop.lag)))
        rows.append((f"lap, from {hop.target} to {hop.target}", *_cells(hop.round_trip)))
    return Figures(
        "Lag during the load, in seconds",
        ("hop", "writes", "p50", "p99", "most"),
        rows,
        "From the write at its origin, by the metrics of the hops. DynamoDB gives whole seconds.",
    )


def _cells(values: Percentiles | None) -> tuple[Cell, ...]:
    if values is None:
        return (None, None, None, None)
    return (values.count, round(values.p50, 1), round(values.p99, 1), round(values.max, 1))


def units(trial: Trial) -> StepResult:
    """Compare the tables' consumed write units during the load with the documented arithmetic."""
    notes = trial.journal.notes("load")
    if not notes:
        return StepResult([judge_units(None, 0.0)])
    expected = expected_units(trial.plan, notes)
    window = (float(notes["began"]), float(notes["ended"]))
    measured: list[Units] = []

    def is_measured() -> bool:
        before = list(measured)
        measured[:] = units_of(trial, window)
        total = sum(one.writes or 0.0 for one in measured)
        return measured == before and total >= 0.95 * expected

    trial.wait(is_measured, trial.patience.metrics)
    rows = [(one.member, one.table, one.writes, one.reads) for one in measured]
    reported = [one.writes for one in measured if one.writes is not None]
    total = sum(reported) if reported else None
    table = Figures(
        "Consumed capacity units during the load, by the tables' own metrics",
        ("member", "table", "writes", "reads"),
        [*rows, ("all", f"by {_DOCS}", round(expected, 1), "")],
        "Reads include those of the trial itself, which looks whether all has arrived.",
    )
    return StepResult([judge_units(total, expected)], [table])


def judge_units(measured: float | None, expected: float) -> Expectation:
    """Judge the write units of all tables together."""
    name = "figures.units"
    text = (
        f"The tables take the write units that {_DOCS} says, and {MAX_UNITS - 1:.0%} more at most"
    )
    if not measured:
        return Expectation.not_judged(name, text, "consumed units are not reported here")
    seen = f"{measured:,.0f} units, {measured / expected:.2f} times the {expected:,.0f} of the docs"
    return Expectation.of(name, text, seen, 0.95 * expected <= measured <= MAX_UNITS * expected)


def billing(trial: Trial) -> StepResult:
    """Sum up the functions' REPORT lines since the load began."""
    began = float(trial.journal.notes("load").get("began", time.time()))
    found: dict[str, Invocations] = {}

    def is_reported() -> bool:
        found.update(invocations_of(trial, began))
        return all(one.number for one in found.values())

    trial.wait(is_reported, trial.patience.metrics)
    rows = [(hop, *one.cells()) for hop, one in found.items()]
    table = Figures(
        "The functions, by their REPORT lines since the load began",
        ("hop", "calls", "seconds", "billed s", "ms a call", "MB used", "of MB"),
        rows,
        f"{_DOCS}: 45 to 227 MB, the larger for batches of 10,000; 187 to 609 ms for 500 records "
        "at 512 MB and 20 ms of round trip.",
    )
    return StepResult([judge_memory(found), judge_billed(found)], [table])


def judge_memory(found: Mapping[str, Invocations]) -> Expectation:
    """Judge how much of its memory a function uses."""
    name, text = "figures.memory", f"A function uses at most {MEMORY_SHARE:.0%} of its memory"
    known = {hop: one for hop, one in found.items() if one.memory_used and one.memory_size}
    if not found or len(known) < len(found):
        return Expectation.not_judged(name, text, "memory is not reported here")
    hop, worst = max(known.items(), key=lambda pair: pair[1].memory_share)
    seen = f"{worst.memory_used} of {worst.memory_size} MB at most, by {hop}"
    return Expectation.of(name, text, seen, worst.memory_share <= MEMORY_SHARE)


def judge_billed(found: Mapping[str, Invocations]) -> Expectation:
    """Judge whether the billed time is that of the invocations, with little more for the starts."""
    name, text = (
        "figures.billed",
        "Billed is the time of the calls: each up to 1 ms more, and starts",
    )
    if not found or any(one.billed is None for one in found.values()):
        return Expectation.not_judged(name, text, "billed time is not reported here")
    billed = sum(one.billed or 0.0 for one in found.values())
    most = sum(one.seconds + one.init + 0.002 * one.number for one in found.values())
    return Expectation.of(name, text, f"{billed:.1f} s billed of {most:.1f} s", billed <= most)


def other_alarms(trial: Trial) -> StepResult:
    """Expect no alarm but that of the quarantine to be in state ALARM."""
    states = alarm_states(trial)
    return StepResult([judge_alarms(states)])


def judge_alarms(states: Mapping[str, str]) -> Expectation:
    """Judge the states of all alarms at the end; the quarantine's two go off by the poison.

    One does each time, the other if S3 counts the bucket's objects meanwhile: once a day.
    """
    name, text = "figures.alarms", "No other alarm has gone off"
    if not states:
        return Expectation.not_judged(name, text, "the ring has no alarms")
    wrong = [one for one, state in states.items() if state == "ALARM" and "-quarantine" not in one]
    unknown = sum(state == "INSUFFICIENT_DATA" for state in states.values())
    if not wrong and unknown == len(states):
        return Expectation.not_judged(name, text, "no alarm has data here")
    seen = ", ".join(wrong) or f"none of {len(states)}, of which {unknown} have no data"
    return Expectation.of(name, text, seen, not wrong)
