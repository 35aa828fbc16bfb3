"""What a person sees of a ring, on a terminal and in a file."""

from __future__ import annotations

import io

from rich.console import Console

from local.hop import HopTally
from local.view import HopRow, MemberRow, Snapshot, changes, picture

MEMBERS = (MemberRow("us", "us-east-1/orders", 1200), MemberRow("eu", "eu-west-1/orders", 1199))
HOP = HopRow("us -> eu", {"records": 3, "replicated": 2, "laps": 1}, 0, None, "")


def drawn(snapshot: Snapshot) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(picture(snapshot))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


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


def test_without_a_terminal_only_what_changed_is_told() -> None:
    first = Snapshot(MEMBERS, (HOP,))
    assert list(changes(Snapshot(), first)) == [
        "items: us 1,200, eu 1,199",
        "us -> eu: 3 records, 2 written, 1 laps",
    ]
    assert list(changes(first, first)) == []
    slow = HopRow("us -> eu", HOP.counts, 5, 2.2, "no stream there")
    later = Snapshot(MEMBERS, (slow,), ("us -> eu: careful",))
    assert list(changes(first, later)) == [
        "us -> eu: 3 records, 2 written, 1 laps, 5 waiting for up to 2 s, no stream there",
        "us -> eu: careful",
    ]


def test_hops_that_did_nothing_are_not_told_of() -> None:
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
        tally.hear(line)
    assert dict(tally.read()) == {"records": 5, "laps": 1}
    assert list(tally.notes) == [
        '{"event": "conflict", "records": 9}',
        "Traceback (most recent call last):",
        "[1]",
        "{",
    ]
