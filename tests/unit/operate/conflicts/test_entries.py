"""One entry for each write that lost, out of the lines of all hops."""

import json
from typing import Any

import pytest

from handler.model.version import Version
from operate.conflicts.entries import ConflictEntry, merge_lines
from operate.conflicts.log_line import ConflictLine, Side, parse_line
from operate.conflicts.standing import Standing, loser_of
from operate.errors import InvalidRequestError
from operate.untrusted_json import MalformedJsonError

KEY: Any = {"k": {"S": "1"}}


def version(seconds: int, replica: str, sequence: int = 1, digest: str = "") -> Version:
    return Version.make(seconds, 0, replica * 8, sequence, digest or f"{seconds:016d}")


def line(lost: Version, won: Version, time: float = 1.0, hop: str = "h", **more: Any) -> Any:
    return ConflictLine(hop, time, KEY, Side(won, is_delete=False), Side(lost, **more))


def entry(*lines: Any) -> ConflictEntry:
    (only,) = merge_lines(lines)
    return only


def test_a_conflict_that_several_hops_saw_is_one_entry_since_the_first() -> None:
    lost, won = version(5, "a"), version(9, "b")
    merged = entry(line(lost, won, 3.0, "x"), line(lost, won, 2.0, "y"), line(lost, won, 4.0, "x"))
    assert (merged.since, merged.hops) == (2.0, ("y", "x"))


def test_a_write_that_was_tried_again_under_another_version_is_the_same() -> None:
    merged = entry(line(version(5, "a"), version(9, "b")), line(version(6, "a"), version(9, "b")))
    assert merged.lost.version == version(6, "a")


def test_the_newest_of_the_winners_has_won() -> None:
    lost = version(5, "a")
    merged = entry(line(lost, version(9, "b")), line(lost, version(12, "c")))
    assert merged.won.version == version(12, "c")
    assert (merged.margin.seconds, merged.margin.decided_by) == (7, "seconds")


def test_the_contents_are_those_of_the_line_that_has_them() -> None:
    lost, won, item = version(5, "a"), version(9, "b"), {**KEY, "v": {"S": "lost"}}
    merged = entry(line(lost, won), line(lost, won, 2.0, is_delete=False, item=item))
    assert loser_of(merged) == item


def test_two_writes_of_one_member_are_two_entries_the_latest_first() -> None:
    won = version(9, "b")
    found = merge_lines([line(version(5, "a"), won), line(version(6, "a", 2), won, 2.0)])
    assert [one.lost.version.sequence for one in found] == [2, 1]


def test_two_that_wrote_the_same_lost_nothing() -> None:
    lost, won = version(5, "a", digest="f" * 16), version(9, "b", digest="f" * 16)
    lines = [line(lost, won, is_delete=False)]
    assert merge_lines(lines) == []


def test_where_times_are_equal_the_members_id_decides() -> None:
    merged = entry(line(version(9, "a", digest="0" * 16), version(9, "b")))
    assert (merged.margin.seconds, merged.margin.decided_by) == (0, "member")


def test_what_lost_is_not_known_without_log_items_and_the_error_says_what_to_do() -> None:
    with pytest.raises(InvalidRequestError, match=r"function\.log_items"):
        loser_of(entry(line(version(5, "a"), version(9, "b"))))
    assert loser_of(entry(line(version(5, "a"), version(9, "b"), is_delete=True))) is None


def test_an_item_with_the_winners_version_that_somebody_edited_is_not_what_won() -> None:
    merged = entry(line(version(5, "a"), version(9, "b")))
    edited = {**KEY, "v": {"S": "edited"}, "_repl_version": {"B": version(9, "b")}}
    assert not Standing(edited, None).is_winner(merged)


@pytest.mark.parametrize("text", ["null", '{"event": 1}', '{"event": "batch"}'])
def test_a_line_of_another_kind_is_none(text: str) -> None:
    assert parse_line(text, 1.0) is None


@pytest.mark.parametrize("text", ["", "{", '{"event": "conflict"}', '{"event": "conflict", "key'])
def test_a_line_that_is_cut_is_an_error(text: str) -> None:
    with pytest.raises(MalformedJsonError):
        parse_line(text, 1.0)


@pytest.mark.parametrize(
    "about",
    [
        {"size": "300,000", "digest": "a"},
        {"size": None, "digest": "a"},
        {"digest": "a"},
        {"size": 5},
        {"size": 5, "digest": 5},
        "5",
        [],
    ],
)
def test_a_line_that_says_no_size_of_what_it_left_out_is_an_error(about: Any) -> None:
    with pytest.raises(MalformedJsonError):
        parse_line(cut_line(about), 1.0)


def test_a_line_says_size_and_digest_of_what_it_left_out() -> None:
    found = parse_line(cut_line({"size": 5, "digest": "a"}), 1.0)
    assert found is not None
    assert found.lost.cut is not None
    assert found.lost.cut.left_out == {"v": {"size": 5, "digest": "a"}}


def cut_line(about: Any) -> str:
    cut = {"size": 300_000, "digest": "b", "left_out": {"v": about}, "more": 0}
    sides = {"won": str(version(9, "b")), "lost": str(version(5, "a"))}
    return json.dumps(
        {"event": "conflict", "hop": "h", "key": KEY, **sides, "lost_item": KEY, "lost_cut": cut}
    )
