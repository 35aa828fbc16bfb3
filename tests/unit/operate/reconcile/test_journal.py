"""A journal keeps the progress of an operation, whatever ended it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from operate.errors import OperationFailedError
from operate.reconcile.difference_kinds import KeyFingerprints
from operate.reconcile.journal import Journal
from operate.reconcile.journal_values import RowShape
from operate.reconcile.parallel_scan import Page, ScanSegment, Segment

PARTS = [ScanSegment(source, Segment("t", number, 2)) for source in (0, 2) for number in (0, 1)]


def page(*names: str, position: dict[str, object] | None = None) -> Page:
    return Page([{"k": {"S": name}} for name in names], position)


@pytest.mark.parametrize(
    "position",
    [
        {"k": {"B": b"\x00\xff"}, "s": {"N": "1"}},
        {"_bytes": {"S": "00ff"}},
        {"B": {"B": b"B"}, "_bytes": {"B": b"\x00"}},
        {"S": {"S": "B"}, "B": {"S": ""}},
    ],
    ids=str,
)
def test_a_segment_resumes_after_the_last_recorded_page(
    tmp_path: Path, position: dict[str, Any]
) -> None:
    with Journal(tmp_path / "j", "x") as journal:
        journal.plan(PARTS)
        journal.record_page(PARTS[0], page("a", "b", position=position))
        journal.record_page(PARTS[1], page("c"))
    with Journal(tmp_path / "j", "x") as journal:
        assert journal.resumed
        journal.plan(PARTS)
        assert journal.read_count() == 3
        first, *others = journal.parts()
        assert (first.segment, first.position) == (PARTS[0].segment, position)
        assert others == [PARTS[2], PARTS[3]]


def test_rows_are_sorted_by_key(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", "x") as journal:
        journal.record_page(PARTS[0], page(), [("b", "1"), ("a", "2")])
        journal.record_page(ScanSegment(1, Segment("t", 0, 1)), page(), [("c", "3")])
        journal.record_page(PARTS[2], page(), [("a", "4")])
        assert list(journal.keys(2)) == [
            ("a", [KeyFingerprints("2"), KeyFingerprints("4")]),
            ("b", [KeyFingerprints("1"), KeyFingerprints()]),
            ("c", [KeyFingerprints(None, "3"), KeyFingerprints()]),
        ]


@pytest.mark.parametrize(("about", "restart"), [("another", False), ("x", True)])
def test_the_journal_of_another_operation_starts_over(
    tmp_path: Path, about: str, restart: bool
) -> None:
    with Journal(tmp_path / "j", "x") as journal:
        journal.plan(PARTS)
    with Journal(tmp_path / "j", about, restart=restart) as journal:
        assert not journal.resumed
        assert journal.parts() == []


def test_an_unfinished_phase_is_not_recorded(tmp_path: Path) -> None:
    def fails() -> int:
        raise KeyboardInterrupt

    with Journal(tmp_path / "j", "x") as journal:
        journal.record_page(PARTS[0], page(), [("a", "1")])
        with pytest.raises(KeyboardInterrupt):
            journal.add_suspects([("a", None)], "compare", fails)
        assert journal.phase_count("compare") is None
        assert (journal.open_suspects(), len(list(journal.keys(1)))) == (0, 1)


@pytest.mark.parametrize("key", ["[", '{"S":"a"}', '[{"S":1}]', '[{"B":"!"}]', "7"])
def test_a_damaged_key_is_an_error_that_says_what_to_do(tmp_path: Path, key: str) -> None:
    def read() -> None:
        with Journal(tmp_path / "j", "x") as journal:
            journal.add_suspects([(key, None)], "compare", lambda: 1)
            list(journal.suspects(None))

    with pytest.raises(OperationFailedError, match=r"damaged: .* is not a key.*delete it and run"):
        read()


@pytest.mark.parametrize(
    ("key", "states"),
    [
        ('[{"S":"a"}]', None),
        ('[{"S":"a"},{"S":"b"},{"S":"c"}]', None),
        ("[]", None),
        ('[{"S":"a"},{"S":"b"}]', [[None, None]]),
        ('[{"S":"a"},{"S":"b"}]', [[None, None]] * 3),
        ('[{"S":"a"},{"S":"b"}]', [[None, None], [1, None]]),
        ('[{"S":"a"},{"S":"b"}]', ["ab", "cd"]),
    ],
)
def test_a_key_of_other_tables_or_members_is_damage(tmp_path: Path, key: str, states: Any) -> None:
    def read() -> None:
        with Journal(tmp_path / "j", "x", shape=RowShape(key_parts=2, members=2)) as journal:
            journal.add_suspects([(key, states)], "compare", lambda: 1)
            list(journal.suspects(None))

    with pytest.raises(OperationFailedError, match=r"damaged: .* is not a .*delete it and run"):
        read()


@pytest.mark.parametrize("position", ["[]", "7", "[1, 2]", '[["k"], "[7]"]', '[["k"], "[[]]"]'])
def test_a_damaged_position_is_an_error_that_says_what_to_do(tmp_path: Path, position: str) -> None:
    def read() -> None:
        with Journal(tmp_path / "j", "x") as journal:
            journal.plan(PARTS)
            journal._db.execute("UPDATE part SET position = ?", (position,))
            journal.parts()

    with pytest.raises(OperationFailedError, match=r"damaged: .* is not a position.*delete it"):
        read()
