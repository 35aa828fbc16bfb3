"""Deletes over a single hop: tombstones, stubs, and what comes after them."""

from handler.model.image import DELETED, Item
from handler.model.records import read_change, read_item
from handler.protocol.hop import Action
from handler.protocol.replicate import replicate
from tests.support.pair import ELSEWHERE, HERE, KEY, THERE, Pair, item, run, seen
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def test_a_delete_is_recorded_at_both_ends_stamped_and_then_gone() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    assert [outcome.action for outcome in pair.process()] == [Action.DELETED]
    assert "1" not in pair.there.items
    assert pair.here.tombstones["1"].version == pair.there.tombstones["1"].version
    kinds = [
        ("NewImage" in r["dynamodb"], "_repl_deleted" in r["dynamodb"].get("NewImage", {}))
        for r in pair.there.stream
    ]
    assert kinds == [(True, False), (True, True), (False, False)]


def test_a_delete_reaches_the_stream_of_a_member_that_has_nothing_to_delete() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.forget()
    pair.here.write(KEY, None)
    pair.process()
    assert [("NewImage" in record["dynamodb"]) for record in pair.there.stream] == [True, False]


def test_a_replicated_delete_is_passed_on_and_its_second_half_is_ignored() -> None:
    pair = Pair()
    pair.there.write(KEY, arrived("a", ELSEWHERE, seconds=800).item)
    pair.here.write(KEY, deleted(ELSEWHERE).item)
    pair.here.write(KEY, None)
    assert [outcome.action for outcome in pair.process()] == [Action.DELETED, Action.IGNORED]
    assert "1" not in pair.there.items


def test_a_delete_that_is_back_at_its_origin_stops() -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("a", ELSEWHERE, seconds=800).item)
    pair.forget()
    pair.here.write(KEY, deleted(THERE).item)
    assert [outcome.action for outcome in pair.process()] == [Action.LAP_COMPLETED]
    assert (pair.there.writes, pair.there.reads) == (0, 0)


def test_a_delete_that_finds_nothing_does_not_hide_a_newer_write_of_the_member() -> None:
    pair = Pair()
    pair.here.write(KEY, item("newer"))
    pair.process()
    pair.here.items.clear()
    pair.here.write(KEY, deleted(THERE).item)
    pair.process()
    assert seen(pair.here) == item("newer") == seen(pair.there)


def test_a_delete_that_finds_nothing_looks_once_where_there_is_nothing_either() -> None:
    pair = Pair()
    pair.here.write(KEY, deleted(THERE).item)
    assert pair.deliver(0).action is Action.LAP_COMPLETED
    assert (pair.here.reads, pair.there.reads, pair.there.writes) == (0, 1, 0)


def delete_while_the_stub_is_replaced(pair: Pair, by: Item | None) -> None:
    """Let the hop send a delete, and an application replace its stub as soon as it stands there."""
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    work = replicate(read_change(pair.here.stream[1]), pair.hop)
    while DELETED not in pair.there.items["1"]:
        work.send(None)
    pair.there.write(KEY, by)
    run(work)


def test_a_stub_that_an_application_deletes_before_its_tombstone_is_there_is_put_again() -> None:
    pair = Pair()
    delete_while_the_stub_is_replaced(pair, by=None)
    written = ["NewImage" in record["dynamodb"] for record in pair.there.stream]
    assert written == [True, True, False, True, False]
    first, again = (read_item(pair.there.stream[place]["dynamodb"]["NewImage"]) for place in (1, 3))
    assert first == again


def test_a_stub_is_not_put_over_what_an_application_puts_in_its_place() -> None:
    pair = Pair()
    delete_while_the_stub_is_replaced(pair, by=item("put"))
    assert seen(pair.there) == item("put")
    assert len(pair.there.stream) == 3


def test_an_insert_does_not_slip_in_behind_a_newer_tombstone() -> None:
    pair = Pair()
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=5000)
    pair.here.write(KEY, item("late"))
    (outcome,) = pair.process()
    assert outcome.action is Action.REFUSED
    assert "1" not in pair.there.items


def test_an_update_does_not_resurrect_an_item_behind_a_newer_tombstone() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.forget()
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=5000)
    pair.here.write(KEY, item("b"))
    (outcome,) = pair.process()
    assert outcome.action is Action.REFUSED
    assert "1" not in pair.there.items


def test_an_insert_behind_an_older_tombstone_goes_through() -> None:
    pair = Pair()
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=10)
    pair.here.write(KEY, item("a"))
    pair.process()
    assert seen(pair.there) == item("a")


def test_a_reinsert_within_the_second_of_its_delete_wins() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.here.write(KEY, None)
    pair.here.write(KEY, item("again"))
    pair.process()
    assert seen(pair.there) == item("again")


def test_a_reinsert_behind_a_delete_of_a_clock_that_is_ahead_wins() -> None:
    """The delete was known here, or it would have taken the new item away."""
    pair = Pair()
    delete = deleted(THERE, seconds=5000)
    for member in (pair.here, pair.there):
        member.tombstones["1"] = delete
    pair.here.write(KEY, item("again"))
    pair.process()
    assert seen(pair.there) == item("again")


def test_an_insert_that_a_delete_has_taken_away_meanwhile_does_not_come_back() -> None:
    """The same, but the item no longer stands: the record is late, or delivered again."""
    pair = Pair()
    pair.here.write(KEY, item("a"))
    delete = deleted(THERE, seconds=5000)
    for member in (pair.here, pair.there):
        member.tombstones["1"] = delete
    pair.here.write(KEY, delete.item)
    pair.here.write(KEY, None)
    assert pair.deliver(0).action is Action.REFUSED
    assert pair.there.items == {}


def test_an_arrival_that_slipped_in_behind_the_tombstone_here_is_taken_away_again() -> None:
    pair = Pair()
    pair.here.tombstones["1"] = deleted(THERE, seconds=5000)
    pair.here.write(KEY, arrived("late", ELSEWHERE).item)
    pair.process()
    assert "1" not in pair.here.items
    assert "1" not in pair.there.items


def test_a_delete_refused_by_a_newer_write_yields_and_leaves_that_to_come_by_itself() -> None:
    """Whether it is in transit, or is what was just deleted here, cannot be known here."""
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.forget()
    newer = arrived("newer", THERE, seconds=5000)
    pair.there.write(KEY, newer.item)
    pair.here.write(KEY, None)
    (refused,) = pair.process()
    assert refused.action is Action.REFUSED
    assert (seen(pair.here), seen(pair.there)) == (None, item("newer"))


def test_an_arrival_refused_by_a_newer_delete_yields_to_it() -> None:
    pair = Pair()
    old = arrived("old", ELSEWHERE, seconds=800)
    pair.here.write(KEY, old.item)
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=900)
    (refused,) = pair.process()
    assert refused.action is Action.REFUSED
    assert "1" not in pair.there.items
    assert pair.here.items["1"] == old.item


def test_a_stub_that_a_crash_left_behind_is_taken_away_when_the_delete_is_delivered_again() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    pair.process()
    stub = pair.there.stream[1]["dynamodb"]["NewImage"]
    pair.there.write(KEY, read_item(stub))
    pair.deliver(1)
    assert "1" not in pair.there.items


def test_absent_without_a_tombstone_is_an_unread_delete_and_is_left_alone() -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("old", ELSEWHERE, seconds=800).item)
    pair.here.write(KEY, None)
    pair.there.write(KEY, arrived("new", ELSEWHERE, seconds=900).item)
    pair.deliver(0)
    assert "1" not in pair.here.items


def test_without_tombstones_a_delete_is_passed_on_plainly_and_stops_where_nothing_is_left() -> None:
    pair = Pair(tombstones=False)
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    assert [outcome.action for outcome in pair.process()] == [Action.DELETED]
    assert pair.there.items == {}
    assert len(pair.there.stream) == 2
    pair.here.write(KEY, item("b"))
    pair.forget()
    pair.here.write(KEY, None)
    pair.process()
    assert len(pair.there.stream) == 2


def test_without_tombstones_a_delete_spares_a_newer_item() -> None:
    pair = Pair(tombstones=False)
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.there.write(KEY, arrived("newer", ELSEWHERE, seconds=5000).item)
    pair.here.write(KEY, None)
    (outcome,) = pair.process()
    assert outcome.action is Action.REFUSED
    assert seen(pair.there) == item("newer")


def test_without_tombstones_a_delete_comes_after_an_earlier_write_of_its_member() -> None:
    """What was deleted has no version, while its copy at the next member is above the delete."""
    pair = Pair(tombstones=False)
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.now -= 30
    pair.here.write(KEY, None)
    assert [outcome.action for outcome in pair.process()] == [Action.DELETED]
    assert pair.there.items == {}


def test_the_ends_of_a_hop_know_each_other_by_id_not_by_region() -> None:
    """Two members may be in one region; the version shows where a write was made."""
    pair = Pair()
    assert HERE.id != THERE.id
    other = arrived("a", type(THERE)("dddddddd", THERE.region, THERE.table))
    pair.here.write(KEY, other.item)
    assert [outcome.action for outcome in pair.process()] == [Action.REPLICATED]


def test_agreement_spares_a_dirty_item_beside_a_tombstone() -> None:
    """It may have been written behind the delete; its own record will show."""
    edited = {**arrived("read", ELSEWHERE, seconds=800).item, "v": {"S": "fresh"}}
    for fresh in (item("fresh"), edited):
        pair = Pair()
        pair.here.write(KEY, arrived("late", ELSEWHERE).item)
        pair.here.tombstones["1"] = pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=5000)
        pair.there.write(KEY, fresh)
        pair.deliver(0)
        assert seen(pair.there) == item("fresh")


def test_a_delete_delivered_again_does_not_take_away_what_was_put_there_since() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.process()
    pair.here.write(KEY, None)
    pair.process()
    pair.there.write(KEY, item("fresh"))
    pair.deliver(1)
    assert seen(pair.there) == item("fresh")


def test_a_delete_takes_away_an_unread_write_that_it_meets_for_the_first_time() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.forget()
    pair.here.write(KEY, None)
    pair.there.write(KEY, item("concurrent"))
    pair.process()
    assert pair.there.items == {}


def test_a_delete_tried_again_keeps_the_version_that_its_first_try_got() -> None:
    """Its tombstone here may be all that is left of that try."""
    pair = Pair()
    ahead = arrived("a", ELSEWHERE, seconds=5000)
    pair.here.write(KEY, ahead.item)
    pair.there.write(KEY, ahead.item)
    pair.here.write(KEY, item("b"))  # gets 5000 and 1
    pair.here.write(KEY, None)  # gets 5000 and 2, having met the write before it
    pair.process()
    pair.there.items.clear()
    pair.there.tombstones.clear()
    pair.deliver(2)
    assert pair.there.tombstones["1"].version == pair.here.tombstones["1"].version
    assert pair.here.tombstones["1"].version.counter == 2
