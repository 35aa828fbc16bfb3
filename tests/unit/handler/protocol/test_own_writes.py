"""What an application sees where it wrote: nothing older comes back there."""

from handler.model.image import DELETED, Item
from handler.model.records import read_change
from handler.protocol.hop import Action
from handler.protocol.replicate import replicate
from tests.support.pair import ELSEWHERE, HERE, KEY, THERE, Pair, item, seen
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def update(pair: Pair, value: str, **more: Item) -> None:
    """UpdateItem at the source: it leaves what it does not name."""
    pair.here.write(KEY, {**pair.here.items.get("1", KEY), **item(value, **more)})


def test_a_delete_that_is_not_read_yet_is_not_undone_by_older_records_that_come_again() -> None:
    pair = Pair()
    pair.here.write(KEY, item("first"))
    pair.here.write(KEY, None)
    update(pair, "second")
    pair.process()
    pair.here.write(KEY, None)
    for place in range(3):
        pair.deliver(place)
        assert seen(pair.here) is None
    pair.process()
    assert (seen(pair.here), seen(pair.there)) == (None, None)


def test_a_delete_of_a_copy_that_is_not_read_yet_is_not_undone_from_the_next_member() -> None:
    pair = Pair()
    copy = arrived("copy", ELSEWHERE)
    pair.here.write(KEY, item("old"))
    pair.here.write(KEY, None)
    pair.here.write(KEY, copy.item)
    pair.process()
    pair.here.write(KEY, None)
    pair.deliver(0)
    assert seen(pair.here) is None


def test_a_delete_that_the_next_member_has_not_sent_on_yet_is_not_undone_there() -> None:
    """Its tombstone is older than what was deleted there just now."""
    pair = Pair()
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=950)
    pair.here.write(KEY, arrived("old", ELSEWHERE, seconds=900).item)
    pair.forget()
    pair.here.write(KEY, arrived("newer", ELSEWHERE, seconds=960, sequence=9).item)
    assert pair.deliver(0).action is Action.REFUSED
    assert seen(pair.there) is None


def test_what_an_older_write_took_the_place_of_comes_back_from_the_next_member() -> None:
    pair = Pair()
    pair.here.write(KEY, item("newer"))
    pair.process()
    pair.here.write(KEY, arrived("older", ELSEWHERE).item)
    assert [outcome.action for outcome in pair.process()[:1]] == [Action.REFUSED]
    assert seen(pair.here) == item("newer") == seen(pair.there)


def test_what_an_older_delete_took_comes_back_from_the_next_member() -> None:
    pair = Pair()
    pair.here.write(KEY, item("newer"))
    pair.process()
    older = deleted(ELSEWHERE)
    pair.here.write(KEY, older.item)
    pair.here.tombstones["1"] = older
    pair.here.write(KEY, None)
    pair.process()
    assert seen(pair.here) == item("newer") == seen(pair.there)


def test_what_took_a_write_and_was_deleted_in_turn_restores_nothing() -> None:
    pair = Pair()
    pair.here.write(KEY, item("newer"))
    pair.process()
    pair.here.tombstones["1"] = deleted(ELSEWHERE, seconds=500)
    pair.here.write(KEY, arrived("older", ELSEWHERE).item)
    pair.here.write(KEY, None)  # by an application; not read yet
    pair.deliver(1)
    assert seen(pair.here) is None


def test_a_deleted_copy_does_not_come_back_when_an_older_arrival_is_delivered_again() -> None:
    pair = Pair()
    pair.here.write(KEY, arrived("older", ELSEWHERE).item)
    pair.here.tombstones["1"] = deleted(ELSEWHERE, seconds=950)
    pair.here.items.clear()  # as the hop does that finds it older than its tombstone
    pair.here.write(KEY, arrived("copy", ELSEWHERE, seconds=960, sequence=9).item)
    pair.process()
    pair.here.write(KEY, None)
    pair.deliver(0)
    assert seen(pair.here) is None


def test_an_update_of_a_stub_survives_the_hop_that_takes_the_stub_away() -> None:
    pair = Pair()
    delete = deleted(ELSEWHERE)
    pair.here.write(KEY, delete.item)
    update(pair, "fresh")
    pair.here.tombstones["1"] = delete
    pair.here.write(KEY, None)  # as the hop does that put the stub there
    pair.process()
    assert seen(pair.here) == item("fresh") == seen(pair.there)


def test_an_update_of_a_stub_that_an_application_deletes_stays_deleted() -> None:
    """The hop that put the stub there has not recorded its tombstone, so it was not that hop."""
    pair = Pair()
    pair.here.write(KEY, deleted(ELSEWHERE).item)
    update(pair, "fresh")
    pair.here.write(KEY, None)
    pair.process()
    assert (seen(pair.here), seen(pair.there)) == (None, None)


def test_a_delete_of_an_updated_stub_is_sent_on_though_an_invocation_died_that_recorded_it() -> (
    None
):
    """Its tombstone, which is here now, is not that of the hop that put the stub."""
    pair = Pair()
    pair.here.write(KEY, deleted(ELSEWHERE).item)
    update(pair, "fresh")
    pair.process()
    pair.here.write(KEY, None)
    dying = replicate(read_change(pair.here.stream[-1]), pair.hop)
    while "1" not in pair.here.tombstones:
        dying.send(None)
    dying.close()
    assert seen(pair.there) == item("fresh")
    pair.process()
    assert (seen(pair.here), seen(pair.there)) == (None, None)


def test_the_mark_is_not_taken_off_a_stub_that_was_updated_again() -> None:
    pair = Pair()
    pair.here.write(KEY, deleted(ELSEWHERE).item)
    pair.forget()
    update(pair, "one")
    update(pair, "two", more={"S": "x"})
    pair.deliver(1)
    assert seen(pair.here) == item("two", more={"S": "x"})
    pair.process()
    assert seen(pair.here) == item("two", more={"S": "x"}) == seen(pair.there)
    assert DELETED not in pair.here.items["1"]


def test_a_delete_is_above_an_earlier_one_of_its_member_though_the_clock_goes_back() -> None:
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.here.write(KEY, None)
    pair.process()
    pair.now -= 30
    pair.here.write(KEY, item("b"))
    pair.forget()  # that write was quarantined
    first = pair.here.tombstones["1"].version
    pair.here.write(KEY, None)
    pair.process()
    assert pair.here.tombstones["1"].version > first
    assert pair.here.tombstones["1"].version.sequence == 4


def test_an_expiry_does_not_beat_a_renewal_that_it_never_saw() -> None:
    pair = Pair(expiry="delete")
    session = arrived("session", ELSEWHERE, seconds=900)
    for member in (pair.here, pair.there):
        member.write(KEY, session.item)
    pair.forget()
    renewal = arrived("renewed", ELSEWHERE, seconds=950, sequence=9)
    pair.there.write(KEY, renewal.item)
    pair.here.write(KEY, None, expired=True)
    (outcome,) = pair.process()
    assert outcome.action is Action.REFUSED
    assert outcome.conflicts == ()
    assert pair.there.items["1"] == renewal.item


def test_an_expiry_where_the_item_was_written_does_not_beat_a_renewal_either() -> None:
    pair = Pair(expiry="delete")
    pair.here.write(KEY, item("session"))
    pair.process()
    for renewal in (arrived("renewed", THERE, seconds=1001).item, item("renewed")):
        pair.there.items["1"] = renewal
        pair.here.items["1"] = item("session")
        pair.here.write(KEY, None, expired=True)
        (outcome,) = pair.process()
        assert outcome.action is Action.IGNORED
        assert pair.there.items["1"] == renewal


def test_an_expiry_deletes_the_copy_of_what_expired_right_behind_its_write() -> None:
    pair = Pair(expiry="delete")
    pair.here.write(KEY, item("session"))
    pair.process()
    pair.now += 100_000
    pair.here.write(KEY, None, expired=True)
    (outcome,) = pair.process()
    assert outcome.action is Action.DELETED
    assert pair.there.items == {}
    version = pair.there.tombstones["1"].version
    assert (version.seconds, version.counter) == (1000, 1)


def test_an_expiry_that_died_halfway_is_done_to_its_end() -> None:
    pair = Pair(expiry="delete")
    pair.here.write(KEY, item("session"))
    pair.process()
    pair.here.write(KEY, None, expired=True)
    pair.process()
    pair.there.items["1"] = pair.here.tombstones["1"].item  # its stub, and no tombstone yet
    pair.there.tombstones.clear()
    pair.deliver(1)
    assert pair.there.items == {}
    assert pair.there.tombstones["1"] == pair.here.tombstones["1"]


def test_an_expiry_that_died_halfway_is_done_although_the_item_was_deleted_meanwhile() -> None:
    """A later delete's tombstone is at the source; the stub at the next member is still its own."""
    pair = Pair(expiry="delete")
    pair.here.write(KEY, item("session"))
    pair.process()
    pair.here.write(KEY, None, expired=True)
    pair.process()
    pair.there.items["1"] = pair.here.tombstones["1"].item
    later = deleted(THERE, seconds=5000)
    pair.here.tombstones["1"] = pair.there.tombstones["1"] = later
    pair.deliver(1)
    assert pair.there.items == {}
    assert pair.there.tombstones["1"] == later


def test_what_an_expired_copy_took_the_place_of_comes_back_from_the_next_member() -> None:
    pair = Pair(expiry="delete")
    pair.here.write(KEY, item("newer"))
    pair.process()
    pair.here.write(KEY, arrived("older", ELSEWHERE).item)
    pair.here.write(KEY, None, expired=True)
    assert [one.action for one in pair.process()[:2]] == [Action.REFUSED, Action.REFUSED]
    assert seen(pair.here) == item("newer") == seen(pair.there)


def test_an_expiry_above_an_earlier_delete_is_right_behind_it_and_spares_a_renewal() -> None:
    pair = Pair(expiry="delete")
    pair.here.tombstones["1"] = deleted(HERE, seconds=1500, sequence=0)
    pair.here.write(KEY, arrived("old", ELSEWHERE).item)
    pair.forget()
    pair.there.write(KEY, arrived("renewed", ELSEWHERE, seconds=1800, sequence=9).item)
    pair.now = 2000
    pair.here.write(KEY, None, expired=True)
    pair.process()
    assert seen(pair.there) == item("renewed")
