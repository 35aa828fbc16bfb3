"""Backfill and repair of one key, over members in memory."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import Mock

import pytest

from handler.model.image import KNOWN_AT, VERSION, Image, application_attributes
from handler.model.records import read_change
from handler.model.version import OPERATOR_REPLICA_ID
from handler.protocol.decide import ReplicaId
from handler.protocol.hop import Hop
from handler.protocol.replicate import replicate
from handler.store.dynamodb import DynamoStore, MemberTables
from operate.reconcile.backfill_key import BackfillOutcome, BackfillPath, backfill_key
from operate.reconcile.members import MemberConnection
from operate.reconcile.rate_limit import RateLimiter
from operate.reconcile.repair_key import (
    KeyRepair,
    RepairTarget,
    repair_key,
    repair_targets,
)
from tests.simulation.member import Member, SimulatedStore
from tests.support.pair import KEY, item, run
from tests.unit.handler.protocol.test_replicate import arrived, deleted

PLACES = [ReplicaId(f"{letter}" * 8, letter, "t") for letter in "abc"]


class Three:
    """A source, a target and the target's next member."""

    def __init__(self, *, keeps_tombstones: bool = True) -> None:
        self.members = [Member(place, lambda: 1000) for place in PLACES]
        self.ends = [
            RepairTarget(
                member.replica,
                SimulatedStore(member, keeps_tombstones=keeps_tombstones),
                keeps_tombstones,
            )
            for member in self.members
        ]
        self.source, self.target, self.next = self.members
        self._done = Counter[str]()

    def fill(self) -> BackfillOutcome:
        source, target, following = self.ends
        path = BackfillPath(source, target, [following], [following])
        return run(backfill_key(path, KEY, self.source.items["1"]))

    def repair(self, prefer: int | None = None) -> KeyRepair:
        return run(repair_key(self.ends, KEY, prefer))

    def run_hops(self, laps: int) -> int:
        """Let each hop in turn process its new records; return how many there were."""
        before = self._done.total()
        for start, end in laps * list(zip(self.ends, self.ends[1:] + self.ends[:1], strict=True)):
            tombstones = start.keeps_tombstones
            hop = Hop(start.replica, end.replica, start.store, end.store, tombstones, False)
            (stream,) = (m.stream for m in self.members if m.replica == start.replica)
            for record in stream[self._done[start.replica.id] :]:
                run(replicate(read_change(record), hop))
                self._done[start.replica.id] += 1
        return self._done.total() - before

    def contents(self) -> list[dict[str, Any] | None]:
        items = [member.items.get("1") for member in self.members]
        return [None if found is None else application_attributes(found) for found in items]


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


def test_a_member_with_a_newer_item_is_not_listed_so_that_it_is_restored(three: Three) -> None:
    # The target wrote it before it lost its table: a copy at the source would end its lap there.
    newer = arrived("newer", PLACES[1], seconds=950)
    three.source.items["1"], three.next.items["1"] = COPY.item, newer.item
    assert three.fill() is BackfillOutcome.WRITTEN
    _, target, following = three.ends
    hop = Hop(target.replica, following.replica, target.store, following.store, True, False)
    run(replicate(read_change(three.target.stream[-1]), hop))
    assert three.contents() == [item("a"), item("newer"), item("newer")]


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


def test_a_repair_applies_the_newest_write_only_at_members_behind(three: Three) -> None:
    three.source.items["1"] = item("a")  # the origin, which has no version
    three.next.items["1"] = COPY.item
    assert three.repair() == KeyRepair((1,))
    assert three.contents() == [item("a")] * 3
    assert [member.writes for member in three.members] == [
        0,
        2,
        0,
    ]  # refused once, as it was absent


def test_a_repair_finishes_a_delete(three: Three) -> None:
    three.source.items["1"] = COPY.item
    three.next.tombstones["1"] = delete = deleted(PLACES[2], seconds=950)
    three.target.items["1"] = delete.item
    assert three.repair() == KeyRepair((0, 1))
    assert three.contents() == [None] * 3
    assert three.source.tombstones["1"] == delete


@pytest.mark.parametrize("prefer", [None, 0, 1, 2])
def test_an_item_without_a_version_is_skipped_unless_a_member_is_preferred(
    three: Three, prefer: int | None
) -> None:
    three.source.items["1"] = item("unsent")
    three.target.items["1"] = COPY.item
    done = three.repair(prefer)
    values = {None: ["unsent", "a", "a"], 0: ["unsent"] * 3}.get(prefer, ["a"] * 3)
    assert three.contents() == [item(value) for value in values]
    assert (done.skipped_reason is None) is (prefer is not None)


def test_without_any_version_the_preferred_members_item_is_the_oldest_of_writes(
    three: Three,
) -> None:
    three.source.items["1"], three.next.items["1"] = item("a"), item("b")
    assert three.repair().skipped_reason
    assert three.repair(2).repaired == (2, 0, 1)
    assert three.contents() == [item("b")] * 3


def test_an_item_beside_the_newest_delete_was_written_after_it(three: Three) -> None:
    three.target.items["1"] = item("after")
    for member in three.members:
        member.tombstones["1"] = deleted(PLACES[2])
    assert three.repair(0).repaired == (1, 0, 2)
    assert three.contents() == [item("after")] * 3


def test_an_item_of_one_member_that_was_never_deleted_is_copied_to_all(
    three: Three,
) -> None:
    three.source.items["1"] = item("a")
    assert three.repair().skipped_reason
    assert three.repair(1).repaired == (0, 1, 2)
    assert three.contents() == [item("a")] * 3


def test_equal_items_without_a_version_do_not_conflict(three: Three) -> None:
    three.source.items["1"] = three.target.items["1"] = item("a")
    assert three.repair(2).skipped_reason is None
    assert three.contents() == [item("a")] * 3


def test_preferring_a_member_without_the_item_does_not_decide_a_conflict(
    three: Three,
) -> None:
    three.source.items["1"], three.target.items["1"] = item("a"), item("b")
    assert "prefer one of them" in str(three.repair(2).skipped_reason)
    assert three.contents() == [item("a"), item("b"), None]


def test_a_write_chosen_by_an_operator_has_no_members_replica_id(
    three: Three,
) -> None:
    """Otherwise a redelivered record of that member would count as later than its own write."""
    three.source.items["1"], three.target.items["1"] = item("unsent"), COPY.item
    three.repair(0)
    versions = [Image(member.items["1"]).version for member in three.members]
    assert versions[0] is not None
    assert versions == [versions[0]] * 3
    assert versions[0].replica == OPERATOR_REPLICA_ID
    assert versions[0].replica not in [place.id for place in PLACES]


def test_without_tombstones_a_delete_does_not_chase_it_around_the_ring_for_ever() -> None:
    three = Three(keeps_tombstones=False)
    three.source.items["1"] = item("unsent")
    three.repair(0)
    three.target.write(KEY, None)
    three.run_hops(laps=4)
    assert three.contents() == [None, None, None]
    assert not three.run_hops(laps=1)


def test_without_tombstones_a_delete_is_applied_only_where_the_item_exists() -> None:
    three = Three(keeps_tombstones=False)
    three.source.items["1"] = deleted(PLACES[0]).item
    three.repair()
    assert three.contents() == [None, None, None]
    assert [len(member.stream) for member in three.members[1:]] == [0, 0]


@pytest.mark.parametrize("tombstones", [None, "buried"])
def test_a_repair_knows_of_a_member_whether_it_keeps_tombstones(tombstones: str | None) -> None:
    tables, client = MemberTables("t", tombstones, 0), Mock()
    at = MemberConnection(
        "a", "a", "a" * 8, (), client, tables, ("k",), ("S",), None, 0, 0, RateLimiter(None)
    )
    (target,) = repair_targets([at], [DynamoStore(client, tables)])
    assert target.keeps_tombstones == (tombstones is not None)
