"""What was quarantined or given up is listed, shown and played again, while the ring goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import boto3
import pytest

from handler.config import HopConfig, HopConfigError
from operate.hop_settings import settings_of
from operate.quarantine.bucket import NoSuchEntryError
from operate.quarantine.redrive import HopAccess, RedriveOptions, RedriveOutcome, redrive
from tests.support.lambda_functions import (
    KEY,
    QUARANTINE,
    REGIONS,
    TABLE,
    TOMBSTONES,
    Ring,
    environment,
)
from tests.support.quarantined_entries import (
    LARGE,
    PLAY,
    TRY,
    item,
    listed,
    quarantine_insert,
)


def test_what_is_quarantined_is_listed_with_table_key_reason_hop_and_time(
    ring: Ring, reach: HopAccess
) -> None:
    quarantine_insert(ring)
    (entry,) = listed(reach)
    assert (entry.table, entry.keys, entry.reason) == (TABLE, [KEY], "too large")
    assert entry.hop == "us-east-1/orders -> eu-west-1/orders"
    assert "that day" in entry.error
    assert entry.time is not None
    assert abs(time.time() - entry.time) < 60


def test_one_is_shown_whole_and_none_that_is_not_there(ring: Ring, reach: HopAccess) -> None:
    lost = quarantine_insert(ring)
    (entry,) = listed(reach)
    assert reach.bucket.entry(entry.id).document["record"] == lost
    with pytest.raises(NoSuchEntryError, match="is not in the quarantine"):
        reach.bucket.entry("quarantine/0.json")


def test_what_fits_by_now_is_played_goes_around_and_is_removed(
    ring: Ring, reach: HopAccess
) -> None:
    quarantine_insert(ring)
    assert [one.outcome for one in redrive(reach, listed(reach), PLAY)] == [RedriveOutcome.DONE]
    assert listed(reach) == []
    ring.go_round()
    assert ring.equal() == [item("lost")]


def test_a_dry_run_shows_what_would_be_and_changes_nothing(ring: Ring, reach: HopAccess) -> None:
    quarantine_insert(ring)
    ring.calls.writes.clear()
    (would,) = redrive(reach, listed(reach), TRY)
    assert would.outcome is RedriveOutcome.DONE
    assert would.why == "1 replicated: 1 write at eu-west-1, 0 here"
    assert ring.members[1].items() == []
    assert len(listed(reach)) == 1


def test_a_later_good_write_wins_and_a_redrive_does_not_undo_it(
    ring: Ring, reach: HopAccess
) -> None:
    quarantine_insert(ring, "old")
    ring.members[0].put(item("new"))
    ring.go_round()
    assert ring.equal() == [item("new")]
    (would,) = redrive(reach, listed(reach), TRY)
    assert would.why == "1 refused: 0 writes at eu-west-1, 0 here"
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.DONE
    ring.go_round()
    assert ring.equal() == [item("new")]
    assert listed(reach) == []


def test_what_the_table_refuses_still_goes_when_something_newer_is_there(
    ring: Ring, reach: HopAccess
) -> None:
    """A table looks at an item's size before it looks at the condition."""
    ring.members[0].put(item(LARGE))
    ring.hop(0)
    ring.members[0].put(item("new"))
    ring.go_round()
    (played,) = redrive(reach, listed(reach), PLAY)
    assert (played.outcome, played.why) == (RedriveOutcome.DONE, "1 refused")
    assert listed(reach) == []
    assert ring.equal() == [item("new")]


def test_a_later_delete_stays_too(ring: Ring, reach: HopAccess) -> None:
    quarantine_insert(ring, "old")
    ring.members[0].client.delete_item(TableName=TABLE, Key=KEY)
    ring.go_round()
    assert [one.outcome for one in redrive(reach, listed(reach), PLAY)] == [RedriveOutcome.DONE]
    ring.go_round()
    assert ring.equal() == []


def test_what_arrived_here_meanwhile_and_is_older_yields_at_this_end_too(
    ring: Ring, reach: HopAccess
) -> None:
    """The later write is in the quarantine when the earlier one takes its item's place."""
    ring.members[1].put(item("earlier"))
    quarantine_insert(ring, "later", seconds=5)
    ring.go_round()
    assert ring.equal() == [item("earlier")]
    assert [one.outcome for one in redrive(reach, listed(reach), PLAY)] == [RedriveOutcome.DONE]
    ring.go_round()
    assert ring.equal() == [item("later")]


def test_a_redrive_can_be_done_again(ring: Ring, reach: HopAccess) -> None:
    quarantine_insert(ring)
    entries = listed(reach)
    for _ in range(2):
        assert [one.outcome for one in redrive(reach, entries, PLAY)] == [RedriveOutcome.DONE]
    ring.go_round()
    assert ring.equal() == [item("lost")]


def test_what_fails_again_stays_and_says_why(ring: Ring, reach: HopAccess) -> None:
    ring.members[0].put(item(LARGE))
    ring.hop(0)
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.FAILED
    assert "ItemTooLargeError" in played.why
    assert len(listed(reach)) == 1


def test_what_is_older_than_deletes_are_remembered_is_held_unless_one_insists(
    ring: Ring, reach: HopAccess
) -> None:
    quarantine_insert(ring)
    later = time.time() + 8 * 24 * 60 * 60
    held = RedriveOptions(dry_run=False, now=lambda: later)
    (played,) = redrive(reach, listed(reach), held)
    assert played.outcome is RedriveOutcome.HELD
    assert "deletes are remembered for 7 days" in played.why
    assert len(listed(reach)) == 1
    insists = RedriveOptions(dry_run=False, ignore_retention=True, now=lambda: later)
    (played,) = redrive(reach, listed(reach), insists)
    assert played.outcome is RedriveOutcome.DONE


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("quarantine/1.json", b"\xff no JSON"),
        ("quarantine/2.json", b"{}"),
        ("aws/lambda/m/s/2026/01/01/x", b'{"payload": []}'),
    ],
)
def test_an_object_that_cannot_be_understood_is_listed_and_left(
    ring: Ring, reach: HopAccess, name: str, body: bytes
) -> None:
    ring.s3.put_object(Bucket=QUARANTINE, Key=name, Body=body)
    (entry,) = listed(reach)
    assert (entry.reason, entry.records) == ("not understood", ())
    (played,) = redrive(reach, [entry], PLAY)
    assert played.outcome is RedriveOutcome.FAILED
    assert [one.id for one in listed(reach)] == [name]


def test_what_others_keep_in_the_bucket_is_no_entry(ring: Ring, reach: HopAccess) -> None:
    ring.s3.put_object(Bucket=QUARANTINE, Key="notes.txt", Body=b"mine")
    assert listed(reach) == []


def test_one_entry_that_fails_holds_up_no_other(ring: Ring, reach: HopAccess) -> None:
    ring.s3.put_object(Bucket=QUARANTINE, Key="quarantine/0.json", Body=b"?")
    quarantine_insert(ring)
    became = [one.outcome for one in redrive(reach, listed(reach), PLAY)]
    assert sorted(became) == [RedriveOutcome.DONE, RedriveOutcome.FAILED]
    assert len(listed(reach)) == 1


def test_without_tombstones_everything_is_held(ring: Ring) -> None:
    variables = {
        name: value
        for name, value in environment(0, 1).items()
        if "TOMBSTONES" not in name and "RETENTION" not in name
    }
    here, there, _ = (member.client for member in ring.members)
    reach = HopAccess(HopConfig.read(variables), ring.s3, here, there)
    quarantine_insert(ring)
    (played,) = redrive(reach, listed(reach), PLAY)
    assert played.outcome is RedriveOutcome.HELD
    assert "deletes are not remembered" in played.why


def made_function(variables: dict[str, str]) -> Any:
    client: Any = boto3.client("iam")
    role = client.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions: Any = boto3.client("lambda", region_name=REGIONS[0])
    functions.create_function(
        FunctionName="hop",
        Role=role,
        Runtime="python3.13",
        Handler="handler.app.handle",
        Code={"ZipFile": b"none"},
        Environment={"Variables": variables},
    )
    return functions


def test_a_hops_settings_are_those_of_its_function(ring: Ring) -> None:
    variables = environment(0, 1)
    del variables["RING_QUARANTINE_OWNER"]  # as an earlier version deployed it
    found = settings_of(made_function(variables), "hop")
    assert found == replace(HopConfig.read(variables), quarantine_owner="123456789012")
    assert settings_of(boto3.client("lambda", region_name=REGIONS[0]), "hop").source.tombstones == (
        TOMBSTONES
    )


def test_a_function_that_is_no_hop_is_reported(ring: Ring) -> None:
    with pytest.raises(HopConfigError, match="RING_SOURCE_REGION is missing"):
        settings_of(made_function({}), "hop")
