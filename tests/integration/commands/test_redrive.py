"""`automate.py redrive` on a ring that runs: what it lists, shows, plays again, and leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.output.screen import Screen
from local.cloudwatch import alarms
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import FailurePlace, failure_key, failure_record
from local.ring import LocalRing
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE, get, hop_from, item, put, ring_of
from tests.support.stream_records import record

AUTOMATE = PROJECT_ROOT / "automate.py"
HERE, THERE = "us-east-1", "eu-west-1"
INDEX: Any = {
    "IndexName": "by-coupon",
    "KeySchema": [{"AttributeName": "coupon", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
NULL: Any = {"coupon": {"NULL": True}}
LARGE = {"v": {"S": "x" * 404_950}}
"""With the ring's attributes it is too large for moto; without them it is not."""


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


@pytest.fixture
def ring(running: LocalRing) -> Iterator[LocalRing]:
    """A ring of two that is equal, with nothing in its quarantines."""
    yield running
    mend(running)
    redrive(running, "--all", "--yes")
    running.wait_until_quiet(PATIENCE)
    for bucket, s3 in buckets(running):
        for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=one["Key"])


def buckets(ring: LocalRing) -> list[tuple[str, Any]]:
    members = {hop.quarantine: ring.member(hop.source) for hop in ring.hops.values()}
    return [(name, one.clients.s3(one.region)) for name, one in members.items()]


def redrive(ring: LocalRing, *arguments: str, answer: str | None = None) -> Result:
    given = ["redrive", "--local", ring.endpoint, *arguments]
    return CliRunner().invoke(main, given, input=answer, catch_exceptions=False)


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def entries(ring: LocalRing) -> list[dict[str, Any]]:
    (only,) = told(redrive(ring, "--json"))["rings"]
    found: list[dict[str, Any]] = only["entries"]
    return found


def refuse(ring: LocalRing) -> None:
    """Let the second member refuse items whose coupon is null, by an index of its own."""
    ring.client(THERE).update_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "coupon", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": INDEX}],
    )


def mend(ring: LocalRing) -> None:
    """Take that index away, if it is there."""
    table = ring.client(THERE).describe_table(TableName="orders")["Table"]
    if table.get("GlobalSecondaryIndexes"):
        ring.client(THERE).update_table(
            TableName="orders",
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-coupon"}}],
        )


def set_aside(ring: LocalRing, *keys: str) -> None:
    """Write items that the second member refuses, and wait until they are in the quarantine."""
    refuse(ring)
    for key in keys:
        put(ring, HERE, item(key, **NULL))
    ring.wait_until_quiet(PATIENCE)
    assert all(get(ring, THERE, key) is None for key in keys)


def give_up(ring: LocalRing, *keys: str, **attributes: Any) -> None:
    """Have a batch of inserts lie where Lambda puts what it has given up."""
    hop, member = hop_from(ring, HERE), ring.member(HERE)
    function = hop.function.spec.arn
    records: tuple[Any, ...] = tuple(
        record(
            10**20 + number,
            Keys=item(key),
            NewImage=item(key, **attributes),
            ApproximateCreationDateTime=int(time.time()),
        )
        for number, key in enumerate(keys)
    )
    place = FailurePlace("11111111-2222-3333-4444-555555555555", function, "arn:s", "shardId-1")
    lost = AbandonedBatch(Batch(records, invocations=7), "RecordAgeExceeded")
    member.clients.s3(member.region).put_object(
        Bucket=hop.quarantine,
        Key=failure_key(place, time.time()),
        Body=json.dumps(failure_record(lost, place, time.time())),
    )


def test_where_nothing_is_set_aside_it_says_so_and_ends_with_0(ring: LocalRing) -> None:
    result = redrive(ring)
    assert (result.exit_code, "the quarantine is empty" in result.output) == (0, True)
    assert told(redrive(ring, "--json"))["ok"] is True
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_it_lists_what_is_set_aside_with_hop_key_reason_and_age(ring: LocalRing) -> None:
    set_aside(ring, "listed")
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
    assert abs(time.time() - entry["set_aside"]) < PATIENCE


def test_where_it_is_much_it_tells_how_far_it_has_read(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.quarantine.redrive._PROGRESS_EVERY", 2)
    set_aside(ring, "read first", "read second", "read third")
    result = redrive(ring, "--json")
    assert "2 of 3 read" in result.stderr
    assert len(told(result)["rings"][0]["entries"]) == 3


def test_it_shows_one_whole(ring: LocalRing) -> None:
    set_aside(ring, "shown")
    (entry,) = entries(ring)
    result = redrive(ring, "--show", entry["id"])
    assert result.exit_code == 0
    assert json.loads(result.output)["record"]["dynamodb"]["NewImage"] == item("shown", **NULL)
    assert told(redrive(ring, "--show", entry["id"], "--json"))["holds"]["key"] == item("shown")


def test_a_dry_run_tells_the_plan_and_plays_nothing(ring: LocalRing) -> None:
    set_aside(ring, "planned")
    mend(ring)
    result = redrive(ring, "--all", "--dry-run")
    assert result.exit_code == 0
    assert "would be 1 replicated: 1 write at eu-west-1, 0 here" in result.output
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "planned") is None
    assert len(entries(ring)) == 1


def test_what_was_mended_is_played_arrives_and_is_removed_and_again_is_no_harm(
    ring: LocalRing,
) -> None:
    set_aside(ring, "first", "second")
    mend(ring)
    result = redrive(ring, "--all", "--yes")
    assert result.exit_code == 0
    assert "[2/2] done" in result.output
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "first") == item("first", **NULL)
    assert ring.differences() == []
    assert entries(ring) == []
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_only_those_that_are_chosen_are_played(ring: LocalRing) -> None:
    set_aside(ring, "chosen", "other")
    mend(ring)
    (chosen,) = [one["id"] for one in entries(ring) if one["keys"] == [item("chosen")]]
    assert redrive(ring, chosen, "--yes").exit_code == 0
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, THERE, "chosen") == item("chosen", **NULL)
    assert get(ring, THERE, "other") is None
    assert [one["keys"] for one in entries(ring)] == [[item("other")]]
    assert redrive(ring, "--all", "--yes").exit_code == 0


def test_an_id_that_is_not_there_is_wrong_use_and_nothing_is_played(ring: LocalRing) -> None:
    set_aside(ring, "kept")
    (entry,) = entries(ring)
    result = redrive(ring, entry["id"], "quarantine/0.json", "--yes")
    assert result.exit_code == 2
    assert "quarantine/0.json: not in the quarantine" in result.output
    assert len(entries(ring)) == 1


def test_what_fails_again_stays_and_the_code_says_so(ring: LocalRing) -> None:
    set_aside(ring, "still refused")
    result = redrive(ring, "--all", "--yes", "--json")
    assert result.exit_code == 1
    (entry,) = told(result)["rings"][0]["entries"]
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
    assert result.exit_code == 1  # something is set aside still, under another name
    assert "quarantined by itself" in result.output
    assert {one["reason"] for one in entries(ring)} == {"too large"}
    put(ring, HERE, item("large", v={"S": "cured"}))
    ring.wait_until_quiet(PATIENCE)


def test_it_asks_and_a_no_plays_nothing(ring: LocalRing, monkeypatch: pytest.MonkeyPatch) -> None:
    set_aside(ring, "asked")
    mend(ring)
    monkeypatch.setattr(Screen, "is_interactive", True)  # as at a terminal
    refused = redrive(ring, "--all", answer="n\n")
    assert refused.exit_code == 1
    assert "would be 1 replicated" in refused.output
    assert len(entries(ring)) == 1
    assert redrive(ring, "--all", answer="y\n").exit_code == 0
    assert entries(ring) == []


def test_ctrl_c_finishes_the_entry_that_is_played_and_the_rest_stays(ring: LocalRing) -> None:
    keys = ["one", "two", "three"]
    set_aside(ring, *keys)
    mend(ring)
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


# arguments -> what is said about them
WRONG = {
    "nobody to ask": (("--all",), "pass --yes"),
    "ids and all": (("quarantine/1.json", "--all"), "Use only one of"),
    "show and all": (("--show", "quarantine/1.json", "--all"), "Use only one of"),
    "nothing to play": (("--yes",), "Select records to replay"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_told(ring: LocalRing, case: str) -> None:
    arguments, words = WRONG[case]
    result = redrive(ring, *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_a_stack_and_a_local_ring_at_once_are_wrong_use(ring: LocalRing) -> None:
    result = redrive(ring, "--stack", "dev")
    assert (result.exit_code, "leave --stack" in result.output) == (2, True)


def test_where_no_local_ring_is_that_is_told() -> None:
    result = CliRunner().invoke(main, ["redrive", "--local", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "No local ring at http://127.0.0.1:9" in result.output


def test_status_sees_a_local_ring_too(ring: LocalRing) -> None:
    set_aside(ring, "seen")
    result = CliRunner().invoke(main, ["status", "--local", ring.endpoint])
    assert result.exit_code == 1
    assert "1 object in the quarantine" in result.output


def test_status_names_an_alarm_that_rings_and_tells_it_to_scripts(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The ring would set the state back. An evaluation in progress ends before the next request.
    monkeypatch.setattr(alarms, "_evaluate", lambda *_: None)
    member = ring.member(HERE)
    cloudwatch = member.clients.cloudwatch(HERE)
    named = [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]]
    (name,) = [one for one in named if "-lags" in one]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test says so")
    status = ["status", "--local", ring.endpoint]
    words, document = (
        CliRunner().invoke(main, status),
        CliRunner().invoke(main, [*status, "--json"]),
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test says so")
    assert (words.exit_code, document.exit_code) == (1, 1)
    assert f"{name} is in ALARM" in words.output
    out, back = told(document)["rings"][0]["hops"]
    # What other tests here set aside may ring as well: the local ring judges its alarms itself.
    assert name in out["alarms"]
    assert back["alarms"] == []
