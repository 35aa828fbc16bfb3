"""Why a record is held back, in words that say what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from operate.quarantine.bucket import Entry
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, redrive

WEEK = 7 * 24 * 60 * 60


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        ({"ApproximateCreationDateTime": 1.0}, "and this is older:"),
        ({}, "and it does not say when it was made:"),
    ],
)
def test_a_held_record_names_its_reason_and_the_option(stream: dict[str, Any], why: str) -> None:
    entry = Entry("quarantine/1.json", "a", "t", "r", "e", 1.0, ({"dynamodb": stream},), {})
    reach: Any = SimpleNamespace(settings=SimpleNamespace(source=SimpleNamespace(retention=WEEK)))
    options = RedriveOptions(dry_run=False, now=lambda: 2.0 * WEEK)
    (result,) = redrive(reach, [entry], options)
    assert result.outcome is RedriveOutcome.HELD
    assert why in result.why
    assert "--ignore-retention" in result.why
