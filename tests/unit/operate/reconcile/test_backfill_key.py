"""Backfill of one key, over members in memory."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.image import KNOWN_AT, VERSION, Image, Write
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import ConditionFailed
from operate.reconcile.backfill_key import BackfillOutcome, BackfillPath, backfill_key
from tests.simulation.member import SimulatedStore
from tests.support.pair import KEY, item, run, version_at
from tests.support.three_members import PLACES, Three
from tests.unit.handler.protocol.test_replicate import arrived, deleted


@pytest.fixture
def three() -> Three:
    return Three()


COPY = arrived("a", PLACES[0])


def test_a_backfilled_copy_is_unchanged_and_lists_the_next_members_that_have_it(
    three: Three,
) -> None:
    three.source.items["1"] = three.next.items["1"] = COPY.item
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.target.items["1"] == {**COPY.item, KNOWN_AT: {"SS": [PLACES[2].id]}}
    assert three.target.writes == 1


@pytest.mark.parametrize("seconds", [None, 800])
def test_a_member_without_it_or_with_an_older_one_is_not_listed(
    three: Three, seconds: int | None
) -> None:
    three.source.items["1"] = COPY.item
    if seconds:
        three.next.items["1"] = arrived("older", PLACES[1], seconds=seconds).item
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.target.items["1"] == COPY.item


@pytest.mark.parametrize("origin", PLACES, ids=["of the source", "of the target", "of the next"])
def test_a_newer_item_of_the_next_member_is_taken_from_there(
    three: Three, origin: ReplicaId
) -> None:
    """The target may have written it and lost it: its copy at the source would end its lap."""
    newer = arrived("newer", origin, seconds=950)
    three.source.items["1"], three.next.items["1"] = COPY.item, newer.item
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.target.items["1"] == {**newer.item, KNOWN_AT: {"SS": [PLACES[2].id]}}
    three.run_hops(laps=2)
    assert three.contents() == [item("a"), item("newer"), item("newer")]
    assert three.target.writes == 1


def test_an_origins_item_gets_the_version_that_its_copies_have(three: Three) -> None:
    three.source.items["1"] = item("a")
    three.next.items["1"] = COPY.item
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.target.items["1"][VERSION] == {"B": COPY.version}


def test_an_item_without_a_version_anywhere_is_older_than_any_write(three: Three) -> None:
    three.source.items["1"] = item("a")
    assert three.fill() is BackfillOutcome.WRITTEN
    version = Image(three.target.items["1"]).version
    assert version is not None
    assert (version.seconds, version.replica) == (0, PLACES[0].id)


def test_a_backfilled_item_beside_the_newest_delete_was_written_after_it(three: Three) -> None:
    delete = deleted(PLACES[0])
    three.source.items["1"] = item("a")
    three.source.tombstones["1"] = three.next.tombstones["1"] = delete
    assert three.fill() is BackfillOutcome.WRITTEN
    three.run_hops(laps=2)
    assert three.contents() == [item("a")] * 3
    assert version_at(three.target) > delete.version


@pytest.mark.parametrize(
    "deleter", [PLACES[0], PLACES[2], ReplicaId("0" * 8, "z", "t")], ids=["source", "next", "other"]
)
def test_an_item_beside_a_delete_replaces_no_later_write_that_arrives_meanwhile(
    three: Three, deleter: ReplicaId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it in one second."""
    delete = deleted(deleter)
    three.source.items["1"] = item("a")
    three.source.tombstones["1"] = three.next.tombstones["1"] = delete
    above = delete if delete.version > arrived("b", PLACES[0], sequence=9).version else None
    later = arrived("b", PLACES[0], sequence=9, over=above)
    put = SimulatedStore.put

    async def put_after_the_later_write(store: SimulatedStore, *arguments: Any) -> Any:
        three.target.items["1"] = later.item
        return await put(store, *arguments)

    monkeypatch.setattr(SimulatedStore, "put", put_after_the_later_write)
    assert three.fill() is BackfillOutcome.ALREADY_PRESENT
    assert three.target.items["1"] == later.item


def test_of_two_members_the_item_beside_its_members_tombstone_is_filled(three: Three) -> None:
    source, target, _ = three.ends
    three.source.items["1"] = item("a")
    three.source.tombstones["1"] = deleted(PLACES[0])
    path = BackfillPath(source, target, [source], [])
    assert run(backfill_key(path, KEY, item("a"))) is BackfillOutcome.WRITTEN
    assert three.target.items["1"][KNOWN_AT] == {"SS": [PLACES[0].id]}


@pytest.mark.parametrize("at_source", [None, deleted(PLACES[2], seconds=850)])
def test_an_item_is_left_to_its_record_where_a_later_delete_may_come_first(
    three: Three, at_source: Write | None
) -> None:
    three.source.items["1"] = item("a")
    if at_source:
        three.source.tombstones["1"] = at_source
    three.next.tombstones["1"] = deleted(PLACES[2])
    assert three.fill() is BackfillOutcome.PENDING_RECORD
    assert three.target.items == {}


def test_an_item_that_was_deleted_since_it_was_read_is_left_to_that_record(three: Three) -> None:
    source, target, following = three.ends
    three.source.tombstones["1"] = deleted(PLACES[0])
    path = BackfillPath(source, target, [following], [following])
    assert run(backfill_key(path, KEY, item("a"))) is BackfillOutcome.PENDING_RECORD
    assert three.target.items == {}


def test_a_copy_is_put_though_a_stub_that_refused_it_goes_meanwhile(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    three.source.items["1"] = COPY.item
    three.target.items["1"] = deleted(PLACES[0], seconds=850).item
    put = SimulatedStore.put

    async def put_as_the_stub_goes(store: SimulatedStore, *arguments: Any) -> Any:
        outcome = await put(store, *arguments)
        if isinstance(outcome, ConditionFailed):
            three.target.items.pop("1", None)
        return outcome

    monkeypatch.setattr(SimulatedStore, "put", put_as_the_stub_goes)
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.contents()[1] == item("a")


@pytest.mark.parametrize(
    "existing", [COPY.item, arrived("newer", PLACES[2], seconds=950).item], ids=["same", "newer"]
)
def test_the_same_or_a_newer_item_stays(three: Three, existing: Any) -> None:
    three.source.items["1"] = COPY.item
    three.target.items["1"] = existing
    assert three.fill() is BackfillOutcome.ALREADY_PRESENT
    assert three.target.items["1"] == existing


def test_an_older_item_is_replaced(three: Three) -> None:
    three.source.items["1"] = COPY.item
    three.target.items["1"] = arrived("older", PLACES[2], seconds=800).item
    assert three.fill() is BackfillOutcome.WRITTEN
    assert three.contents()[1] == item("a")


def test_an_applications_write_is_left_to_its_record(three: Three) -> None:
    three.source.items["1"] = COPY.item
    three.target.items["1"] = item("just written")
    assert three.fill() is BackfillOutcome.PENDING_RECORD
    assert three.contents()[1] == item("just written")


@pytest.mark.parametrize("place", [1, 2], ids=["target", "next"])
def test_an_item_deleted_since_is_not_restored(three: Three, place: int) -> None:
    three.source.items["1"] = COPY.item
    three.members[place].tombstones["1"] = deleted(PLACES[2], seconds=950)
    assert three.fill() is BackfillOutcome.ALREADY_PRESENT
    assert three.target.items == {}


@pytest.mark.parametrize("place", [1, 2], ids=["target", "next"])
def test_a_backfill_does_not_choose_between_items_without_a_version(
    three: Three, place: int
) -> None:
    three.source.items["1"] = item("a")
    three.members[place].items["1"] = item("b")
    before = three.contents()
    assert three.fill() is BackfillOutcome.CONFLICT
    assert three.contents() == before
