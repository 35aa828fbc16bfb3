"""`automate.py conflicts` on a ring that runs: list, show and resolve, by the hops' own logs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.local_ring import RunningLocalRing
from local.endpoint.fault_injection import outage
from local.ring import LocalRing
from operate.conflicts.reading import Conflicts
from operate.conflicts.resolving import Resolution, ResolveOutcome, member_to_write, resolve
from operate.conflicts.ring_conflicts import logged_conflicts
from operate.conflicts.standing import loser_of
from tests.support.local_rings import PATIENCE, REGIONS, get, hop_from, item, put, ring_of

FIRST, SECOND, THIRD = REGIONS[:3]
EVERY_TYPE: dict[str, Any] = {
    "text": {"S": "é\u0000"},
    "number": {"N": "9.50"},
    "binary": {"B": b"\x00\xff"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "binaries": {"BS": [b"\x00", b"\x01"]},
    "list": {"L": [{"B": b"x"}, {"M": {"k": {"S": "v"}}}]},
    "map": {"M": {"inner": {"SS": ["c"]}}},
}


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(3, function={"log_items": True}) as three:
        yield three


def conflicts(ring: LocalRing, *arguments: str, answer: str | None = None) -> Result:
    given = ["conflicts", *arguments, "--local", ring.endpoint]
    return CliRunner().invoke(main, given, input=answer, catch_exceptions=False)


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def make_conflict(ring: LocalRing, key: str, first: Any, second: Any) -> str:
    """Write a key at two members at the same time; return the ID of the one conflict of that."""
    with ring.paused():
        for word, attributes in ((FIRST, first), (SECOND, second)):
            if attributes is None:
                ring.client(word).delete_item(TableName="orders", Key=item(key))
            else:
                put(ring, word, item(key, **attributes))
    return str(only_conflict(ring, key)["id"])


def only_conflict(ring: LocalRing, key: str) -> Any:
    """Wait for the only conflict of a key: a function's lines may come after its response."""
    ring.wait_until_quiet(PATIENCE)
    end = time.monotonic() + PATIENCE
    while not (found := listed(ring, key)):
        assert time.monotonic() < end
        time.sleep(0.05)
    (entry,) = found
    return entry


def listed(ring: LocalRing, key: str) -> list[Any]:
    ring.flush()
    (only,) = document(conflicts(ring, "list", "--json"))["rings"]
    return [one for one in only["conflicts"] if one["key"] == item(key)]


def everywhere(ring: LocalRing, key: str) -> list[Any]:
    ring.wait_until_quiet(PATIENCE)
    return [get(ring, region, key) for region in REGIONS[:3]]


def test_two_writes_at_once_are_one_conflict_that_both_sides_of_are_shown(ring: LocalRing) -> None:
    name = make_conflict(ring, "shown", {"v": {"S": "one"}}, {"v": {"S": "two"}})
    shown = document(conflicts(ring, "show", name, "--json"))
    sides = {shown[side]["member"]: shown[side]["item"]["v"]["S"] for side in ("won", "lost")}
    assert sides == {FIRST: "one", SECOND: "two"}
    stands = everywhere(ring, "shown")
    assert [one["v"]["S"] for one in stands] == [shown["won"]["item"]["v"]["S"]] * 3
    text = conflicts(ring, "show", name).output
    assert '"one"' in text
    assert '"two"' in text
    assert "what won stands at" in text
    assert name in conflicts(ring, "list", "--open").output


def test_the_loser_wins_at_all_members_after_resolve_and_is_listed_as_open_no_more(
    ring: LocalRing,
) -> None:
    name = make_conflict(ring, "kept", {"v": {"S": "one"}}, {"v": {"S": "two"}})
    lost = document(conflicts(ring, "show", name, "--json"))["lost"]["item"]
    planned = conflicts(ring, "resolve", name, "--keep", "loser", "--dry-run", "--json")
    assert (planned.exit_code, document(planned)["outcome"]) == (0, "planned")
    assert everywhere(ring, "kept") != [lost] * 3
    done = conflicts(ring, "resolve", name, "--keep", "loser", "--yes")
    assert (done.exit_code, "Written at" in done.output) == (0, True), done.output
    assert everywhere(ring, "kept") == [lost] * 3
    assert name not in conflicts(ring, "list", "--open").output
    only_conflict(ring, "kept")  # and the write that resolved it made no other


def test_after_another_write_resolve_says_what_stands_there_and_changes_nothing(
    ring: LocalRing,
) -> None:
    name = make_conflict(ring, "late", {"v": {"S": "one"}}, {"v": {"S": "two"}})
    put(ring, THIRD, item("late", v={"S": "three"}))
    ring.wait_until_quiet(PATIENCE)
    done = conflicts(ring, "resolve", name, "--keep", "loser", "--yes")
    assert done.exit_code == 1
    assert '"three"' in done.output
    assert "Nothing was changed" in done.output
    assert everywhere(ring, "late") == [item("late", v={"S": "three"})] * 3


def racing(ring: LocalRing, key: str, update: str, attributes: int = 1) -> Resolution:
    """Resolve a conflict, while an application updates the item between its read and its write.

    Both items have an attribute `v`, and as many others `v1`, `v2` as are given.
    """
    others = {f"v{n}": {"S": "same"} for n in range(1, attributes)}
    name = make_conflict(ring, key, {"v": {"S": "one"}, **others}, {"v": {"S": "two"}, **others})
    stack = RunningLocalRing(ring.endpoint)
    entry = logged_conflicts(stack).find(name)
    deployed, clients = stack.deployed(), stack.clients()
    member = member_to_write(deployed, entry, None)

    values: Any = {"ExpressionAttributeValues": {":v": {"S": "raced"}}} if ":v" in update else {}

    def race(**_: Any) -> None:
        ring.client(member.name).update_item(
            TableName="orders",
            Key=item(key),
            UpdateExpression=update,
            **values,
        )

    client = clients.get(member.credentials, member.region, "dynamodb")
    client.meta.events.register("before-call.dynamodb.PutItem", race)
    return resolve(deployed, clients, entry, loser_of(entry))


def test_an_update_between_read_and_write_is_not_overwritten(ring: LocalRing) -> None:
    done = racing(ring, "raced", "SET v = :v")
    assert done.outcome is ResolveOutcome.CHANGED
    assert done.stands is not None
    assert done.stands["v"] == {"S": "raced"}
    assert everywhere(ring, "raced") == [item("raced", v={"S": "raced"})] * 3


def test_an_attribute_that_is_added_between_read_and_write_is_named(ring: LocalRing) -> None:
    done = racing(ring, "added", "SET w = :v")
    assert (done.outcome, done.overwritten) == (ResolveOutcome.WRITTEN, ("w",))
    assert done.stands is not None
    assert done.stands["w"] == {"S": "raced"}


def test_an_update_of_one_of_130_attributes_is_not_overwritten(ring: LocalRing) -> None:
    done = racing(ring, "wide", "SET v129 = :v", 130)
    assert done.outcome is ResolveOutcome.CHANGED


@pytest.mark.parametrize(
    ("key", "update"), [("late-set", "SET v199 = :v"), ("late-removed", "REMOVE v199")]
)
def test_a_change_of_an_attribute_beyond_those_of_the_condition_is_named(
    ring: LocalRing, key: str, update: str
) -> None:
    done = racing(ring, key, update, 200)
    assert (done.outcome, done.overwritten) == (ResolveOutcome.WRITTEN, ("v199",))


def test_values_of_every_type_survive_the_log_and_the_resolve(ring: LocalRing) -> None:
    other = {**EVERY_TYPE, "number": {"N": "10"}}
    name = make_conflict(ring, "types", EVERY_TYPE, other)
    winner = everywhere(ring, "types")[0]
    assert conflicts(ring, "resolve", name, "--keep", "loser", "--yes").exit_code == 0
    wanted = EVERY_TYPE if winner["number"] == {"N": "10"} else other
    assert everywhere(ring, "types") == [item("types", **wanted)] * 3


def test_a_delete_that_lost_deletes_and_one_that_won_yields_to_an_item(
    ring: LocalRing, tmp_path: Path
) -> None:
    put(ring, FIRST, item("gone", v={"S": "zero"}))
    ring.wait_until_quiet(PATIENCE)
    name = make_conflict(ring, "gone", None, {"v": {"S": "two"}})
    entry = only_conflict(ring, "gone")
    file = tmp_path / "item.json"
    file.write_text('{"id": "gone", "v": "merged"}')
    if entry["lost"]["deleted"]:
        done = conflicts(ring, "resolve", name, "--keep", "loser", "--yes")
        assert (done.exit_code, everywhere(ring, "gone")) == (0, [None] * 3), done.output
    else:
        done = conflicts(ring, "resolve", name, "--item", str(file), "--yes")
        wanted = item("gone", v={"S": "merged"})
        assert (done.exit_code, everywhere(ring, "gone")) == (0, [wanted] * 3), done.output


def test_an_item_that_is_too_large_for_a_line_is_cut_and_named_and_not_kept(
    ring: LocalRing,
) -> None:
    large = {"v": {"S": "small"}, "w": {"S": "x" * 300_000}}
    name = make_conflict(ring, "large", large, large | {"v": {"S": "other"}})
    lost = document(conflicts(ring, "show", name, "--json"))["lost"]
    assert lost["cut"]["left_out"]["w"]["size"] > 300_000
    assert lost["item"]["v"]["S"] in ("small", "other")
    assert "bytes, not in the log" in conflicts(ring, "show", name).output
    refused = conflicts(ring, "resolve", name, "--keep", "loser", "--yes")
    assert (refused.exit_code, "--item FILE" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"id": "another"}', "has another key"),
        ('{"id": "wrong", "_repl_version": "1"}', "_repl_"),
        ("[1]", "item.json"),
    ],
)
def test_a_wrong_item_is_refused_and_changes_nothing(
    ring: LocalRing, tmp_path: Path, text: str, reason: str
) -> None:
    if not document(conflicts(ring, "list", "--json"))["rings"][0]["conflicts"]:
        make_conflict(ring, "wrong", {"v": {"S": "one"}}, {"v": {"S": "two"}})
    entry = document(conflicts(ring, "list", "--json"))["rings"][0]["conflicts"][0]
    file = tmp_path / "item.json"
    file.write_text(text.replace("wrong", entry["key"]["id"]["S"]))
    done = conflicts(ring, "resolve", entry["id"], "--item", str(file), "--yes")
    assert (done.exit_code, reason in done.output) == (2, True), done.output


def test_wrong_use_is_reported(ring: LocalRing) -> None:
    assert "no conflict of this ID" in conflicts(ring, "show", "ffffffffffff").output
    both = conflicts(ring, "resolve", "1", "--yes")
    assert (both.exit_code, "--keep loser or --item" in both.output) == (2, True)
    asked = conflicts(ring, "resolve", "1", "--keep", "loser")
    assert (asked.exit_code, "--yes" in asked.output) == (2, True)


def test_a_log_that_cannot_be_read_is_named_and_the_others_are_listed(ring: LocalRing) -> None:
    member = ring.member(FIRST)
    logs = member.clients.logs(member.region)
    group = hop_from(ring, FIRST).function.spec.log_group
    logs.delete_log_group(logGroupName=group)
    try:
        result = conflicts(ring, "list", "--json")
        assert result.exit_code == 1
        (unread,) = document(result)["rings"][0]["unread"].items()
        assert unread[0] == f"the log of the hop from {FIRST} to {SECOND}"
    finally:
        logs.create_log_group(logGroupName=group)


def test_a_conflict_whose_member_does_not_answer_counts_as_open(ring: LocalRing) -> None:
    name = make_conflict(ring, "lost-member", {"v": {"S": "one"}}, {"v": {"S": "two"}})
    loser = document(conflicts(ring, "show", name, "--json"))["lost"]["member"]
    with ring.faults.inject(outage(loser)):
        result = conflicts(ring, "list", "--open", "--json")
    assert result.exit_code == 1
    (listed,) = document(result)["rings"]
    assert name in [entry["id"] for entry in listed["conflicts"]]
    assert [*listed["unread"]] == [f"the items at {loser}"]


def test_python_has_the_same(ring: LocalRing) -> None:
    found = logged_conflicts(RunningLocalRing(ring.endpoint))
    assert isinstance(found, Conflicts)
