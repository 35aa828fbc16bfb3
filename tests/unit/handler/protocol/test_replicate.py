"""The rules of the protocol, one by one, over a single hop."""

from dataclasses import replace
from typing import Any

import pytest

from handler.model.image import VERSION, Image, Write
from handler.model.records import Change
from handler.protocol.decide import LocalDelete, LocalWrite, ReplicaId, stamp_local_change
from handler.protocol.hop import Action
from tests.support.pair import ELSEWHERE, HERE, KEY, THERE, Pair, item, seen, version_at


def arrived(
    value: str,
    origin: ReplicaId,
    *,
    seconds: int = 900,
    sequence: int = 7,
    over: Write | None = None,
) -> Write:
    """A write made at another member, as a hop sends it; perhaps put above another."""
    image = Image(item(value))
    change = Change(KEY, None, image, sequence, seconds, expired=False)
    follows = [] if over is None else [over.version]
    return stamp_local_change(change, LocalWrite(image), origin, follows)


def deleted(origin: ReplicaId, *, seconds: int = 900, sequence: int = 8) -> Write:
    """A delete made at another member, as a hop sends it."""
    change = Change(KEY, Image(item("gone")), None, sequence, seconds, expired=False)
    return stamp_local_change(change, LocalDelete(), origin, [])


def test_an_insert_arrives_with_its_version_and_is_left_untouched_where_it_was_made() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]
    assert pair.here.items["1"] == item("a")
    assert pair.there.items["1"]["_repl_source_region"] == {"S": "us-east-1"}
    assert pair.there.items["1"]["_repl_source_table"] == {"S": "orders"}
    assert version_at(pair.there).seconds == 1000
    assert seen(pair.there) == item("a")


def test_a_quiet_update_costs_one_write_and_no_read() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.there.writes = 0
    pair.here.write(KEY, item("b"))
    pair.process()
    assert (pair.there.writes, pair.here.reads + pair.there.reads) == (1, 1)


def test_a_write_that_is_back_at_its_origin_stops() -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("a", THERE).item)
    assert [outcome.action for outcome in pair.process()] == [Action.LAP_COMPLETED]
    assert pair.there.items == {}


def test_a_write_from_elsewhere_is_passed_on_as_it_is() -> None:
    pair = Pair()
    write = arrived("a", ELSEWHERE)
    pair.here.write(KEY, write.item)
    pair.process()
    assert pair.there.items["1"] == write.item


def test_an_update_of_a_replicated_item_is_a_local_write_though_its_origin_tag_still_stands() -> (
    None
):
    pair = Pair()
    write = arrived("a", THERE)
    pair.here.write(KEY, write.item)
    pair.there.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, {**write.item, "v": {"S": "edited"}})
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]
    assert seen(pair.there) == item("edited")
    assert version_at(pair.there).replica == HERE.id


def test_a_put_of_an_older_copy_with_the_rings_attributes_is_a_local_write() -> None:
    pair = Pair()
    older, newer = arrived("old", ELSEWHERE, seconds=800), arrived("new", ELSEWHERE, seconds=900)
    pair.here.write(KEY, newer.item)
    pair.process()
    pair.here.write(KEY, older.item)
    pair.process()
    assert seen(pair.there) == item("old")
    assert version_at(pair.there) > newer.version


def test_an_edited_copy_that_is_put_where_nothing_stands_is_a_local_write() -> None:
    """Its version is newer than what stood there; only the digest shows that it was edited."""
    pair = Pair()
    pair.here.write(KEY, {**arrived("read", THERE).item, "v": {"S": "edited"}})
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]
    assert seen(pair.there) == item("edited")


def test_agreement_leaves_an_item_that_was_edited_under_its_version() -> None:
    pair = Pair()
    older, newer = arrived("old", ELSEWHERE, seconds=800), arrived("new", ELSEWHERE, seconds=900)
    pair.here.write(KEY, older.item)
    pair.here.write(KEY, {**older.item, "v": {"S": "edited"}})
    pair.there.write(KEY, newer.item)
    pair.deliver(0)
    assert seen(pair.here) == item("edited")


def test_a_record_that_changes_nothing_is_ignored() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    image = Image(item("a"))
    change = Change(KEY, image, image, 2, 1000, expired=False)
    assert change.old == change.new
    pair.here.stream.append(
        {
            "dynamodb": {
                "Keys": KEY,
                "OldImage": item("a"),
                "NewImage": item("a"),
                "SequenceNumber": "2",
                "ApproximateCreationDateTime": 1000,
            }
        }
    )
    assert [outcome.action for outcome in pair.process()] == [Action.IGNORED]


def test_a_local_write_over_a_version_of_a_clock_that_is_ahead_gets_a_version_above_it() -> None:
    pair = Pair()
    ahead = arrived("a", ELSEWHERE, seconds=2000)
    pair.here.write(KEY, ahead.item)
    pair.there.write(KEY, ahead.item)
    pair.process()
    pair.here.write(KEY, item("b"))
    pair.process()
    assert (version_at(pair.there).seconds, version_at(pair.there).counter) == (2000, 1)


def test_a_local_write_follows_an_earlier_one_of_its_own_that_is_ahead_of_the_clock() -> None:
    pair = Pair()
    ahead = arrived("a", ELSEWHERE, seconds=2000)
    pair.here.write(KEY, ahead.item)
    pair.there.write(KEY, ahead.item)
    pair.here.write(KEY, item("b"))  # knows the version from the old image
    pair.here.write(KEY, item("c"))  # knows nothing of it, and the clock says 1000
    pair.process()
    assert seen(pair.there) == item("c")
    assert version_at(pair.there).counter == 2


def test_a_write_is_refused_by_a_newer_one_and_the_conflict_is_reported() -> None:
    pair = Pair()
    newer = arrived("newer", ELSEWHERE, seconds=5000)
    pair.there.write(KEY, newer.item)
    pair.here.write(KEY, item("mine"))
    (outcome,) = pair.process()
    assert outcome.action is Action.REFUSED
    (conflict,) = outcome.conflicts
    assert conflict.won == newer.version
    assert conflict.lost.replica == HERE.id
    assert seen(pair.there) == item("newer")


def test_the_same_record_delivered_again_changes_nothing() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    before = dict(pair.there.items)
    assert pair.deliver(0).action is Action.REPLICATED
    assert pair.there.items == before
    assert len(pair.there.stream) == 1


def test_agreement_leaves_a_dirty_item_to_its_own_record() -> None:
    pair = Pair()
    older = arrived("old", ELSEWHERE, seconds=800)
    pair.there.write(KEY, arrived("new", ELSEWHERE, seconds=900).item)
    pair.here.write(KEY, older.item)
    pair.here.write(KEY, item("fresh"))
    pair.deliver(0)
    assert seen(pair.here) == item("fresh")


def test_a_lap_that_replaced_a_dirty_item_restores_what_was_pushed_meanwhile() -> None:
    pair = Pair()
    lap = arrived("lap", THERE, seconds=900)
    pair.here.write(KEY, item("mine"))
    pair.process()  # pushed, at 1000
    pair.here.write(KEY, lap.item)  # and then overwritten here by an older write's last hop
    pair.process()
    assert seen(pair.here) == item("mine") == seen(pair.there)


@pytest.mark.parametrize("forged", [{"S": "zzz"}, {"B": b"zzz"}, {"B": b"\xff" * 30}])
def test_a_made_up_version_counts_as_none(forged: dict[str, Any]) -> None:
    pair = Pair()
    pair.there.write(KEY, item("forged", **{VERSION: forged}))
    pair.here.write(KEY, item("a"))
    pair.process()
    assert seen(pair.there) == item("a")


def test_an_expiry_by_time_to_live_is_each_members_own_unless_it_is_to_travel() -> None:
    for expiry, survives in (("own", True), ("delete", False)):
        pair = Pair(expiry=expiry)
        pair.here.write(KEY, item("a"))
        pair.process()
        pair.here.write(KEY, None, expired=True)
        pair.process()
        assert (seen(pair.there) is not None) == survives, expiry


def test_an_update_of_a_visible_stub_ends_as_an_item_without_the_stubs_mark() -> None:
    pair = Pair()
    delete = deleted(THERE)
    pair.here.write(KEY, delete.item)
    pair.here.write(KEY, {**delete.item, "v": {"S": "b"}})
    pair.process()
    for member in (pair.here, pair.there):
        assert seen(member) == item("b")
        assert "_repl_deleted" not in member.items["1"]


def test_an_applications_item_with_a_stubs_mark_and_no_version_is_sent_as_any_other() -> None:
    pair = Pair()
    marked = item("a", _repl_deleted={"BOOL": True})
    pair.here.write(KEY, marked)
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]
    assert seen(pair.there) == item("a")
    assert pair.here.items["1"] == marked


def test_an_earlier_write_that_finds_a_later_one_of_its_own_member_is_no_conflict() -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("first", THERE, seconds=800).item)
    pair.there.write(KEY, arrived("second", THERE, seconds=900).item)
    pair.hop = replace(pair.hop, target_replica=ELSEWHERE)
    refused, *_ = pair.process()
    assert (refused.action, refused.conflicts) == (Action.REFUSED, ())
