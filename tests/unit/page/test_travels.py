"""Writes are followed around the ring."""

from __future__ import annotations

import itertools

import pytest

from local.live.recent import Delivery
from page.travels import SHOWN, Travel, Travels

_numbers = itertools.count(1)


def delivery(source: str, target: str, origin: str, at: float, key: str = "id=1") -> Delivery:
    return Delivery(next(_numbers), source, target, key, "insert", origin, at - 0.1, at)


@pytest.fixture
def travels() -> Travels:
    return Travels()


def only(travels: Travels) -> Travel:
    (travel,) = travels
    return travel


def only_of(known: list[tuple[Delivery, Travel]]) -> Travel:
    """The write of all deliveries that are known."""
    first, *others = (travel for _, travel in known)
    assert all(other is first for other in others)
    return first


def test_a_write_begins_when_its_first_hop_reads_it_and_ends_with_its_lap(travels: Travels) -> None:
    for source, target, at in (("a", "b", 10.1), ("b", "c", 10.5), ("c", "a", 11.0)):
        travels.add(delivery(source, target, "a", at))
    travel = only(travels)
    assert travel.began == pytest.approx(10.0)
    assert travel.reached == {"a": pytest.approx(10.0), "b": 10.1, "c": 10.5}
    assert travel.lap == pytest.approx(1.0)


def test_in_a_ring_of_two_the_second_hop_completes_the_lap(travels: Travels) -> None:
    travels.add(delivery("b", "a", "b", 5.0))
    assert only(travels).lap is None
    travels.add(delivery("a", "b", "b", 6.0))
    assert only(travels).lap == pytest.approx(1.1)


def test_writes_of_one_key_at_two_members_are_two(travels: Travels) -> None:
    travels.add(delivery("a", "b", "a", 1.0))
    travels.add(delivery("b", "c", "b", 1.0))
    travels.add(delivery("b", "c", "a", 2.0))
    assert [(travel.origin, list(travel.reached)) for travel in travels] == [
        ("b", ["b", "c"]),
        ("a", ["a", "b", "c"]),
    ]


def test_a_write_that_a_later_one_replaced_does_not_take_its_place(travels: Travels) -> None:
    travels.add(delivery("a", "b", "a", 1.0))
    travels.add(delivery("a", "b", "a", 60.0))
    travels.add(delivery("b", "c", "a", 60.5))
    newest, oldest = travels
    assert "c" in newest.reached
    assert "c" not in oldest.reached


def test_a_write_whose_beginning_was_not_seen_is_not_shown(travels: Travels) -> None:
    assert travels.add(delivery("b", "c", "a", 1.0)) == []
    assert list(travels) == []


def test_a_delivery_may_be_reported_before_the_one_that_it_follows(travels: Travels) -> None:
    """A hop reports a delivery when its whole batch is done; the next hop may be faster."""
    first, second, third = (
        delivery(source, target, "a", at)
        for source, target, at in (("a", "b", 10.2), ("b", "c", 10.3), ("c", "a", 10.4))
    )
    assert travels.add(third) == travels.add(second) == []
    travel = only_of(travels.add(first))
    assert travel.reached.keys() == {"a", "b", "c"}
    assert travel.lap == pytest.approx(0.3)


def test_a_delivery_of_an_earlier_write_is_not_one_of_a_later_write(travels: Travels) -> None:
    travels.add(delivery("b", "c", "a", 1.0))
    assert len(travels.add(delivery("a", "b", "a", 60.0))) == 1
    assert "c" not in only(travels).reached


def test_all_of_many_writes_at_once_are_followed_to_the_end(travels: Travels) -> None:
    keys = [str(number) for number in range(3 * SHOWN)]
    for source, target, at in (("a", "b", 1.0), ("b", "c", 2.0), ("c", "a", 3.0)):
        known = [travels.add(delivery(source, target, "a", at, key)) for key in keys]
    assert [only_of(found).key for found in known] == keys


def test_the_latest_writes_are_kept(travels: Travels) -> None:
    for number in range(SHOWN + 5):
        travels.add(delivery("a", "b", "a", float(number), key=str(number)))
    kept = list(travels)
    assert (len(kept), kept[0].key) == (SHOWN, str(SHOWN + 4))
