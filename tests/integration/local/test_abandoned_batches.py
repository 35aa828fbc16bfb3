"""What Lambda gives up, and how it comes back."""

from __future__ import annotations

import pytest

from local.endpoint.fault_injection import outage
from operate.quarantine.redrive import RedriveOptions, RedriveOutcome, redrive
from tests.support.local_rings import PATIENCE, get, hop_from, item, put, reach, ring_of, wait_for


@pytest.mark.long
def test_what_lambda_gave_up_in_an_outage_is_in_the_bucket_whole_and_a_redrive_replicates_it() -> (
    None
):
    with ring_of(2, function={"timeout": 2}, mapping={"retries": 0}) as ring:
        mapping = hop_from(ring, "us-east-1").mapping
        with ring.faults.inject(outage("eu-west-1")):
            with ring.paused():
                put(ring, "us-east-1", item("a", v={"S": "first"}))
                put(ring, "us-east-1", item("a", v={"S": "second"}))
            wait_for(ring, "us-east-1", lambda stats: stats.given_up == 2)
        assert mapping.stats().waiting == 0
        assert get(ring, "eu-west-1", "a") is None
        hop = reach(ring, "us-east-1")
        entries = list(hop.bucket.entries())
        assert sum(len(entry.records) for entry in entries) == 2
        played = redrive(hop, entries, RedriveOptions(dry_run=False))
        assert {one.outcome for one in played} == {RedriveOutcome.DONE}
        ring.wait_until_quiet(PATIENCE)
        assert ring.differences() == []
        assert get(ring, "eu-west-1", "a") == item("a", v={"S": "second"})
        assert list(hop.bucket.entries()) == []
