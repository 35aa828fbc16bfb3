"""A stop request: work in progress is finished and recorded, and nothing else is started."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest

from commands.output import long_work
from handler.store.dynamodb import MemberTables
from operate.distributed.executions import SegmentRunner
from operate.ordered_pool import run_in_order
from operate.reconcile.compare_page import compare_page
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import Page, ParallelScan, ScanSegment, Segment
from operate.reconcile.rate_limit import RateLimiter
from operate.rings import DeployedRing, run_on_all
from operate.stop import Stop, StoppedError

LONG = 100_000.0
PARTS = [ScanSegment(0, Segment("t", number, 3)) for number in range(3)]


def page(name: str, position: str | None) -> Page:
    return Page([{"k": {"S": name}}], None if position is None else {"k": {"S": position}})


def test_results_are_in_order_and_concurrency_is_bounded() -> None:
    running = most = 0

    async def act(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (number % 3))
        running -= 1
        return number * 10

    found = asyncio.run(run_in_order(range(20), act, Stop(), 4))
    assert (found, most) == ([number * 10 for number in range(20)], 4)


def test_a_stop_finishes_work_in_progress_and_starts_nothing() -> None:
    stop, begun = Stop(), list[int]()

    async def act(number: int) -> int:
        begun.append(number)
        if number == 7:
            stop.ask()
        await asyncio.sleep(0)
        return number

    found = asyncio.run(run_in_order(range(100_000), act, stop, 4))
    assert found == sorted(begun) == list(range(len(found)))
    assert 8 <= len(found) < 12


def test_an_outer_stop_applies_to_inner_ones_but_not_the_reverse() -> None:
    outer = Stop()
    inner = Stop(outer)
    inner.ask()
    assert not outer.is_asked
    assert Stop(inner).is_asked


def test_a_page_in_progress_is_yielded_before_a_scan_stops() -> None:
    stop, all_begun = Stop(), threading.Barrier(len(PARTS))

    def read(part: ScanSegment, seen: Stop) -> Page:
        all_begun.wait(60)
        stop.ask()
        while not seen.is_asked:
            time.sleep(0.001)
        return page(f"p{part.segment.number}", "more")

    read_names: list[str] = []

    def sweep() -> None:
        with closing(ParallelScan(PARTS, read, len(PARTS), stop).pages()) as pages:
            read_names.extend(page.items[0]["k"]["S"] for _, page in pages)

    with pytest.raises(StoppedError):
        sweep()
    assert sorted(read_names) == ["p0", "p1", "p2"]


def test_a_scan_that_has_read_all_is_not_stopped() -> None:
    stop = Stop()

    def read(part: ScanSegment, _: Stop) -> Page:
        return page("last", None)

    with closing(ParallelScan(PARTS, read, 1, stop).pages()) as pages:
        for number, _ in enumerate(pages):
            if number == len(PARTS) - 1:
                stop.ask()


def test_a_scan_that_is_closed_early_stops_reads_in_progress() -> None:
    """Without a stop request: for example after an error in the consumer of the pages."""
    begun = threading.Barrier(2)

    def read(part: ScanSegment, seen: Stop) -> Page:
        begun.wait(60)
        if part.segment.number == 0:
            return page("first", None)
        while not seen.is_asked:
            time.sleep(0.001)
        return page("dropped", "more")

    pages = ParallelScan(PARTS[:2], read, 2).pages()
    next(pages)
    pages.close()


def test_a_partly_processed_page_resumes_within_it(tmp_path: Path) -> None:
    start = {"k": {"S": "start"}}
    with Journal(tmp_path / "j", "x") as journal:
        journal.plan(PARTS[:1])
        journal.record_page(PARTS[0], Page([{"k": {"S": "a"}}], start))
        journal.record_page(PARTS[0], Page([{"k": {"S": "b"}}], start, after='[{"S":"b"}]'))
    with Journal(tmp_path / "j", "x") as journal:
        (part,) = journal.parts()
        assert (part.position, part.after, journal.read_count()) == (start, '[{"S":"b"}]', 2)
        journal.record_page(PARTS[0], Page([{"k": {"S": "c"}}], None, after='[{"S":"c"}]'))
        (part,) = journal.parts()
        assert (part.position, part.after) == (None, '[{"S":"c"}]')
        journal.record_page(PARTS[0], Page([{"k": {"S": "d"}}], None))
        assert journal.parts() == []


def test_a_rate_limit_does_not_delay_a_stop() -> None:
    stop = Stop()
    limiter = RateLimiter(1, stop=stop)
    limiter.begin("Scan")
    limiter.end("Scan", LONG)
    waiting = threading.Thread(target=limiter.wait, args=("PutItem",))
    waiting.start()
    assert waiting.is_alive()
    stop.ask()
    waiting.join(60)
    assert not waiting.is_alive()
    with pytest.raises(StoppedError):
        limiter.wait("Scan")


def connection(client: Any, stop: Stop) -> MemberConnection:
    tables = MemberTables("t", None, 0)
    limiter = RateLimiter(None, stop=stop)
    return MemberConnection(
        "m", "us-east-1", "0" * 8, (), client, tables, ("k",), ("S",), None, 0, 0, limiter
    )


def test_a_stop_ends_the_lookup_of_a_page_with_many_keys() -> None:
    stop, requests = Stop(), list[int]()
    lock = threading.Lock()

    def look_up(**request: Any) -> dict[str, Any]:
        with lock:
            requests.append(1)
        stop.ask()
        return {"Responses": {"t": []}, "UnprocessedKeys": {}}

    items = [{"k": {"S": str(number)}} for number in range(10_000)]
    client = Mock(scan=lambda **_: {"Items": items}, batch_get_item=look_up)
    with pytest.raises(StoppedError):
        compare_page([connection(client, stop)] * 2, PARTS[0])
    assert len(requests) <= 10


def test_unprocessed_keys_are_not_requested_after_a_stop() -> None:
    stop = Stop()

    def give_back(**request: Any) -> dict[str, Any]:
        stop.ask()
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    client = Mock(scan=lambda **_: {"Items": [{"k": {"S": "1"}}]}, batch_get_item=give_back)
    with pytest.raises(StoppedError):
        compare_page([connection(client, stop)] * 2, PARTS[0])


@pytest.mark.parametrize("at", [0, 1, 100])
def test_a_stop_ends_the_sorting_and_comparing_of_a_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at: int
) -> None:
    """Before its first key, while SQLite sorts, or later."""
    stop = Stop()
    monkeypatch.setattr("operate.reconcile.journal._STEPS", 100)
    rows = [(f"{number * 7919 % 3_000:04}", "mark") for number in range(3_000)]
    with Journal(tmp_path / "j", "x") as journal:
        journal.plan(PARTS[:1])
        journal.record_page(PARTS[0], Page([], None), rows)

        def keys() -> Any:
            for number, (key, held) in enumerate(journal.keys(1, stop)):
                if number == at:
                    stop.ask()
                yield key, held

        if at == 0:
            stop.ask()
        with pytest.raises(StoppedError):
            journal.add_suspects(keys(), "compare", lambda: 0)
        # All of it is there still.
        assert (journal.phase_count("compare"), journal.open_suspects()) == (None, 0)
        assert len(list(journal.keys(1))) == len(rows)


def test_a_stop_ends_the_wait_for_a_state_machine() -> None:
    stop = Stop()
    stop.ask()
    with pytest.raises(StoppedError):
        SegmentRunner(Mock(), Mock(), Mock(), stop=stop)._sleep()


def test_ctrl_c_waits_for_no_region_when_nothing_is_written() -> None:
    answers, ring = threading.Event(), Mock(cancelled=False)

    def asks(_: DeployedRing) -> None:
        assert answers.wait(60)

    def wait(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operate.rings.wait", Mock(side_effect=[KeyboardInterrupt, None]))
        with pytest.raises(KeyboardInterrupt):
            run_on_all([cast(DeployedRing, ring)], asks, reads_only=True)
    assert not answers.is_set()
    ring.cancel.assert_called_once()
    answers.set()


def test_without_a_terminal_progress_is_printed_now_and_then() -> None:
    at, lines = 0.0, list[str]()
    lines_log = long_work._Lines(lambda: at, lines.append)
    for number in range(30):
        at += 1
        lines_log.update("filling", 1_000 * number, 3_000_000)
    assert lines[:2] == ["filling: 4,000 of 3,000,000", "filling: 9,000 of 3,000,000"]
    assert len(lines) == 6


def test_a_stopped_operation_prints_how_far_it_came() -> None:
    lines = list[str]()
    lines_log = long_work._Lines(lambda: 0.0, lines.append)
    lines_log.update("filling", 1_000, 3_000)
    lines_log.update("filling", 2_000, 3_000)
    lines_log.print_latest()
    lines_log.print_latest()
    assert lines == ["filling: 2,000 of 3,000"]
