"""`automate.py redrive` on a ring that runs: what it lists, shows, plays again, and leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from commands.output.screen import Screen
from local.ring import LocalRing
from operate.quarantine.catalogue import RedriveList
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE, get, item, put
from tests.support.quarantined_ring import (
    HERE,
    LARGE,
    NULL,
    THERE,
    buckets,
    drop_index,
    entries,
    give_up,
    output_of,
    quarantine_items,
    redrive,
)

AUTOMATE = PROJECT_ROOT / "automate.py"


def test_where_nothing_is_quarantined_it_says_so_and_ends_with_0(ring: LocalRing) -> None:
    result = redrive(ring)
    assert (result.exit_code, "the quarantine is empty" in result.output) == (0, True)
    assert output_of(redrive(ring, "--json"))["ok"] is True
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_it_lists_what_is_quarantined_with_hop_key_reason_and_age(ring: LocalRing) -> None:
    quarantine_items(ring, "listed")
    result = redrive(ring)
    assert result.exit_code == 1
    row = next(line for line in result.output.splitlines() if "quarantine/" in line)
    assert "us-east-1/orders -> eu-west-1/orders" in row
    assert 'id="listed"' in row
    assert "refused" in row
    assert row.rstrip().endswith(" s")
    (entry,) = entries(ring)
    assert (entry["table"], entry["keys"], entry["reason"]) == (
        "orders",
        [item("listed")],
        "refused",
    )
    assert "Type mismatch for Index Key" in entry["error"]
    assert abs(time.time() - entry["quarantined_at"]) < PATIENCE


def test_where_it_is_much_it_shows_how_far_it_has_read(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.quarantine.redrive._PROGRESS_EVERY", 2)
    quarantine_items(ring, "read first", "read second", "read third")
    result = redrive(ring, "--json")
    assert "2 of 3 read" in result.stderr
    assert len(output_of(result)["rings"][0]["entries"]) == 3


def test_it_shows_one_whole(ring: LocalRing) -> None:
    quarantine_items(ring, "shown")
    (entry,) = entries(ring)
    result = redrive(ring, "--show", entry["id"])
    assert result.exit_code == 0
    assert json.loads(result.output)["record"]["dynamodb"]["NewImage"] == item("shown", **NULL)
    assert output_of(redrive(ring, "--show", entry["id"], "--json"))["holds"]["key"] == item(
        "shown"
    )


def test_a_dry_run_shows_the_plan_and_plays_nothing(ring: LocalRing) -> None:
    quarantine_items(ring, "planned")
    drop_index(ring)
    result = redrive(ring, "--all", "--dry-run")
    assert result.exit_code == 0
    assert "if replayed: done: " in result.output
    assert "1 replicated: 1 write at eu-west-1, 0 here" in result.output
    assert "if replayed: 1 done, 0 held, 0 failed, 0 left." in result.output
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "planned") is None
    assert len(entries(ring)) == 1


def test_what_was_repaired_is_played_arrives_and_is_removed_and_again_is_no_harm(
    ring: LocalRing,
) -> None:
    quarantine_items(ring, "first", "second")
    drop_index(ring)
    result = redrive(ring, "--all", "--yes")
    assert result.exit_code == 0
    assert "[2/2] done" in result.output
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "first") == item("first", **NULL)
    assert ring.differences() == []
    assert entries(ring) == []
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_only_those_that_are_chosen_are_played(ring: LocalRing) -> None:
    quarantine_items(ring, "chosen", "other")
    drop_index(ring)
    (chosen,) = [one["id"] for one in entries(ring) if one["keys"] == [item("chosen")]]
    assert redrive(ring, chosen, "--yes").exit_code == 0
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "chosen") == item("chosen", **NULL)
    assert get(ring, THERE, "other") is None
    assert [one["keys"] for one in entries(ring)] == [[item("other")]]
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_an_id_that_is_not_there_is_wrong_use_and_nothing_is_played(ring: LocalRing) -> None:
    quarantine_items(ring, "kept")
    (entry,) = entries(ring)
    result = redrive(ring, entry["id"], "quarantine/0.json", "--yes")
    assert result.exit_code == 2
    assert "quarantine/0.json: not in the quarantine" in result.output
    assert len(entries(ring)) == 1


def test_what_fails_again_stays_and_the_code_says_so(ring: LocalRing) -> None:
    quarantine_items(ring, "still refused")
    result = redrive(ring, "--all", "--yes", "--json")
    assert result.exit_code == 1
    (entry,) = output_of(result)["rings"][0]["entries"]
    assert entry["became"] == "failed"
    assert "Type mismatch" in entry["why"]
    assert len(entries(ring)) == 1


def test_poison_in_a_batch_that_lambda_gave_up_stays_as_an_entry_of_its_own(
    ring: LocalRing,
) -> None:
    put(ring, HERE, item("large", **LARGE))  # so that both ends can be compared
    ring.wait_until_quiet(PATIENCE)
    assert [one["reason"] for one in entries(ring)] == ["too large"]
    give_up(ring, "small", v={"S": "1"})
    give_up(ring, "large", **LARGE)
    listed = entries(ring)
    assert sorted(one["reason"] for one in listed) == [
        "RecordAgeExceeded",
        "RecordAgeExceeded",
        "too large",
    ]
    assert {one["hop"] for one in listed} == {"us-east-1/orders -> eu-west-1/orders"}
    batches = [one["id"] for one in listed if one["reason"] == "RecordAgeExceeded"]
    result = redrive(ring, *batches, "--yes")
    assert result.exit_code == 1  # something is quarantined still, under another name
    assert "quarantined by itself" in result.output
    assert {one["reason"] for one in entries(ring)} == {"too large"}
    put(ring, HERE, item("large", v={"S": "cured"}))
    ring.wait_until_quiet(PATIENCE)


def test_it_asks_and_a_no_plays_nothing(ring: LocalRing, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine_items(ring, "asked")
    drop_index(ring)
    monkeypatch.setattr(Screen, "is_interactive", True)  # as at a terminal
    refused = redrive(ring, "--all", answer="n\n")
    assert refused.exit_code == 1
    assert "if replayed: 1 done" in refused.output
    assert len(entries(ring)) == 1
    assert redrive(ring, "--all", answer="y\n").exit_code == 0
    assert entries(ring) == []


def test_if_none_can_be_replayed_it_says_so_and_does_not_ask(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name, s3), *_ = buckets(ring)
    s3.put_object(Bucket=name, Key="quarantine/0.json", Body=b"no JSON")
    monkeypatch.setattr(Screen, "is_interactive", True)  # as at a terminal
    result = redrive(ring, "--all")
    s3.delete_object(Bucket=name, Key="quarantine/0.json")
    assert result.exit_code == 1
    assert "there is no record in it" in result.output
    assert "None of these records can be replayed now." in result.output
    assert "There is nothing to replay" not in result.output
    assert "There is nothing to replay." in redrive(ring, "--all").output


@pytest.mark.long
def test_where_the_target_is_lost_meanwhile_it_says_so_once_for_all_entries(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine_items(ring, "unreached", "unreached, too")
    replay = RedriveList.redrive

    def replay_in_outage(*arguments: Any) -> None:
        with ring.faults.lose(THERE):
            replay(*arguments)

    monkeypatch.setattr(RedriveList, "redrive", replay_in_outage)
    tried = redrive(ring, "--all", "--yes")
    assert (tried.exit_code, tried.output.count(f"{THERE} does not answer")) == (1, 1)
    assert "2 failed" in tried.output


def test_ctrl_c_finishes_the_entry_that_is_played_and_the_rest_stays(ring: LocalRing) -> None:
    keys = ["one", "two", "three"]
    quarantine_items(ring, *keys)
    drop_index(ring)
    begun, go_on = threading.Event(), threading.Event()

    def held(region: str, operation: str) -> None:
        if (region, operation) == (THERE, "PutItem"):
            begun.set()
            go_on.wait(PATIENCE)

    command = [sys.executable, str(AUTOMATE), "redrive", "--local", ring.endpoint, "--all", "--yes"]
    with (
        ring.faults.inject(held),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playing,
    ):
        try:
            assert begun.wait(PATIENCE), "nothing was played"
            playing.send_signal(signal.SIGINT)
            assert playing.stdout
            said = []
            for line in playing.stdout:
                said.append(line)
                if line.startswith("Stopping"):
                    go_on.set()
        finally:
            go_on.set()
            playing.kill()
    assert playing.returncode == 1
    assert "1 done, 0 held, 0 failed, 2 left" in "".join(said)
    assert len(entries(ring)) == 2
    assert redrive(ring, "--all", "--yes").exit_code == 0
    ring.wait_until_quiet(PATIENCE)
    assert [get(ring, THERE, key) for key in keys] == [item(key, **NULL) for key in keys]
