"""Two versions of one write: while a member comes back, two hops read one stream."""

import pytest

from handler.model.image import Write
from handler.model.records import read_change
from handler.protocol.apply import ContendedError
from handler.protocol.hop import Action
from handler.protocol.replicate import replicate
from tests.support.pair import ELSEWHERE, HERE, KEY, THERE, Pair, item, run, seen, version_at
from tests.unit.handler.protocol.test_replicate import arrived, deleted


def pair_of_two_versions(*, seconds: int = 950) -> Pair:
    """Two hops read one stream while a member comes back, and each gave the write a version."""
    pair = Pair()
    pair.there.write(KEY, arrived("one", ELSEWHERE, seconds=seconds).item)
    pair.here.write(KEY, arrived("one", ELSEWHERE).item)
    return pair


def test_the_next_members_higher_version_of_a_write_is_taken_over() -> None:
    pair = pair_of_two_versions()
    pair.process()
    assert version_at(pair.here) == version_at(pair.there)


def test_a_higher_version_is_taken_over_past_what_lies_between_the_two() -> None:
    pair = pair_of_two_versions()
    pair.here.write(KEY, arrived("between", THERE, seconds=920).item)
    pair.deliver(0)
    assert seen(pair.here) == item("one")


def test_a_higher_version_replaces_no_later_write_of_its_member() -> None:
    pair = pair_of_two_versions()
    pair.here.write(KEY, arrived("two", ELSEWHERE, seconds=920, sequence=9).item)
    pair.deliver(0)
    assert seen(pair.here) == item("two")


def test_a_write_over_a_copy_wins_over_the_copys_higher_version_at_the_next_member() -> None:
    pair = pair_of_two_versions(seconds=1100)
    pair.forget()
    pair.here.write(KEY, item("two"))
    pair.process()
    assert seen(pair.here) == item("two") == seen(pair.there)


def pair_at_the_end_of_a_lap() -> tuple[Pair, Write]:
    """The next member made the write, and holds what lies between two versions of it."""
    pair = Pair()
    between = arrived("between", ELSEWHERE)
    write = arrived("one", THERE, over=between)
    pair.there.write(KEY, between.item)
    pair.here.write(KEY, write.item)
    return pair, write


def test_a_write_replaces_what_lies_between_its_two_versions_at_its_origin() -> None:
    pair, write = pair_at_the_end_of_a_lap()
    assert [outcome.action for outcome in pair.process()] == [Action.LAP_COMPLETED]
    assert pair.there.items["1"] == write.item


def test_a_write_replaces_no_later_write_of_its_origin_at_the_end_of_its_lap() -> None:
    pair, _ = pair_at_the_end_of_a_lap()
    pair.there.write(KEY, arrived("two", THERE, sequence=9).item)
    pair.process()
    assert seen(pair.there) == item("two")


def test_a_write_does_not_come_back_where_its_origin_has_deleted_it() -> None:
    pair, _ = pair_at_the_end_of_a_lap()
    pair.there.tombstones["1"] = deleted(ELSEWHERE, seconds=890)
    pair.there.write(KEY, None)  # by an application; not read yet
    pair.process()
    assert seen(pair.there) is None


def test_a_lap_ends_without_a_look_where_the_write_was_put_above_no_other() -> None:
    pair = Pair()
    pair.there.write(KEY, arrived("older", ELSEWHERE, seconds=800).item)
    pair.here.write(KEY, arrived("one", THERE).item)
    pair.process()
    assert pair.there.reads == 0


def test_a_lap_ends_again_when_its_origin_changes_between_look_and_put() -> None:
    pair, write = pair_at_the_end_of_a_lap()
    ending = replicate(read_change(pair.here.stream[0]), pair.hop)
    while not pair.there.reads:
        ending.send(None)
    pair.there.write(KEY, arrived("between", HERE, seconds=899).item)
    with pytest.raises(ContendedError, match="delivered again"):
        run(ending)
    pair.process()
    assert pair.there.items["1"] == write.item
