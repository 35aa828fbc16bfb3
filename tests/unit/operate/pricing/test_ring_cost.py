"""What a ring costs: each item against what the documentation and other tests count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.copies import bytes_of_attributes
from handler.protocol.decide import ReplicaId
from operate.errors import InvalidRequestError
from operate.pricing.bill import MONTH, BillLine, Index, Load, RingProfile, total
from operate.pricing.prices import NAMES, PriceList, Prices
from operate.pricing.ring_cost import ATTRIBUTES, global_tables, ring

ONE = Prices(**dict.fromkeys(NAMES, 1.0))
ONCE = 1 / MONTH * 1e6  # a million writes a month, so that millions are counted in ones
SMALL = 500  # bytes: one unit, as an item and as a copy


def lines(load: Load, shape: RingProfile) -> dict[str, BillLine]:
    return {line.name: line for line in ring(load, shape, [ONE] * shape.members)}


def quantity(load: Load, shape: RingProfile, name: str) -> float:
    return round(lines(load, shape)[name].quantity, 9)


@pytest.mark.parametrize("members", [2, 3, 5])
def test_a_change_costs_what_the_readme_counts(members: int) -> None:
    n, shape = members, RingProfile(members, members)
    update, insert = Load(ONCE, SMALL), Load(ONCE, SMALL, inserts=1.0)
    delete = Load(ONCE, SMALL, deletes=1.0)
    assert quantity(update, shape, "hops' writes") == n - 1
    assert quantity(update, shape, "reads of tombstones") == 0
    assert quantity(insert, shape, "hops' writes") == n - 1
    assert quantity(insert, shape, "reads of tombstones") == 2 * n - 2
    assert quantity(delete, shape, "hops' deletes") == 3 * n - 2
    assert quantity(delete, shape, "reads of tombstones") == 2 * n - 2
    assert quantity(delete, RingProfile(n, n, tombstones=False), "hops' deletes") == n


def test_the_rings_attributes_are_as_large_as_those_that_a_hop_writes() -> None:
    member = ReplicaId("0a1b2c3d", "eu-west-1", "t" * 21)
    assert bytes_of_attributes(member, digits=24) == ATTRIBUTES
    assert bytes_of_attributes(member, digits=21) == ATTRIBUTES - 1


def test_a_copy_is_larger_than_its_item_by_the_rings_attributes() -> None:
    load, shape = Load(ONCE, 1000), RingProfile(2, 2)
    assert quantity(load, shape, "applications' writes") == 1
    assert quantity(load, shape, "hops' writes") == 2


def test_an_index_takes_a_write_of_what_it_projects_at_every_member() -> None:
    def units(load: Load, projection: str) -> float:
        shape = RingProfile(3, 3, indexes=(Index("by-time", projection),))
        return quantity(load, shape, "index by-time")

    update, insert = Load(ONCE, 1000), Load(ONCE, 1000, inserts=1.0)
    delete = Load(ONCE, 1000, deletes=1.0)
    # Each copy is larger than 1 KB by the ring's attributes.
    assert [units(load, "ALL") for load in (update, insert, delete)] == [5, 5, 5]
    assert [units(load, "INCLUDE") for load in (update, insert, delete)] == [3, 3, 3]
    assert [units(load, "KEYS_ONLY") for load in (update, insert, delete)] == [0, 3, 3]
    assert units(replace(update, projected=1500), "INCLUDE") == 6


def test_global_tables_pay_for_indexes_in_units_of_the_usual_kind() -> None:
    price = Prices(**(dict.fromkeys(NAMES, 1.0) | {"replicated_write": 9.0}))
    shape = RingProfile(3, 3, indexes=(Index("by-time", "ALL"),))
    *_, index = global_tables(Load(ONCE, 1000), shape, [price] * 3)
    assert (round(index.quantity, 9), index.price) == (3, 1.0)


def test_alarms_are_paid_by_the_metrics_that_they_look_at() -> None:
    watched = lines(Load(1, SMALL), RingProfile(3, 3, dashboards=1))
    # What docs/decisions/0010-alarms-are-on.md says of a hop.
    assert (watched["alarms"].quantity, watched["dashboards"].quantity) == (33, 1)
    assert "alarms" not in lines(Load(1, SMALL), RingProfile(3, 3))


def test_lambda_is_called_as_often_as_it_looks_and_as_full_batches_ask() -> None:
    def called(writes: float, **shape: float) -> float:
        made = RingProfile(2, 2, **shape)  # type: ignore[arg-type]
        return round(quantity(Load(writes, SMALL), made, "Lambda requests") * 1e6 / MONTH / 2, 6)

    assert called(0.5) == 0.5  # each record by itself
    assert called(50) == 4  # four looks a second
    assert called(50, shards=3) == 12
    assert called(50, window=5.0) == 0.2
    assert called(50, batch_size=10) == 5  # no more than ten at a time
    assert called(0) == 0


def test_time_is_paid_by_memory_and_by_the_distance_to_the_next_member() -> None:
    load = Load(50, SMALL)
    near, far = RingProfile(2, 2, round_trip=0.0), RingProfile(2, 2, round_trip=0.1)
    twice = RingProfile(2, 2, round_trip=0.1, memory=1024)
    assert quantity(load, near, "Lambda time") < quantity(load, far, "Lambda time") / 5
    assert quantity(load, twice, "Lambda time") == 2 * quantity(load, far, "Lambda time")


def test_what_stays_in_a_region_is_not_transferred() -> None:
    load = Load(50, SMALL)
    assert quantity(load, RingProfile(3, 0), "transfer") == 0
    assert quantity(load, RingProfile(4, 2), "transfer") == pytest.approx(
        quantity(load, RingProfile(4, 4), "transfer") / 2
    )


def test_every_member_has_an_equal_part_at_its_own_prices() -> None:
    dear = Prices(**dict.fromkeys(NAMES, 3.0))
    load, shape = Load(ONCE, SMALL), RingProfile(2, 2)
    both, cheap = ring(load, shape, [ONE, dear]), ring(load, shape, [ONE, ONE])
    assert total(both) == pytest.approx(2 * total(cheap))


def test_global_tables_bill_a_write_in_every_region_and_no_functions() -> None:
    load = Load(ONCE, 2048, deletes=0.5)
    writes, sent = global_tables(load, RingProfile(3, 3), [ONE] * 3)
    assert writes.quantity == pytest.approx(3 * 2)
    assert sent.quantity == pytest.approx(2 * 2048 * 0.5 / 1000)


def test_prices_are_those_of_the_region_changed_by_what_is_said() -> None:
    prices = PriceList.read()
    prices.change(["eu-west-1.write=7", "read=2"])
    assert (prices.of("us-east-1").write, prices.of("us-east-1").read) == (0.625, 2)
    assert (prices.of("eu-west-1").write, prices.of("eu-west-1").read) == (7, 2)
    assert prices.regions_without_prices(["us-east-1", "eu-west-1"]) == ["eu-west-1"]
    prices.change([f"eu-west-1.{name}=1" for name in NAMES])
    assert prices.regions_without_prices(["us-east-1", "eu-west-1"]) == []


@pytest.mark.parametrize("text", ["writes=1", "write=much", "write", "write=-1", "write=nan"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="--price"):
        PriceList.read().change([text])


def test_a_file_that_is_no_price_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    for text in ("", "date: 2026-01-01\nregions: {eu-west-1: {write: 1}}", "regions: [1]"):
        path.write_text(text)
        with pytest.raises(InvalidRequestError, match="is no price list"):
            PriceList.read(path)


@pytest.mark.parametrize("value", ["-1", ".nan", "much"])
def test_a_price_list_with_what_is_no_price_is_refused(tmp_path: Path, value: str) -> None:
    sound = PriceList.read().regions["us-east-1"]
    prices = {name: getattr(sound, name) for name in NAMES} | {"write": yaml.safe_load(value)}
    path = tmp_path / "prices.yaml"
    path.write_text(yaml.safe_dump({"date": "2026-01-01", "regions": {"eu-west-1": prices}}))
    with pytest.raises(InvalidRequestError, match="is no price list"):
        PriceList.read(path)


def test_a_heartbeat_costs_a_write_at_every_member_and_an_invocation_more() -> None:
    quiet, shape = Load(0.0, SMALL), RingProfile(3, 3, beat_minutes=5, memory=1024, round_trip=0.09)
    beats = 3 * MONTH / 300  # of three members, every five minutes
    assert quantity(quiet, shape, "heartbeats' writes") == round(beats * 3 / 1e6, 9)
    assert quantity(quiet, shape, "heartbeats' requests") == round(beats * 4 / 1e6, 9)
    assert quantity(quiet, shape, "heartbeats' time") == round(beats * 4 * 0.1 / 1e6, 9)
    assert quantity(quiet, shape, "heartbeats' logs") == round(beats * 4 * 1_500 / 1e9, 9)


def test_a_ring_without_heartbeats_pays_none() -> None:
    assert not any("heartbeat" in name for name in lines(Load(1.0, SMALL), RingProfile(3, 3)))
