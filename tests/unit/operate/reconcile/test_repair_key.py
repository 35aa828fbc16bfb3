"""Repair of one key, over members in memory."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from handler.model.image import Image
from handler.model.version import OPERATOR_REPLICA_ID
from handler.store.dynamodb import DynamoStore, MemberTables
from operate.reconcile.members import MemberConnection
from operate.reconcile.rate_limit import RateLimiter
from operate.reconcile.repair_key import (
    KeyRepair,
    repair_targets,
)
from tests.support.pair import KEY, item
from tests.support.three_members import PLACES, Three
from tests.unit.handler.protocol.test_replicate import arrived, deleted


@pytest.fixture
def three() -> Three:
    return Three()


COPY = arrived("a", PLACES[0])


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
