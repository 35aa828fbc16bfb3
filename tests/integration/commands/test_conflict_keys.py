"""`automate.py conflicts resolve --item`, in a table with a sort key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.ring import LocalRing
from operate.conflicts.reading import Conflicts
from operate.conflicts.ring_conflicts import logged_conflicts
from tests.support.local_rings import PATIENCE, REGIONS, put, ring_of

HERE, THERE = REGIONS[:2]
ITEM = {"part": "p" * 1500, "sort": "s", "v": "merged"}
TABLE = {
    "name": "orders",
    "partition_key": {"name": "part", "type": "S"},
    "sort_key": {"name": "sort", "type": "S"},
    "global_indexes": [{"name": "by-v", "partition_key": {"name": "v", "type": "S"}}],
}


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2, table=TABLE) as two:
        yield two


@pytest.fixture
def conflict(ring: LocalRing, monkeypatch: pytest.MonkeyPatch) -> str:
    """ID of a conflict whose log lines name the sort key first.

    A stream record's key is a map, whose order says nothing:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """

    def sort_key_first(*arguments: Any, **named: Any) -> Conflicts:
        found = logged_conflicts(*arguments, **named)
        entries = [replace(one, key=dict(reversed(list(one.key.items())))) for one in found.entries]
        return replace(found, entries=tuple(entries))

    monkeypatch.setattr("commands.conflicts.group.logged_conflicts", sort_key_first)
    with ring.paused():
        for word in (HERE, THERE):
            put(ring, word, {name: {"S": text} for name, text in {**ITEM, "v": word}.items()})
    ring.wait_until_quiet(PATIENCE)
    end = time.monotonic() + PATIENCE
    while not (found := listed(ring)):  # a function's lines may come after its response
        assert time.monotonic() < end
        time.sleep(0.05)
    (entry,) = found
    assert list(entry["key"]) == ["sort", "part"]
    return str(entry["id"])


def listed(ring: LocalRing) -> list[Any]:
    ring.flush()
    found = json.loads(conflicts(ring, "list", "--open", "--json").stdout)
    return list(found["rings"][0]["conflicts"])


def conflicts(ring: LocalRing, *arguments: str) -> Result:
    given = ["conflicts", *arguments, "--local", ring.endpoint]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_an_item_is_checked_by_the_keys_of_the_table_and_not_by_their_order_in_the_log(
    ring: LocalRing, conflict: str, tmp_path: Path
) -> None:
    file = tmp_path / "item.json"
    file.write_text(json.dumps({**ITEM, "v": 1}))
    refused = conflicts(ring, "resolve", conflict, "--item", str(file), "--yes")
    assert (refused.exit_code, "v: the key must have type S, not N" in refused.output) == (2, True)
    file.write_text(json.dumps(ITEM))
    done = conflicts(ring, "resolve", conflict, "--item", str(file), "--yes")
    assert (done.exit_code, "Written at" in done.output) == (0, True), done.output
