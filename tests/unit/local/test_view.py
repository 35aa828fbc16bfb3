"""What a person sees of a ring, on a terminal and in a file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from rich.console import Console, ConsoleDimensions

from handler.batch import BatchReport, Failure
from handler.errors import FailureKind
from handler.metrics import BatchReporter
from handler.model.version import OPERATOR_REPLICA_ID, Version
from handler.quarantine import QuarantinedRecord
from handler.retry import RetryBudget
from local.hop import HopTally
from local.live.log_notes import describe
from local.view import HopRow, MemberRow, Snapshot, changes, render, show

MEMBERS = (MemberRow("us", "us-east-1/orders", 1200), MemberRow("eu", "eu-west-1/orders", 1199))
HOP = HopRow("us -> eu", {"records": 3, "replicated": 2, "laps": 1}, 0, None, "")


def drawn(snapshot: Snapshot, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(render(snapshot))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


NAMES = {"aaaaaaaa": "us-east-1", "bbbbbbbb": "eu-west-1"}
CONFLICT = {
    "event": "conflict",
    "hop": "us-east-1/orders -> eu-west-1/orders",
    "key": {"customer": {"S": "ada"}, "order": {"N": "1"}},
    "won": str(Version.make(1767265200, 0, "bbbbbbbb", 7, "0" * 16)),
    "won_origin": None,
    "lost": str(Version.make(1767265198, 0, "aaaaaaaa", 5, "0" * 16)),
    "lost_origin": None,
}
TOLD = (
    "conflict: customer=ada order=1: eu-west-1 at 11:00:00 UTC won over us-east-1 at 10:59:58 UTC"
)


def test_a_conflict_is_shown_as_its_key_and_the_winner_over_the_loser() -> None:
    assert describe(json.dumps(CONFLICT), NAMES) == TOLD
    assert "over aaaaaaaa at" in describe(json.dumps(CONFLICT), {})


def test_the_write_of_a_repair_is_named_so_and_has_a_time_only_if_it_took_one_from_a_member() -> (
    None
):
    def lost(seconds: int) -> str:
        version = Version.make(seconds, 0, OPERATOR_REPLICA_ID, 0, "0" * 16)
        return describe(json.dumps({**CONFLICT, "lost": str(version)}), NAMES)

    assert lost(0).endswith("eu-west-1 at 11:00:00 UTC won over a repair")
    assert lost(1767265198).endswith("won over a repair at 10:59:58 UTC")


def test_what_a_hop_logs_as_quarantined_or_failed_is_shown_in_words_too() -> None:
    record = {"dynamodb": {"SequenceNumber": "42"}}
    report = BatchReport(
        quarantined=[QuarantinedRecord(record, "too large", "410 KB")],
        failures=[Failure("43", TimeoutError("?"), FailureKind.TRANSIENT)],
    )
    budget = RetryBudget(lambda: 60.0, lambda _: False, reserve_seconds=9.0, max_concurrency=1)
    lines = BatchReporter("us -> eu", False).log_lines(2, report, budget, 0.0)
    quarantined, failed, _ = (describe(json.dumps(line), {}) for line in lines)
    assert quarantined == "quarantined: record 42: too large: 410 KB"
    assert failed == "failed (transient): 1 key: TimeoutError: TimeoutError: ?"


@pytest.mark.parametrize(
    "line", ["Task timed out", "[1]", '{"event": "conflict"}', '{"event": "other"}', "[" * 100_000]
)
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    assert describe(line, NAMES) == line
    assert describe("a\x1b[2Jb", NAMES) == r"a\x1b[2Jb"


def test_a_note_is_not_cut_however_narrow_the_terminal_is() -> None:
    for width in (100, 60, 40):
        text = drawn(Snapshot(MEMBERS, (HOP,), (f"us -> eu: {TOLD}",)), width)
        assert TOLD.replace(" ", "") in text.replace("\n", "").replace(" ", "")


BUSY = HopRow(
    "us-east-1 -> eu-west-1", {"records": 1234, "replicated": 1, "conflicts": 1}, 7, 12.4, "paused"
)
LONG = MemberRow("ap-southeast-2", "ap-southeast-2/a-table-with-a-long-name-of-its-own", 1)


def test_where_a_table_has_no_room_lines_say_the_same() -> None:
    text = drawn(Snapshot((*MEMBERS, LONG), (BUSY,)), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert "us (us-east-1/orders): 1,200 items\n" in text
    one_line = " ".join(text.split())
    assert "a-table-with-a-long-name-of-its-own): 1 item " in one_line
    assert (
        "us-east-1 -> eu-west-1 1,234 records, 1 written, 1 conflict, 7 waiting for up to 12 s, "
        "paused" in one_line
    )
    assert "records   written" in drawn(Snapshot(MEMBERS, (HOP,)), 60)


class Resized(Console):
    """A terminal whose size changes."""

    def __init__(self, size: ConsoleDimensions) -> None:
        super().__init__(file=io.StringIO(), force_terminal=True, force_interactive=True)
        self.dimensions = size

    @property
    def size(self) -> ConsoleDimensions:
        return self.dimensions

    @size.setter
    def size(self, new: object) -> None:
        raise NotImplementedError


def test_a_terminal_of_another_size_is_redrawn_with_what_stands_above() -> None:
    console = Resized(ConsoleDimensions(100, 40))

    def snapshots() -> Iterator[Snapshot]:
        yield Snapshot(MEMBERS, (HOP,))
        yield Snapshot(MEMBERS, (HOP,), ("before",))
        console.dimensions = ConsoleDimensions(60, 40)
        yield Snapshot(MEMBERS, (HOP,), ("after",))

    show(snapshots(), console, lambda: console.print("the ring's endpoint"))
    assert isinstance(console.file, io.StringIO)
    before, *after = console.file.getvalue().split("\x1b[2J")
    assert "before" in before
    assert "endpoint" not in before
    assert len(after) == 1
    assert after[0].count("the ring's endpoint") == 1
    assert after[0].startswith("\x1b[Hthe ring's endpoint\n")
    assert "before" not in after[0]
    assert "after" in after[0]


def test_members_are_shown_with_their_items_and_hops_with_what_they_did() -> None:
    text = drawn(Snapshot(MEMBERS, (HOP,)))
    assert "us-east-1/orders   1,200" in text
    assert [word for word in text.split() if word in ("written", "laps", "conflicts")] == [
        "written",
        "laps",
    ]
    assert "us -> eu" in text


def test_what_is_nothing_unusual_is_shown_from_the_start() -> None:
    text = drawn(Snapshot(MEMBERS, (HopRow("us -> eu", {}, 0, None, ""),)))
    assert {"records", "written", "laps", "waiting", "lag"} <= set(text.split())


def test_a_counter_is_shown_once_it_counts_something() -> None:
    hop = HopRow("us -> eu", {"records": 3, "conflicts": 1}, 7, 12.4, "paused")
    text = drawn(Snapshot(MEMBERS, (hop,), ("us -> eu: something happened",)))
    assert "conflicts" in text
    assert "12 s" in text
    assert "paused" in text
    assert "something happened" in text


def test_without_a_terminal_only_what_changed_is_shown() -> None:
    first = Snapshot(MEMBERS, (HOP,))
    assert list(changes(Snapshot(), first)) == [
        "items: us 1,200, eu 1,199",
        "us -> eu: 3 records, 2 written, 1 lap",
    ]
    assert list(changes(first, first)) == []
    slow = HopRow("us -> eu", HOP.counts, 5, 2.2, "no stream there")
    later = Snapshot(MEMBERS, (slow,), ("us -> eu: careful",))
    assert list(changes(first, later)) == [
        "us -> eu: 3 records, 2 written, 1 lap, 5 waiting for up to 2 s, no stream there",
        "us -> eu: careful",
    ]


def test_hops_that_did_nothing_are_not_shown() -> None:
    idle = HopRow("us -> eu", {"failures": 0}, 0, None, "")
    assert list(changes(Snapshot(MEMBERS), Snapshot(MEMBERS, (idle,)))) == []


def test_the_lines_of_batches_are_summed_and_all_others_kept_as_they_are() -> None:
    tally = HopTally()
    for line in (
        '{"event": "batch", "hop": "a -> b", "records": 3, "laps": 1, "ok": true}',
        '{"event": "batch", "hop": "a -> b", "records": 2}',
        '{"event": "conflict", "records": 9}',
        "Traceback (most recent call last):",
        "[1]",
        "{",
    ):
        tally.add_line(line)
    assert dict(tally.read()) == {"records": 5, "laps": 1}
    assert list(tally.notes) == [
        '{"event": "conflict", "records": 9}',
        "Traceback (most recent call last):",
        "[1]",
        "{",
    ]
