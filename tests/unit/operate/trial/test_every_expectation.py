"""Every expectation of a trial is seen to fail somewhere: here, or on the engine."""

from __future__ import annotations

import re

import pytest

from operate.monitoring.lag import HopLag, Percentiles
from operate.trial.leftovers import Leftovers
from operate.trial.steps.ends import judge_deployment, judge_leftovers
from operate.trial.steps.figures import (
    judge_alarms,
    judge_billed,
    judge_lag,
    judge_memory,
    judge_units,
)
from operate.trial.steps.invocations import Invocations
from operate.trial.steps.load import judge_accepted
from operate.trial.verdicts import Expectation, Verdict
from ring.project import PROJECT_ROOT

LATE = Percentiles(10, 1.0, 31.0, 40.0)
CALLS = Invocations(2, 0.1, 9.0, 0.0, 512, 512)
BROKEN = (
    judge_deployment(3, 3, 2, "69 resources"),
    judge_accepted(9, 10),
    judge_lag([HopLag("a", "b", LATE, LATE, None, None, None, heartbeat=False)]),
    judge_units(2_000.0, 1_000.0),
    judge_memory({"a -> b": CALLS}),
    judge_billed({"a -> b": CALLS}),
    judge_alarms({"ring-a-lags-1": "ALARM"}),
    judge_leftovers(Leftovers(("role ring-trial-1",), 10))[0],
)
"""Judged by figures alone."""
NEVER_FAIL = {"expiry.deleted", "destroy.all-seen"}
"""Only ever not judged."""
ON_THE_ENGINE = ("test_trial.py", "test_trial_broken.py")
_NAME = re.compile(
    r'"((?:deploy|load|order|concurrent|again|expiry|conflict|pause|poison|check|figures|destroy)'
    r'\.[a-z-]+)"'
)


def expectations() -> set[str]:
    """Return the names of all expectations in the steps' source."""
    steps = (PROJECT_ROOT / "operate" / "trial" / "steps").glob("*.py")
    return {name for file in steps for name in _NAME.findall(file.read_text())}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_an_expectation_fails_by_figures_that_are_wrong(broken: Expectation) -> None:
    assert broken.verdict is Verdict.FAILED


def test_each_expectation_has_a_test_in_which_it_fails() -> None:
    folder = PROJECT_ROOT / "tests" / "engine"
    on_the_engine = {
        name for file in ON_THE_ENGINE for name in _NAME.findall((folder / file).read_text())
    }
    found = expectations()
    assert len(found) > 30
    assert found - on_the_engine - {one.name for one in BROKEN} - NEVER_FAIL == set()
