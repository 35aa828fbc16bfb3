"""Whether all members are equal, asked of a whole ring while applications write and hops run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.endpoint.fault_injection import throttling
from local.ring import LocalRing
from operate import check_run
from operate.errors import InvalidRequestError
from operate.reconcile.check import CheckOptions, check
from operate.reconcile.check_result import CHANGING, findings
from operate.reconcile.difference_kinds import DifferenceKind
from operate.reconcile.journal import Journal
from tests.support.interruptions import interrupted
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of
from tests.support.whole_tables import lead_to, reached, unseen, writing

ITEMS = 60
OTHERS = (REGIONS[1], REGIONS[2])


def held(ring: LocalRing) -> int:
    """How many keys there are, at any member."""
    found = [ring.client(word).scan(TableName="orders")["Items"] for word in REGIONS[:3]]
    return len({one["id"]["S"] for items in found for one in items})


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(3) as three:
        for number in range(ITEMS):
            put(three, REGIONS[number % 3], item(f"k{number}", v={"S": "x" * number}))
        three.wait_until_quiet(PATIENCE)
        yield three


@pytest.fixture
def ring(running: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalRing:
    lead_to(running, monkeypatch, tmp_path)
    return running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal", "test") as kept:
        yield kept


@pytest.fixture
def differing(ring: LocalRing) -> Iterator[dict[str, DifferenceKind]]:
    """Keys in which members differ while hops rest, and in what; in the end they deliver it."""
    first, second, third = (ring.client(word) for word in REGIONS[:3])
    for number in range(1, 5):
        put(ring, REGIONS[number % 3], item(f"k{number}", v={"S": "x" * number}))
    ring.wait_until_quiet(PATIENCE)
    with ring.paused():
        first.delete_item(TableName="orders", Key=item("k1"))
        put(ring, REGIONS[1], item("k2", v={"S": "edited"}))
        second.update_item(
            TableName="orders",
            Key=item("k3"),
            UpdateExpression="SET #d = :t",
            ExpressionAttributeNames={"#d": "_repl_deleted"},
            ExpressionAttributeValues={":t": {"BOOL": True}},
        )
        copy = third.get_item(TableName="orders", Key=item("k4"))["Item"]
        older = b"\0" * 7 + copy["_repl_version"]["B"][7:]
        third.put_item(TableName="orders", Item={**copy, "_repl_version": {"B": older}})
        yield {
            "k1": DifferenceKind.MISSING,
            "k2": DifferenceKind.DIFFERENT,
            "k3": DifferenceKind.STUB,
            "k4": DifferenceKind.STALE,
        }
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []


def command(*arguments: str, **how: Any) -> Result:
    given = ("check", "--stack", "dev", "--settle-seconds", "0.1", *arguments)
    return CliRunner().invoke(main, given, **how)


@pytest.mark.parametrize("mode", [(), pytest.param(("--pairwise",), marks=pytest.mark.long)])
def test_an_equal_ring_is_equal_and_says_how_much_was_compared(
    ring: LocalRing, mode: tuple[str, ...]
) -> None:
    result = command(*mode)
    (found,) = json.loads(command(*mode, "--json").stdout)["rings"]
    assert (result.exit_code, result.output.splitlines()[0]) == (
        0,
        f"dev: {held(ring)} keys compared, all members are in sync. It took "
        f"{found['capacity_units']:,.0f} capacity units.",
    )


def test_what_differs_is_reported_by_kind_with_who_has_what(
    ring: LocalRing, differing: dict[str, DifferenceKind]
) -> None:
    result = command("--json", "--report", "report.jsonl")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert not document["ok"]
    (found,) = document["rings"]
    assert (found["compared"], found["differing"]) == (held(ring), len(differing))
    lines = [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()]
    assert lines == found["differences"]
    assert {one["key"]["id"]["S"]: one["kind"] for one in lines} == differing
    (missing,) = (one["members"] for one in lines if one["kind"] == DifferenceKind.MISSING)
    assert list(missing) == list(REGIONS[:3])
    assert missing[REGIONS[0]] == {"version": None, "digest": None, "tombstone": None}
    assert missing[REGIONS[1]]["digest"] == missing[REGIONS[2]]["digest"]
    assert missing[REGIONS[2]]["version"]


@pytest.mark.long
def test_pairwise_segments_find_the_same(
    ring: LocalRing, differing: dict[str, DifferenceKind]
) -> None:
    def found_by(*mode: str) -> dict[str, Any]:
        (found,) = json.loads(command(*mode, "--json").stdout)["rings"]
        found["differences"].sort(key=json.dumps)
        return {name: value for name, value in found.items() if name != "capacity_units"}

    assert found_by("--pairwise") == found_by()
    assert found_by("--pairwise")["differing"] == len(differing)


@pytest.mark.parametrize("mode", [(), ("--pairwise",)])
def test_an_item_that_all_have_but_was_deleted_since_is_found(
    ring: LocalRing, mode: tuple[str, ...]
) -> None:
    put(ring, REGIONS[0], item("k8", v={"S": "back again"}))
    ring.wait_until_quiet(PATIENCE)
    copy = ring.client(REGIONS[1]).get_item(TableName="orders", Key=item("k8"))["Item"]
    ring.client(REGIONS[0]).delete_item(TableName="orders", Key=item("k8"))
    ring.wait_until_quiet(PATIENCE)
    with unseen(ring):
        for word in REGIONS[:3]:
            put(ring, word, copy)
        (found,) = json.loads(command(*mode, "--json").stdout)["rings"]
        for word in REGIONS[:3]:
            ring.client(word).delete_item(TableName="orders", Key=item("k8"))
    assert found["kinds"] == {DifferenceKind.OUTLIVED: 1}


@pytest.mark.parametrize("mode", [(), pytest.param(("--pairwise",), marks=pytest.mark.long)])
def test_a_delete_that_a_member_does_not_know_of_counts_if_it_is_asked(
    ring: LocalRing, mode: tuple[str, ...]
) -> None:
    put(ring, REGIONS[0], item("k9", v={"S": "once"}))
    ring.wait_until_quiet(PATIENCE)
    ring.client(REGIONS[0]).delete_item(TableName="orders", Key=item("k9"))
    ring.wait_until_quiet(PATIENCE)
    assert command(*mode, "--tombstones").exit_code == 0
    (_, tombstones) = sorted(ring.client(REGIONS[1]).list_tables()["TableNames"])
    ring.client(REGIONS[1]).delete_item(TableName=tombstones, Key=item("k9"))
    assert command(*mode).exit_code == 0
    (found,) = json.loads(command(*mode, "--tombstones", "--json").stdout)["rings"]
    assert (found["kinds"], found["compared"]) == ({DifferenceKind.FORGOTTEN: 1}, held(ring))


def test_in_words_it_says_the_same(ring: LocalRing, differing: dict[str, DifferenceKind]) -> None:
    output = command().output
    assert f"{held(ring)} keys compared, {len(differing)} differ." in output
    assert 'missing: {"id": {"S": "k1"}}\n  us-east-1        nothing' in output
    assert "an item without a version, digest " in output


def test_what_is_not_shown_is_where_it_says(
    ring: LocalRing, differing: dict[str, DifferenceKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_run, "_MAX_DIFFERENCES", 1)
    assert "and 3 more: write them all with --report FILE." in command().output
    assert "and 3 more: all are in all.jsonl." in command("--report", "all.jsonl").output
    assert len(Path("all.jsonl").read_text().splitlines()) == len(differing)


def test_a_ring_on_this_machine_is_given_by_its_url(
    ring: LocalRing, differing: dict[str, DifferenceKind]
) -> None:
    given = ("check", "--local", ring.endpoint, "--settle-seconds", "0.1", "--json")
    (found,) = json.loads(CliRunner().invoke(main, given).stdout)["rings"]
    assert found["differing"] == len(differing)


def test_some_keys_can_be_checked_and_those_of_a_report_again(
    ring: LocalRing, differing: dict[str, DifferenceKind]
) -> None:
    result = command("--keys", "-", "--json", input='{"id": "k1"}\n\n{"id": {"S": "k5"}}\n')
    (found,) = json.loads(result.stdout)["rings"]
    assert (result.exit_code, found["compared"], found["differing"]) == (1, 2, 1)
    assert command("--report", "report.jsonl").exit_code == 1
    (found,) = json.loads(command("--keys", "report.jsonl", "--json").stdout)["rings"]
    assert (found["compared"], found["differing"]) == (len(differing), len(differing))


def test_a_sample_compares_about_so_many_keys(ring: LocalRing) -> None:
    (found,) = json.loads(command("--sample", "9", "--json").stdout)["rings"]
    assert 1 <= found["compared"] <= 9
    assert found["in_sync"]
    (found,) = json.loads(command("--sample", "1000", "--json").stdout)["rings"]
    assert found["compared"] == held(ring)


def test_members_can_be_chosen(ring: LocalRing, differing: dict[str, DifferenceKind]) -> None:
    others = [part for word in OTHERS for part in ("--member", word)]
    (found,) = json.loads(command(*others, "--json").stdout)["rings"]
    assert "missing" not in found["kinds"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--member", "mars-1"), "mars-1: no member has this name. Members: "),
        (("--member", REGIONS[0]), "dev: At least two members are needed, and there is 1."),
        (("--keys", "-"), "Line 1 is not a key of these tables"),
    ],
)
def test_wrong_use_is_reported(ring: LocalRing, arguments: tuple[str, ...], words: str) -> None:
    result = command(*arguments, input='{"name": "k1"}\n')
    assert result.exit_code == 2
    assert words in result.output


def test_what_is_in_transit_is_not_counted(ring: LocalRing, journal: Journal) -> None:
    """The tables are read while applications write; all is delivered before the other look."""
    members = reached(ring)
    looked_again = []

    def deliver(seconds: float) -> None:
        looked_again.append(seconds)
        live.__exit__(None, None, None)
        ring.wait_until_quiet(PATIENCE)

    live = writing(ring)
    live.__enter__()
    with ring.paused(REGIONS[1]):
        # One hop rests, so that members do differ.
        put(ring, REGIONS[1], item("in transit", v={"S": "x"}))
        found = check(members, journal, CheckOptions(pause=lambda _: None, max_rechecks=0))
    assert journal.open_suspects() > 0
    found = check(members, journal, CheckOptions(pause=deliver))
    assert found.differing == 0
    assert looked_again
    assert list(findings(journal)) == []


def test_a_key_that_changes_at_every_look_is_listed_separately(
    ring: LocalRing, journal: Journal
) -> None:
    number = 0

    def change(_: float) -> None:
        nonlocal number
        number += 1
        put(ring, REGIONS[0], item("k7", v={"S": str(number)}))

    with ring.paused():
        change(0)
        found = check(reached(ring), journal, CheckOptions(pause=change))
    ring.wait_until_quiet(PATIENCE)
    assert (found.found[CHANGING], found.differing) == (1, 0)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("after", [pytest.param(1, marks=pytest.mark.long), 30])
def test_an_interrupted_check_goes_on_where_it_was(
    ring: LocalRing, differing: dict[str, DifferenceKind], tmp_path: Path, after: int, apart: bool
) -> None:
    members = reached(ring)
    options = CheckOptions(segments=10, pairwise=apart, settle_seconds=0.1)
    parts = 2 * 3 * options.segment_count

    def scans() -> int:
        return ring.meter.read().count(["Scan"])

    with Journal(tmp_path / "kept", "x") as journal, pytest.raises(KeyboardInterrupt):
        check(members, journal, options, interrupted(after))
    before = scans()
    with Journal(tmp_path / "kept", "x") as journal:
        assert journal.resumed
        found = check(members, journal, options)
    assert scans() - before == parts - after
    assert (found.compared, found.differing) == (held(ring), len(differing))


def test_throttling_only_makes_it_slower(ring: LocalRing, journal: Journal) -> None:
    with ring.faults.inject(throttling(REGIONS[1], 0.3)):
        found = check(reached(ring), journal, CheckOptions(settle_seconds=0.1))
    assert (found.compared, found.differing) == (held(ring), 0)


def test_a_member_that_does_not_answer_is_named_within_seconds(ring: LocalRing) -> None:
    lost = REGIONS[1]
    began = time.monotonic()
    with ring.faults.lose(lost):
        result = CliRunner().invoke(main, ["check", "--stack", "dev"])
    assert time.monotonic() - began < PATIENCE
    assert result.exit_code == 1
    assert f"{lost} does not answer, so nothing was done" in result.output
    assert f"`automate.py bypass {lost}`" in result.output


def test_two_commands_do_not_share_a_journal(ring: LocalRing, journal: Journal) -> None:
    with pytest.raises(InvalidRequestError, match="Another command has"):
        Journal(journal.path, "test")
