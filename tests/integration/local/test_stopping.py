"""Ctrl-C ends a long command in order, whatever a page holds, and it goes on later."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.ring import LocalRing
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE, REGIONS, item, ring_of

FIRST, SECOND = REGIONS[:2]
ITEMS = 150
UNDER_WAY = 32  # items that are begun at any time
Begin = Callable[..., "subprocess.Popen[str]"]
AUTOMATE = PROJECT_ROOT / "automate.py"

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def paused_ring() -> Iterator[LocalRing]:
    with ring_of(2) as two, two.paused():
        yield two


@pytest.fixture
def ring(paused_ring: LocalRing) -> LocalRing:
    """A ring with paused hops, and items at its first member that the second one lacks."""
    for region in (FIRST, SECOND):
        delete(paused_ring, region, held(paused_ring, region))
    write(paused_ring, FIRST, [f"k{number:03}" for number in range(ITEMS)])
    return paused_ring


def write(ring: LocalRing, region: str, keys: Iterable[str]) -> None:
    """Write items at a member, 25 per request."""
    _in_batches(ring, region, [{"PutRequest": {"Item": item(key)}} for key in keys])


def delete(ring: LocalRing, region: str, keys: Iterable[str]) -> None:
    """Delete items at a member, 25 per request."""
    _in_batches(ring, region, [{"DeleteRequest": {"Key": item(key)}} for key in keys])


def _in_batches(ring: LocalRing, region: str, requests: list[Any]) -> None:
    for first in range(0, len(requests), 25):
        batch = requests[first : first + 25]
        ring.client(region).batch_write_item(RequestItems={"orders": batch})


def held(ring: LocalRing, word: str) -> set[str]:
    """The keys that a member has."""
    pages = ring.client(word).get_paginator("scan").paginate(TableName="orders")
    return {one["id"]["S"] for page in pages for one in page["Items"]}


class Watcher:
    """Counts calls to a member's tables, and has something done at one of them."""

    def __init__(self, region: str, operation: str) -> None:
        self.count = 0
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.at = 0
        self.holds = False
        """Whether that call and later ones wait until the gate is opened."""
        self._wanted = (region, operation)
        self._lock = threading.Lock()

    def __call__(self, region: str, operation: str) -> None:
        if (region, operation) != self._wanted:
            return
        with self._lock:
            self.count += 1
            if self.count == self.at:
                if self.holds:
                    self.gate.clear()
                self.reached.set()
        assert self.gate.wait(PATIENCE)


@pytest.fixture
def begin(ring: LocalRing, tmp_path: Path) -> Iterator[Begin]:
    """Runs a command on the ring as a process of its own, which does not outlive the test."""
    begun: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(AUTOMATE), *arguments, "--local", ring.endpoint],
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of a process and all that it said."""
    said = "".join(process.communicate(timeout=PATIENCE))
    return process.returncode, said


def ring_in(said: str) -> dict[str, Any]:
    """What a process said of its ring in JSON, on stdout, before all that is on stderr."""
    document, _ = json.JSONDecoder().raw_decode(said)
    return dict(document["rings"][0])


FILL = ("backfill", "--into", SECOND, "--yes")


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_backfill_ends_behind_the_items_in_flight_and_fills_the_rest_later(
    ring: LocalRing, begin: Begin, tmp_path: Path, word: signal.Signals
) -> None:
    puts = Watcher(SECOND, "PutItem")
    puts.at, puts.holds = 20, True
    with ring.faults.inject(puts):
        process = begin(*FILL)
        assert puts.reached.wait(PATIENCE)
        process.send_signal(word)
        threading.Timer(1.0, puts.gate.set).start()  # the signal has arrived by then
        code, said = ended(process)
        assert (code, "Stopping; finishing the work in progress." in said) == (1, True), said
        assert "run the same command again to resume" in said
        assert puts.count < 20 + 2 * UNDER_WAY
        assert len(held(ring, SECOND)) == puts.count

        code, said = ended(begin(*FILL, "--json"))
        result = ring_in(said)
        first = ITEMS - result["written"]
    # No item was put twice, and none was left out.
    assert (code, puts.count, first < 20 + 2 * UNDER_WAY) == (0, ITEMS, True)
    assert (result["present"], result["read"]) == (0, ITEMS)
    assert held(ring, SECOND) == held(ring, FIRST)
    assert list((tmp_path / ".dynamodb-ring").iterdir()) == []


def test_a_second_ctrl_c_ends_it_at_once_and_harms_nothing(ring: LocalRing, begin: Begin) -> None:
    puts = Watcher(SECOND, "PutItem")
    puts.at = 1
    puts.gate.clear()
    with ring.faults.inject(puts):
        process = begin(*FILL)
        assert puts.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.stdout
        while "Stopping" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        # No call is answered before it has ended.
        code, said = ended(process)
        puts.gate.set()
        assert (code, "Ended at once." in said, "Traceback" in said) == (1, True, False)
        code, said = ended(begin(*FILL))
    assert code == 0, said
    assert held(ring, SECOND) == held(ring, FIRST)


def test_on_a_terminal_a_bar_shows_how_many_items_are_done(ring: LocalRing, tmp_path: Path) -> None:
    puts = Watcher(SECOND, "PutItem")
    puts.at = 10
    shown, terminal = pty.openpty()
    text = bytearray()
    with ring.faults.inject(puts):
        with subprocess.Popen(
            [sys.executable, str(AUTOMATE), *FILL, "--local", ring.endpoint],
            cwd=tmp_path,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        ) as process:
            os.close(terminal)
            while f" of {ITEMS}".encode() not in text:
                text += os.read(shown, 4096)
            process.send_signal(signal.SIGINT)
            while chunk := rest_of(shown):
                text += chunk
        assert process.returncode == 1
    assert puts.count < ITEMS
    assert b"filling" in text
    assert b"Stopping" in text


def rest_of(shown: int) -> bytes:
    """What else a terminal shows; nothing when nobody has it open any more."""
    try:
        return os.read(shown, 4096)
    except OSError:
        return b""


def test_a_stopped_check_goes_on_with_what_it_has_not_looked_at(
    ring: LocalRing, begin: Begin
) -> None:
    reads = Watcher(SECOND, "GetItem")
    reads.at = 20
    check = ("check", "--settle-seconds", "0", "--json")
    with ring.faults.inject(reads):
        process = begin(*check)
        assert reads.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        code, said = ended(process)
        assert (code, "Stopping" in said, '"kind": "failed"' in said) == (1, True, True), said
        assert reads.count < 20 + 4 * UNDER_WAY
        code, said = ended(begin(*check))
    result = ring_in(said)
    assert (code, result["differing"], result["compared"]) == (1, ITEMS, ITEMS)
    assert re.search(r"Resuming from \S+, written \d+ s ago: what was read", said)


def test_a_stopped_repair_mends_the_rest_later(ring: LocalRing, begin: Begin) -> None:
    puts = Watcher(SECOND, "PutItem")
    puts.at = 20
    repair = ("repair", "--settle-seconds", "0", "--prefer", FIRST, "--yes")
    with ring.faults.inject(puts):
        process = begin(*repair)
        assert puts.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        code, said = ended(process)
        assert (code, "Stopping" in said) == (1, True), said
        assert puts.count < 20 + 4 * UNDER_WAY
        code, said = ended(begin(*repair))
    assert code == 0, said
    assert held(ring, SECOND) == held(ring, FIRST)


def test_waiting_for_what_is_in_transit_ends_at_once(ring: LocalRing, begin: Begin) -> None:
    reads = Watcher(SECOND, "GetItem")
    reads.at = 2  # one key's item and tombstone
    with ring.faults.inject(reads):
        process = begin("check", "--sample", "3", "--settle-seconds", "100000")
        assert reads.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        code, said = ended(process)
    assert (code, "Stopped. Progress is saved" in said) == (1, True), said
