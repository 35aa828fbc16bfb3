"""What a fault may be, and what is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from local.faults.fault import ActiveFault, FaultError, FaultRequest


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"kind": "earthquake", "target": "a"}, "'earthquake' is no fault"),
        ({"kind": "outage"}, '"kind" and a "target"'),
        ([], '"kind" and a "target"'),
        ({"kind": "outage", "target": "a", "value": 1}, "has no value"),
        ({"kind": "throttle", "target": "a"}, "needs a value: SHARE"),
        ({"kind": "throttle", "target": "a", "value": 1.5}, "SHARE must be"),
        ({"kind": "throttle", "target": "a", "value": "half"}, "must be a number"),
        ({"kind": "delay", "target": "a", "value": -1}, "SECONDS must be"),
        ({"kind": "delay", "target": "a", "value": float("nan")}, "SECONDS must be"),
        ({"kind": "outage", "target": "a", "seconds": 0}, "more than 0 seconds"),
        ({"kind": "outage", "target": "a", "seconds": True}, "must be a number"),
        ({"kind": "outage", "target": "a", "until": 5}, "has no until"),
    ],
)
def test_what_is_no_fault_is_refused_with_the_reason(document: Any, reason: str) -> None:
    with pytest.raises(FaultError, match=reason):
        FaultRequest.from_document(document)


def test_a_fault_lasts_a_minute_unless_it_says_otherwise() -> None:
    assert FaultRequest.from_document({"kind": "outage", "target": "a"}).seconds == 60
    assert FaultRequest("outage", "a", seconds=5).seconds == 5


def test_the_remaining_time_of_a_fault_is_never_negative() -> None:
    fault = ActiveFault("1", "throttle", "a", "us-east-1", 0.5, 100.0, 160.0)
    assert fault.document(110.0)["remaining"] == 50
    assert fault.document(200.0)["remaining"] == 0
    assert fault.text == "us-east-1 throttles 50% of the requests to its tables"
