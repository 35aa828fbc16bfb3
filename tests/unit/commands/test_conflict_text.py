"""What `conflicts show` prints of a conflict of which the log has no items, or one side alone."""

from typing import Any

from commands.conflicts.entries import full_text, row_of
from handler.model.image import digest
from handler.model.version import OPERATOR_REPLICA_ID, Version
from operate.conflicts.entries import ConflictEntry
from operate.conflicts.log_line import Cut, Side
from operate.conflicts.standing import Standing

KEY: Any = {"id": {"S": "1"}}
WON: Any = {**KEY, "v": {"S": "kept"}}
MEMBERS = {"a" * 8: "us-east-1", "b" * 8: "eu-west-1"}


def entry(won: Any = None, lost: Any = None) -> ConflictEntry:
    winner = Side(Version.make(1_700_000_009, 0, "b" * 8, 7, digest(WON)), is_delete=False)
    loser = Side(Version.make(1_700_000_002, 0, "a" * 8, 7, "0" * 16), is_delete=False)
    return ConflictEntry("0" * 12, KEY, 1_700_000_010.0, ("h",), won or winner, lost or loser)


def text(shown: ConflictEntry, item: Any = None) -> str:
    return "\n".join(full_text(shown, MEMBERS, "us-east-1", Standing(item, None), 80))


def test_without_items_in_the_log_the_winner_is_read_and_it_says_how_to_have_the_loser() -> None:
    shown = text(entry(), WON)
    assert "what won stands at us-east-1" in shown
    (row,) = (line for line in shown.splitlines() if " v " in line)
    assert row.split("  ")[-1] == "not in the log"
    assert '"kept"' in row
    assert "function.log_items: true" in shown
    assert "7 s" in shown


def test_a_winner_that_does_not_stand_any_more_is_not_taken_from_the_table() -> None:
    shown = text(entry(), {**KEY, "v": {"S": "another"}})
    assert "something else stands at us-east-1" in shown
    assert "another" not in shown


def test_what_was_cut_is_named_with_its_size_and_digest() -> None:
    left_out = {"photo": {"size": 300_000, "digest": "abcd"}}
    lost = Side(entry().lost.version, None, False, KEY, Cut(300_100, "f" * 16, left_out))
    shown = text(entry(lost=lost), WON)
    assert "300,000 bytes" in shown
    assert "has 300,100 bytes (digest ffffffffffffffff)" in shown


def test_a_delete_is_named_in_the_list_and_shown_as_deleted() -> None:
    lost = Side(entry().lost.version, is_delete=True)
    assert row_of(entry(lost=lost), MEMBERS)[4] == "us-east-1 (delete)"
    assert "deleted" in text(entry(lost=lost), WON)


def test_the_write_of_a_repair_is_named_so_and_no_time_is_made_up_for_it() -> None:
    version = Version.make(0, 999_999, OPERATOR_REPLICA_ID, 0, "0" * 16)
    shown = entry(lost=Side(version, "us-east-1/orders", is_delete=False))
    assert row_of(shown, MEMBERS)[4:] == ("a repair", "-")
    assert "a repair, written at an unknown time" in text(shown, WON)
    assert "1970" not in text(shown, WON)
