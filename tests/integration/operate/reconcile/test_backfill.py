"""Members that are filled from others, while applications write at both and hops run."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from handler.model.image import Item, Key
from local.endpoint.fault_injection import throttling
from local.ring import LocalRing
from operate.backfill_operation import plan_route
from operate.errors import InvalidRequestError
from operate.reconcile.backfill import backfill
from operate.reconcile.backfill_key import BackfillOutcome, BackfillPath, backfill_key
from operate.reconcile.journal import Journal
from operate.stop import Stop, StoppedError
from tests.support.local_rings import PATIENCE, REGIONS, costs, get, item, put, ring_of
from tests.support.whole_tables import empty, lead_to, reached, unseen, writing

FIRST, SECOND, THIRD = REGIONS[:3]
KEYS = [f"k{number}" for number in range(30)]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalRing]:
    with ring_of(3) as three:
        lead_to(three, monkeypatch, tmp_path)
        yield three


@pytest.fixture
def emptied(ring: LocalRing) -> LocalRing:
    """A ring whose second member lost all; a third of the items were written there, once."""
    empty(ring, SECOND, KEYS)
    return ring


@pytest.fixture
def adopted(ring: LocalRing) -> LocalRing:
    """A ring whose first member has items that are in no stream."""
    with unseen(ring):
        for key in KEYS:
            put(ring, FIRST, item(key, v={"S": "old"}))
    return ring


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("backfill", "--stack", "dev", *arguments))


def outcome(*arguments: str) -> dict[str, Any]:
    (one,) = json.loads(command(*arguments, "--yes", "--json").stdout)["rings"]
    return dict(one)


def test_an_emptied_member_is_filled_at_one_write_an_item(emptied: LocalRing) -> None:
    with costs(emptied, len(KEYS)):
        done = outcome("--into", SECOND)
    assert (done["read"], done["written"], done["skipped"]) == (len(KEYS), len(KEYS), 0)
    assert emptied.differences() == []
    assert emptied.meter.read().count(refused=True, table="orders") == 0


def test_what_was_there_before_the_ring_costs_one_write_at_each_other_member(
    adopted: LocalRing,
) -> None:
    with costs(adopted, 2 * len(KEYS)):
        result = command("--all", "--yes")
    assert result.exit_code == 0
    assert adopted.differences() == []
    # What is written later is newer, wherever.
    put(adopted, THIRD, item("k1", v={"S": "new"}))
    adopted.client(SECOND).delete_item(TableName="orders", Key=item("k2"))
    adopted.wait_until_quiet(PATIENCE)
    assert [get(adopted, word, "k1") for word in REGIONS[:3]] == [item("k1", v={"S": "new"})] * 3
    assert [get(adopted, word, "k2") for word in REGIONS[:3]] == [None] * 3


@pytest.mark.long
def test_filling_again_writes_nothing(emptied: LocalRing) -> None:
    outcome("--into", SECOND)
    emptied.wait_until_quiet(PATIENCE)
    with costs(emptied, 0):
        assert outcome("--into", SECOND)["present"] == len(KEYS)


def test_what_differs_on_both_sides_from_before_is_left_and_reported(ring: LocalRing) -> None:
    with unseen(ring):
        put(ring, FIRST, item("k1", v={"S": "here"}))
        put(ring, SECOND, item("k1", v={"S": "there"}))
    done = outcome("--all")
    # The third has nothing, and whose it should get is not for a backfill to say.
    assert done["skipped"] == 2
    assert {(str(one["key"]), one["reason"]) for one in done["skipped_keys"]} == {
        ("{'id': {'S': 'k1'}}", "conflict")
    }
    assert get(ring, FIRST, "k1") == item("k1", v={"S": "here"})
    assert get(ring, SECOND, "k1") == item("k1", v={"S": "there"})


@pytest.mark.long
@pytest.mark.parametrize("made", ["emptied", "adopted"])
def test_under_writers_and_throttling_all_end_equal(
    made: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ring: LocalRing = request.getfixturevalue(made)
    members = reached(ring)
    routes = [plan_route(members, name) for name in REGIONS[:3]]
    with (
        writing(ring, keys=20, prefix="k"),
        ring.faults.inject(throttling(SECOND, 0.2)),
        Journal(tmp_path / "j", "x") as journal,
    ):
        backfill(members, routes, journal)
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    assert get(ring, THIRD, "k29") is not None


@pytest.mark.long
def test_an_interrupted_backfill_goes_on_where_it_was(adopted: LocalRing, tmp_path: Path) -> None:
    stop = Stop()
    members = reached(adopted, stop=stop)
    routes = [plan_route(members, SECOND)]

    def interrupt(what: str, done: int, of: int) -> None:
        if done == 5:
            stop.ask()

    before = adopted.meter.read()
    with Journal(tmp_path / "j", "x") as journal, pytest.raises(StoppedError):
        backfill(members, routes, journal, segments=10, on_progress=interrupt)
    with Journal(tmp_path / "j", "x") as journal:
        first = journal.read_count()
        assert 5 <= first < len(KEYS)
        members = reached(adopted)
        done = backfill(members, routes, journal, segments=10)
    assert (done.read, done.outcomes) == (len(KEYS), {BackfillOutcome.WRITTEN: len(KEYS) - first})
    adopted.wait_until_quiet(PATIENCE)
    tally = adopted.meter.read() - before
    assert tally.count(["PutItem"], region=SECOND, table="orders") == len(KEYS)
    assert adopted.differences() == []


@pytest.mark.long
def test_segments_are_filled_side_by_side(
    emptied: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each segment's first item waits until all segments have begun."""
    segments = 3
    begun = threading.Barrier(segments)
    waiting: set[int] = set()

    async def fill_together(path: BackfillPath, key: Key, found: Item) -> BackfillOutcome:
        if threading.get_ident() not in waiting:
            waiting.add(threading.get_ident())
            await asyncio.to_thread(begun.wait, 60)
        return await backfill_key(path, key, found)

    monkeypatch.setattr("operate.reconcile.backfill.backfill_key", fill_together)
    members = reached(emptied)
    with Journal(tmp_path / "j", "x") as journal:
        done = backfill(members, [plan_route(members, SECOND)], journal, segments=segments)
    assert (done.read, done.outcomes[BackfillOutcome.WRITTEN]) == (len(KEYS), len(KEYS))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Pass --into NAME or --all"),
        (("--into", FIRST, "--all"), "Pass --into NAME or --all"),
        (("--into", "mars-1", "--yes"), "mars-1: no member has this name. Members: "),
        (("--into", FIRST, "--from", FIRST, "--yes"), "cannot be filled from itself"),
        (("--all", "--from", FIRST, "--yes"), "--from cannot be used with --all"),
        (("--into", FIRST), "pass --yes"),
    ],
)
def test_wrong_use_is_reported(
    running: LocalRing,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    lead_to(running, monkeypatch, tmp_path)
    result = command(*arguments)
    assert (result.exit_code, words in result.output + result.stderr) == (2, True)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


def test_a_member_is_filled_from_the_one_before_it_by_default(
    running: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lead_to(running, monkeypatch, tmp_path)
    members = reached(running)
    assert (plan_route(members, FIRST).source, plan_route(members, SECOND).source) == (1, 0)
    with pytest.raises(InvalidRequestError):
        plan_route(members, SECOND, "mars-1")
