"""The operator's rights that docs/reference/iam.md lists: all that each command calls."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from automate import main
from local.clients import HOME_ACCOUNT
from local.ring import LocalRing
from ring.project import PROJECT_ROOT
from tests.permissions.calls import Ear, listening
from tests.permissions.deploying import ACTIONS
from tests.support.local_rings import PATIENCE, item, put, ring_of
from tests.support.quarantined_ring import NULL, drop_index, entries, give_up, quarantine_items
from tests.support.stream_records import stamped

HERE, THERE = "us-east-1", "eu-west-1"
OPERATOR = f"arn:aws:iam::{HOME_ACCOUNT}:role/operates"
DOCS = (PROJECT_ROOT / "docs" / "reference" / "iam.md").read_text().partition("## Operator")[2]


class Operator:
    """Runs commands on a ring, and hears what each calls."""

    def __init__(self, ring: LocalRing, ear: Ear) -> None:
        self.ring = ring
        self.called: dict[str, set[str]] = defaultdict(set)
        self._ear = ear

    def run(self, row: str, *words: str) -> str:
        """Run a command, whose calls count for a row of the table; return its output."""
        self._ear.recorded.clear()
        with self._ear.opened():
            command = [*words, "--local", self.ring.endpoint]
            result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert result.exit_code in (0, 1), result.output
        for call in self._ear.recorded:
            name = ACTIONS.get((call.service, call.operation), call.operation)
            self.called[row].add(f"{call.service}:{name}")
        return result.output


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    folder = tmp_path_factory.mktemp("operator")
    with pytest.MonkeyPatch.context() as patch, ring_of(2) as ring, listening() as ear:
        patch.chdir(folder)
        ear.whose = defaultdict(lambda: OPERATOR)
        operator = Operator(ring, ear)
        look(operator)
        resolve(operator)
        compare(operator)
        replay(operator)
        yield operator.called


def look(operator: Operator) -> None:
    operator.run("status", "status")
    operator.run("lag", "lag")


def compare(operator: Operator) -> None:
    """Let every command that compares find something: at one member, at the other, deleted."""
    ring = operator.ring
    for key in ("gone", "kept"):
        put(ring, HERE, item(key))
    ring.wait_until_quiet(PATIENCE)
    ring.client(HERE).delete_item(TableName="orders", Key=item("gone"))
    ring.wait_until_quiet(PATIENCE)
    with ring.paused(HERE), ring.paused(THERE):
        put(ring, HERE, item("new"))
        ring.client(THERE).delete_item(TableName="orders", Key=item("kept"))
        late = stamped(item("gone", at={"S": "late"}), 1)
        ring.client(THERE).put_item(TableName="orders", Item=late)
        operator.run("check", "check", "--settle-seconds", "0", "--tombstones")
        operator.run("check", "check", "--settle-seconds", "0", "--pairwise")
        operator.run("repair", "repair", "--settle-seconds", "0", "--prefer", HERE, "--yes")
        put(ring, HERE, item("filled"))
        operator.run("backfill", "backfill", "--into", THERE, "--yes")
    ring.wait_until_quiet(PATIENCE)


def replay(operator: Operator) -> None:
    ring = operator.ring
    put(ring, HERE, item("deleted"))
    ring.wait_until_quiet(PATIENCE)
    quarantine_items(ring, "a", "b")
    put(ring, HERE, item("deleted", **NULL))
    give_up(ring, "c", "d", **NULL)
    ring.wait_until_quiet(PATIENCE)
    operator.run("redrive", "redrive")
    one = next(entry for entry in entries(ring) if entry["keys"] == [item("a")])
    operator.run("discard", "discard", one["id"], "--yes")
    operator.run("redrive", "redrive", "--all", "--yes")
    with ring.paused(HERE):
        ring.client(HERE).delete_item(TableName="orders", Key=item("deleted"))
        drop_index(ring)
        operator.run("redrive", "redrive", "--all", "--yes")
    ring.wait_until_quiet(PATIENCE)


def resolve(operator: Operator) -> None:
    ring = operator.ring
    with ring.paused(HERE), ring.paused(THERE):
        for member in (HERE, THERE):
            put(ring, member, item("both", at={"S": member}))
    ring.wait_until_quiet(PATIENCE)
    end = time.monotonic() + PATIENCE
    while not (found := conflicts_of(operator)):  # a function's lines may come after its response
        assert time.monotonic() < end
    conflict = found[0]
    operator.run("conflicts list --open", "conflicts", "list", "--open")
    operator.run("conflicts list --open", "conflicts", "show", conflict)
    own = Path("own.json")
    own.write_text('{"id": "both", "at": "nowhere"}')
    operator.run("conflicts resolve", "conflicts", "resolve", conflict, "--item", str(own), "--yes")


def conflicts_of(operator: Operator) -> list[str]:
    """Return the IDs of all conflicts."""
    output = operator.run("conflicts list", "conflicts", "list", "--json")
    return re.findall(r'"id": "(\w+)"', output)


def documented() -> dict[str, set[str]]:
    """Return the actions of each row; `the same` is what the row before has."""
    rows: dict[str, set[str]] = {}
    before: set[str] = set()
    for commands, text in re.findall(r"^\| (`.*?) \| (.*) \|$", DOCS, re.MULTILINE):
        actions, service = {*before} if "the same" in text else set(), ""
        for code in re.findall(r"`([\w:]+)`", text):
            service = code.partition(":")[0] if ":" in code else service
            actions.add(f"{service}:{code.rpartition(':')[2]}")
        before = actions
        for name in re.findall(r"`([^`]+)`", commands):
            rows[name] = actions
    return rows


@pytest.mark.long
def test_all_that_a_command_calls_is_listed(called: dict[str, set[str]]) -> None:
    listed = documented()
    assert {row: names - listed[row] for row, names in called.items() if names - listed[row]} == {}


@pytest.mark.long
def test_each_row_of_actions_has_a_command_that_was_run(called: dict[str, set[str]]) -> None:
    others = {"bypass", "rejoin", "pause", "resume", "watch", "trial", "show", "--distributed"}
    assert documented().keys() - others == called.keys()
