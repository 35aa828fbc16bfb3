"""Members that differ are repaired, while applications write and hops run."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.output.screen import Screen
from handler.model.image import Image, replicated_write
from handler.protocol.apply import Superseded, apply_write
from local.endpoint.fault_injection import throttling
from local.ring import LocalRing
from operate import check_run
from operate.errors import OperationFailedError
from operate.reconcile.check import CheckOptions, check
from operate.reconcile.check_result import CHANGING, CheckResult
from operate.reconcile.journal import Journal
from operate.reconcile.repair import repair
from operate.stop import Stop, StoppedError
from tests.support.local_rings import PATIENCE, REGIONS, get, item, put, ring_of
from tests.support.whole_tables import lead_to, reached, unseen, writing

FIRST, SECOND, THIRD = REGIONS[:3]


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(3) as three:
        yield three


@pytest.fixture
def ring(running: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalRing:
    lead_to(running, monkeypatch, tmp_path)
    for number in range(30):
        put(running, REGIONS[number % 3], item(f"k{number}", v={"S": "first"}))
    running.wait_until_quiet(PATIENCE)
    return running


def command(*arguments: str) -> Result:
    given = ("repair", "--stack", "dev", "--settle-seconds", "0.1", *arguments)
    return CliRunner().invoke(main, given)


def outcome(*arguments: str) -> dict[str, Any]:
    (one,) = json.loads(command(*arguments, "--json").stdout)["rings"]
    return dict(one)


def spoil(ring: LocalRing) -> None:
    """Let a member lose items, have an older one, and never have received a delete."""
    with unseen(ring):
        for key in ("k1", "k4", "k7"):
            ring.client(FIRST).delete_item(TableName="orders", Key=item(key))
        put(ring, THIRD, item("k2", v={"S": "never sent"}))


def test_a_key_that_changes_at_every_read_is_no_success(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operate.check_run.check", _found_changing)
    result = command("--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)
    text = command("--yes").output
    assert "changed at every read" in text


def _found_changing(_members: Any, journal: Journal, *_: Any) -> CheckResult:
    journal.add_results([('[{"S":"k1"}]', [], CHANGING)])
    return CheckResult(30, journal.counts())


def test_a_dry_run_shows_what_would_be_done_and_changes_nothing(ring: LocalRing) -> None:
    spoil(ring)
    result = command("--dry-run")
    assert result.exit_code == 1
    assert "3 keys would be repaired: 3 at us-east-1." in result.output
    assert "1 key would be skipped:" in result.output
    assert "`automate.py redrive --all`" in result.output
    assert "`repair --prefer NAME`" in result.output
    assert get(ring, FIRST, "k1") is None


def test_what_is_not_shown_is_found_by_a_check(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_run, "_MAX_DIFFERENCES", 1)
    spoil(ring)
    assert "and 3 more: write them all with `check --report FILE`." in command("--dry-run").output


def test_the_newest_version_wins_and_what_has_none_is_left(ring: LocalRing) -> None:
    spoil(ring)
    done = outcome("--yes")
    assert (done["repaired"], done["skipped"], done["writes"]) == (3, 1, {FIRST: 3})
    assert done["skipped_keys"][0]["key"] == {"id": {"S": "k2"}}
    ring.wait_until_quiet(PATIENCE)
    for key in ("k1", "k4", "k7"):
        assert get(ring, FIRST, key) == item(key, v={"S": "first"})
    assert [one.key["id"]["S"] for one in ring.differences()] == ["k2"]


@pytest.mark.parametrize(("preferred", "value"), [(THIRD, "never sent"), (FIRST, "first")])
def test_what_has_no_version_wins_or_loses_by_the_operators_word(
    ring: LocalRing, preferred: str, value: str
) -> None:
    spoil(ring)
    result = command("--yes", "--prefer", preferred)
    assert result.exit_code == 0
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    assert {str(get(ring, word, "k2")) for word in REGIONS[:3]} == {str(item("k2", v={"S": value}))}


def test_a_delete_that_did_not_arrive_is_copied_with_its_tombstone(ring: LocalRing) -> None:
    copy = ring.client(SECOND).get_item(TableName="orders", Key=item("k3"))["Item"]
    ring.client(FIRST).delete_item(TableName="orders", Key=item("k3"))
    ring.wait_until_quiet(PATIENCE)
    with unseen(ring):
        ring.client(SECOND).put_item(TableName="orders", Item=copy)
    assert outcome("--dry-run")["kinds"] == {"older than its tombstone": 1}
    assert command("--yes").exit_code == 0
    ring.wait_until_quiet(PATIENCE)
    assert get(ring, SECOND, "k3") is None
    assert ring.differences() == []


@pytest.mark.parametrize("mode", [(), pytest.param(("--pairwise",), marks=pytest.mark.long)])
def test_a_delete_that_a_member_does_not_know_of_is_copied_and_keeps_late_writes_out(
    ring: LocalRing, mode: tuple[str, ...]
) -> None:
    late = ring.client(SECOND).get_item(TableName="orders", Key=item("k6"))["Item"]
    ring.client(FIRST).delete_item(TableName="orders", Key=item("k6"))
    ring.wait_until_quiet(PATIENCE)
    (_, tombstones) = sorted(ring.client(THIRD).list_tables()["TableNames"])
    ring.client(THIRD).delete_item(TableName=tombstones, Key=item("k6"))
    done = outcome("--tombstones", "--yes", *mode)
    assert (done["repaired"], done["writes"]) == (1, {THIRD: 1})
    ring.wait_until_quiet(PATIENCE)
    write, (_, _, third) = replicated_write(Image(late)), reached(ring)
    assert write is not None
    with ThreadPoolExecutor(1) as pool:
        came = asyncio.run(apply_write(third.open_store(pool), item("k6"), write, expected=False))
    assert isinstance(came, Superseded)
    assert outcome("--tombstones", "--yes", *mode)["differing"] == 0


@pytest.mark.long
@pytest.mark.parametrize("mode", [(), ("--pairwise",)])
def test_pairwise_segments_find_the_same_to_repair(ring: LocalRing, mode: tuple[str, ...]) -> None:
    spoil(ring)
    done = outcome("--yes", *mode)
    assert (done["repaired"], done["skipped"], done["writes"]) == (3, 1, {FIRST: 3})
    ring.wait_until_quiet(PATIENCE)
    assert [one.key["id"]["S"] for one in ring.differences()] == ["k2"]


def test_an_equal_ring_has_nothing_to_do(ring: LocalRing) -> None:
    result = command("--yes")
    assert (result.exit_code, "Nothing to do." in result.output) == (0, True)


def test_it_wants_a_yes_where_nobody_can_be_asked(ring: LocalRing) -> None:
    result = command()
    assert (result.exit_code, "pass --yes" in result.stderr) == (2, True)


def lose(ring: LocalRing, *keys: str) -> None:
    with unseen(ring):
        for key in keys:
            ring.client(FIRST).delete_item(TableName="orders", Key=item(key))


def test_who_says_no_and_comes_back_is_shown_what_differs_by_then(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(ring, "k1")
    with monkeypatch.context() as terminal:
        terminal.setattr(Screen, "is_interactive", True)
        asked = CliRunner().invoke(
            main, ("repair", "--stack", "dev", "--settle-seconds", "0.1"), input="n\n"
        )
    assert "1 differs" in asked.output
    assert "Nothing was changed." in asked.output
    lose(ring, "k2", "k3")
    assert outcome("--yes")["repaired"] == 3
    assert ring.differences() == []


@pytest.mark.parametrize(
    ("hours", "repaired"), [pytest.param(0, 1, marks=pytest.mark.long), (2, 2)]
)
def test_a_comparison_of_hours_ago_is_made_again(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch, hours: int, repaired: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationFailedError("the network is gone")

    lose(ring, "k1")
    with monkeypatch.context() as broken:
        broken.setattr(check_run, "repair", fail)
        assert command("--yes").exit_code == 1
    (checkpoint,) = Path(".dynamodb-ring").iterdir()
    then = time.time() - hours * 3600
    os.utime(checkpoint, (then, then))
    lose(ring, "k2")
    result = command("--yes")
    assert f"{repaired} key" in result.output
    assert ("2 h 0 min old. All is compared again." in result.output) == bool(hours)
    assert command("--yes").exit_code == 0
    assert ring.differences() == []


def test_a_resumed_repair_tries_skipped_keys_again(ring: LocalRing, tmp_path: Path) -> None:
    with unseen(ring):
        for number in range(10):
            put(ring, THIRD, item(f"k{number}", v={"S": "never sent"}))
    stop = Stop()

    def interrupt(what: str, done: int, of: int) -> None:
        if (what, done) == ("repairing", 6):
            stop.ask()

    with Journal(tmp_path / "j", "x") as journal:
        members = reached(ring, stop=stop)
        check(members, journal, CheckOptions(settle_seconds=0.1))
        with pytest.raises(StoppedError):
            repair(members, journal, on_progress=interrupt)
    with Journal(tmp_path / "j", "x") as journal:
        members = reached(ring)
        assert check(members, journal, CheckOptions(settle_seconds=0.1)).differing == 10
        assert repair(members, journal).skipped == 10
        assert repair(members, journal, prefer=2).repaired == 10
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []


@pytest.mark.long
def test_under_writers_and_throttling_all_end_equal(ring: LocalRing, tmp_path: Path) -> None:
    spoil(ring)
    members = reached(ring)
    with (
        writing(ring, keys=20, prefix="k"),
        ring.faults.inject(throttling(SECOND, 0.2)),
        Journal(tmp_path / "j", "x") as journal,
    ):
        check(members, journal, CheckOptions(settle_seconds=0.1, max_rechecks=2))
        repair(members, journal)
    ring.wait_until_quiet(PATIENCE)
    with Journal(tmp_path / "again", "x") as journal:
        assert check(members, journal, CheckOptions(settle_seconds=0.1)).differing == 0
    assert ring.differences() == []


@pytest.mark.long
def test_an_interrupted_repair_goes_on_with_what_is_left(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("operate.reconcile.repair.CONCURRENCY", 4)
    with unseen(ring):
        for number in range(30):
            ring.client(FIRST).delete_item(TableName="orders", Key=item(f"k{number}"))
    stop = Stop()

    def interrupt(what: str, done: int, of: int) -> None:
        if (what, done) == ("repairing", 3):
            stop.ask()

    with Journal(tmp_path / "j", "x") as journal:
        members = reached(ring, stop=stop)
        assert check(members, journal, CheckOptions(settle_seconds=0.1)).differing == 30
        with pytest.raises(StoppedError):
            repair(members, journal, on_progress=interrupt)
    with Journal(tmp_path / "j", "x") as journal:
        assert journal.resumed
        first = journal.counts()["repaired"]
        assert 3 <= first <= 3 + 4
        assert repair(reached(ring), journal).repaired == 30 - first
        assert journal.counts() == {"repaired": 30}
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
