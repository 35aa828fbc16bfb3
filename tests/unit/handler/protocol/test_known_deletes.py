"""Writes behind a delete that is known at the source, and deletes and writes delivered again."""

from handler.protocol.apply import apply_delete
from handler.protocol.hop import Action
from tests.support.pair import ELSEWHERE, HERE, KEY, Pair, item, run, seen, version_at
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def test_a_write_behind_a_delete_that_is_known_here_follows_it_whatever_refused_it() -> None:
    pair = Pair()
    pair.here.tombstones["1"] = deleted(HERE, seconds=5000, sequence=0)
    pair.there.write(KEY, arrived("older than the delete", ELSEWHERE, seconds=4000).item)
    pair.here.write(KEY, item("again"))
    pair.process()
    assert seen(pair.there) == item("again")


def test_what_a_delete_took_here_comes_back_though_its_tombstone_is_not_recorded_yet() -> None:
    pair = Pair()
    pair.now = 5000
    pair.here.write(KEY, item("newer"))
    pair.process()
    pair.here.write(KEY, deleted(ELSEWHERE).item)
    pair.here.items.clear()  # an application deleted the stub
    pair.process()
    assert seen(pair.here) == item("newer") == seen(pair.there)


def test_an_update_behind_a_known_delete_follows_it_though_an_unread_write_hides_it_there() -> None:
    pair = Pair()
    pair.here.tombstones["1"] = pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=5000)
    pair.here.write(KEY, item("a"))
    pair.forget()
    pair.there.write(KEY, item("concurrent"))
    pair.here.write(KEY, item("b"))
    pair.process()
    assert seen(pair.there) == item("b")
    assert version_at(pair.there).seconds == 5000


def test_the_second_of_two_updates_behind_a_known_delete_follows_it_too() -> None:
    """The first one took the place of what an application had put there, and hid the delete."""
    pair = Pair()
    pair.here.tombstones["1"] = pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=5000)
    pair.here.write(KEY, item("a"))
    pair.forget()
    pair.there.write(KEY, item("concurrent"))
    pair.here.write(KEY, item("b"))
    pair.here.write(KEY, item("c"))
    pair.process()
    assert seen(pair.there) == item("c")
    assert version_at(pair.there).seconds == 5000


def test_a_write_delivered_again_stays_behind_a_later_delete_of_the_same_member() -> None:
    """To another next member, as when the ring closes around one: it has the stub, and no more.

    What stands here is just what the write left, but another write put it there.
    """
    pair = Pair()
    pair.here.write(KEY, item("a"))
    pair.here.write(KEY, None)
    pair.here.write(KEY, item("a"))
    pair.process()
    delete = pair.here.tombstones["1"]
    pair.there.tombstones.clear()
    pair.there.write(KEY, delete.item)
    assert pair.deliver(0).action is Action.REFUSED
    assert seen(pair.there) is None
    assert pair.there.tombstones["1"] == delete


def test_a_write_delivered_again_does_not_follow_a_delete_that_came_between_it_and_the_next() -> (
    None
):
    """To another next member: it would get there before the next one, with a version above it."""
    pair = Pair()
    pair.here.write(KEY, item("old"))
    pair.process()
    pair.here.items.clear()
    pair.here.tombstones["1"] = pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=1000)
    pair.there.items.clear()
    pair.here.write(KEY, item("fresh"))
    assert pair.deliver(0).action is Action.REFUSED
    assert seen(pair.there) is None
    pair.process()
    assert seen(pair.there) == item("fresh")


def test_an_insert_behind_a_stub_that_an_application_deleted_wins() -> None:
    """The stub went before its tombstone was recorded here; the hop that sees that records it."""
    pair = Pair()
    delete = deleted(ELSEWHERE, seconds=5000)
    pair.there.tombstones["1"] = delete
    pair.here.write(KEY, delete.item)
    pair.here.write(KEY, None)
    pair.here.write(KEY, item("again"))
    pair.process()
    assert seen(pair.there) == item("again")


def test_who_does_not_try_again_puts_no_stub_once_more() -> None:
    """As a repair: if its next call failed, nobody would delete that stub."""
    pair = Pair()
    applying = apply_delete(pair.hop.target, KEY, deleted(ELSEWHERE), is_retried=False)
    while "1" not in pair.there.items:
        applying.send(None)
    pair.there.write(KEY, None)  # by an application
    run(applying)
    assert len(pair.there.stream) == 2
