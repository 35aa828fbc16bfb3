"""What a backfill put here: its hop passes it on to those alone who were not seen to have it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handler.model.image import Image, Write, digest
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Action
from tests.support.pair import ELSEWHERE, KEY, THERE, Pair, item, seen
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def filled(value: str, *known: Any, seconds: int = 900) -> Write:
    """A write from elsewhere, as a backfill puts it."""
    write = arrived(value, ELSEWHERE, seconds=seconds)
    return replace(write, item={**write.item, "_repl_known": {"SS": [one.id for one in known]}})


def test_what_the_next_member_is_known_to_have_costs_nothing_there() -> None:
    pair = Pair()
    pair.here.write(KEY, filled("a", THERE).item)
    (outcome,) = pair.process()
    assert (outcome.action, outcome.written_at) == (Action.LAP_COMPLETED, None)
    assert (pair.there.items, pair.there.writes, pair.there.reads) == ({}, 0, 0)


def test_what_another_is_known_to_have_is_passed_on_as_it_is() -> None:
    pair = Pair()
    write = filled("a", ELSEWHERE)
    pair.here.write(KEY, write.item)
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]
    assert pair.there.items["1"] == write.item


@pytest.mark.parametrize(
    ("origin", "did"), [(ELSEWHERE, Action.REPLICATED), (THERE, Action.LAP_COMPLETED)]
)
def test_what_was_there_before_the_ring_reports_no_lag_of_decades(
    origin: ReplicaId, did: Action
) -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("a", origin, seconds=0).item)
    (outcome,) = pair.process()
    assert (outcome.action, outcome.written_at) == (did, None)


def test_behind_a_newer_delete_it_is_taken_away_again() -> None:
    pair = Pair()
    delete = deleted(ELSEWHERE, seconds=950)
    pair.here.tombstones["1"] = pair.there.tombstones["1"] = delete
    pair.here.write(KEY, filled("a", THERE).item)
    pair.process()
    assert pair.here.items == {}


def test_an_edit_is_sent_without_it() -> None:
    pair = Pair()
    write = filled("a", THERE)
    pair.here.write(KEY, write.item)
    pair.process()
    pair.here.write(KEY, {**write.item, "v": {"S": "edited"}})
    pair.process()
    assert seen(pair.there) == item("edited")
    assert "_repl_known" not in pair.there.items["1"]


def test_it_is_no_part_of_the_digest() -> None:
    write = filled("a", THERE)
    assert digest(write.item) == digest(item("a"))
    assert Image(write.item).is_clean
