"""Quarantined records that are not to be replayed are deleted, and printed before."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.output.screen import Screen
from local.ring import LocalRing
from tests.support.local_rings import ring_of
from tests.support.quarantined_ring import drop_index, entries, quarantine_items

_keys = itertools.count()


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


@pytest.fixture
def ring(running: LocalRing) -> LocalRing:
    """A ring of two with two new records in its quarantine."""
    quarantine_items(running, *(str(next(_keys)) for _ in range(2)))
    drop_index(running)
    return running


def discard(ring: LocalRing, *arguments: str, answer: str | None = None) -> Result:
    given = ["discard", "--local", ring.endpoint, *arguments]
    return CliRunner().invoke(main, given, input=answer, catch_exceptions=False)


def ids(ring: LocalRing) -> list[str]:
    return [entry["id"] for entry in entries(ring)]


def test_a_record_is_printed_and_then_deleted_and_the_others_stay(ring: LocalRing) -> None:
    first, *others = entries(ring)
    ended = discard(ring, first["id"], "--yes", "--json")
    assert ended.exit_code == 0
    (document,) = json.loads(ended.stdout)["entries"]
    assert document["holds"]["record"]["dynamodb"]["Keys"] == first["keys"][0]
    assert ids(ring) == [entry["id"] for entry in others]


def test_it_asks_and_a_no_deletes_nothing(ring: LocalRing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids(ring)
    monkeypatch.setattr(Screen, "is_interactive", True)  # as at a terminal
    refused = discard(ring, before[0], answer="n\n")
    assert refused.exit_code == 1
    assert '"NewImage"' in refused.output
    assert ids(ring) == before
    assert discard(ring, before[0], answer="y\n").exit_code == 0
    assert ids(ring) == before[1:]


def test_without_a_terminal_it_wants_yes_and_deletes_nothing(ring: LocalRing) -> None:
    before = ids(ring)
    ended = discard(ring, before[0])
    assert (ended.exit_code, "--yes" in ended.output) == (2, True)
    assert ids(ring) == before


def test_with_one_unknown_id_nothing_is_deleted(ring: LocalRing) -> None:
    before = ids(ring)
    ended = discard(ring, before[0], "quarantine/none.json", "--yes")
    assert ended.exit_code == 2
    assert "quarantine/none.json: not in the quarantine" in ended.output
    assert ids(ring) == before
