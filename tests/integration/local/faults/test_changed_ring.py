"""Faults of a ring whose settings change meanwhile, and of two members in one region."""

from __future__ import annotations

import pytest

from local.faults.fault import FaultError, FaultRequest
from tests.support.local_rings import PATIENCE, get, item, put, ring_of, wait_for

FIRST, SECOND, THIRD = "us-east-1", "eu-west-1", "ap-southeast-2"
MEMBERS = [
    {"region": FIRST},
    {"region": SECOND},
    {"region": THIRD},
    {"region": FIRST, "table": "two", "name": "two"},
]


def test_a_fault_is_of_all_hops_there_whichever_member_was_named_and_which_start_later() -> None:
    with ring_of(4, members=MEMBERS) as ring:
        faults = ring.active_faults
        faults.start(FaultRequest("outage", FIRST, seconds=600.0))
        with pytest.raises(FaultError, match=f"already: {FIRST} does not answer"):
            faults.start(FaultRequest("outage", "two"))
        faults.clear()

        faults.start(FaultRequest("delay", FIRST, 600.0, 600.0))
        bypassed = [MEMBERS[0], {**MEMBERS[1], "state": "bypassed"}, *MEMBERS[2:]]
        ring.change({**ring.stack.settings, "members": bypassed})
        put(ring, FIRST, item("late"))
        wait_for(ring, FIRST, lambda stats: stats.waiting == 1)
        faults.clear()
        ring.wait_until_quiet(PATIENCE)
        assert get(ring, THIRD, "late") == item("late")
