"""What a check of whole tables takes, against figures that were worked out by hand."""

from __future__ import annotations

import pytest

from operate.pricing.prices import NAMES, Prices
from operate.pricing.table_size import Functions, Tables, Way, apart, sorted_here

ONE = [Prices(**dict.fromkeys(NAMES, 1.0))] * 2
GB = 1024**3
SMALL = Tables(2, 40 * GB, 1024, rate=1024)
FUNCTIONS = Functions(segments=100, at_once=10, round_trip=0.0)


def bill(way: Way) -> dict[str, float]:
    return {line.name: line.quantity for line in way.bill}


def takes(way: Way) -> dict[str, float]:
    return {one.name: one.quantity for one in (*way.times, *way.needs)}


def test_a_scan_counts_what_it_reads_and_a_lookup_each_item() -> None:
    read = bill(apart(SMALL, ONE, FUNCTIONS))
    assert read["scans"] * 1e6 == 2 * 40 * GB / 4096 / 2
    assert read["lookups"] == 4 * read["scans"]  # a quarter of a unit's 4 KB in each
    large = bill(apart(Tables(2, 40 * GB, 8192), ONE, FUNCTIONS))
    assert large["lookups"] == large["scans"]


def test_a_table_gives_what_its_partitions_and_its_quota_give() -> None:
    units = 40 * GB / 4096 / 2
    told = takes(sorted_here(SMALL, ONE, 1000))
    assert told["partitions"] * 3600 == pytest.approx(units / (4 * 3000))
    assert told["a table's quota"] * 3600 == pytest.approx(units / 40_000)
    assert takes(apart(SMALL, ONE, FUNCTIONS))["partitions"] == pytest.approx(
        5 * told["partitions"]
    )


def test_one_machine_reads_and_sorts_all_over_one_line_and_on_one_disk() -> None:
    way = sorted_here(SMALL, ONE, 800)
    told, items = takes(way), 2 * 40 * GB / 1024
    assert told["network"] * 3600 == pytest.approx(2 * 40 * GB / 1e8)
    assert told["this machine"] * 3600 == pytest.approx(items / 1024)
    assert told["disk"] == pytest.approx(items * 200 / 1e9)
    assert way.longest.name == "this machine"


def test_functions_share_the_work_as_far_as_there_are_segments() -> None:
    work = 2 * 40 * 1024  # seconds: a MB has 1,024 items
    for at_once, shared in ((10, 10), (200, 200), (1000, 200)):
        told = takes(apart(SMALL, ONE, Functions(100, at_once, 0.0)))
        assert told["functions"] * 3600 == pytest.approx(work / shared)
    assert told["a segment"] * 60 == pytest.approx(work / 200)
    waiting = takes(apart(SMALL, ONE, Functions(100, 200, 0.5)))
    assert waiting["functions"] == pytest.approx(2 * told["functions"])


def test_a_segment_of_more_than_a_calls_time_takes_several() -> None:
    few, many = (bill(apart(SMALL, ONE, Functions(of, 10, 0.0))) for of in (10, 100))
    assert few["Lambda requests"] * 1e6 == 2 * 10 * 5  # of 4,096 seconds each
    assert many["Lambda requests"] * 1e6 == 2 * 100
    assert few["Step Functions"] == 3 * few["Lambda requests"]
    assert few["Lambda time"] == many["Lambda time"]


def test_other_regions_tables_cross_to_the_first_twice() -> None:
    three = Tables(3, 40 * GB, 1024)
    assert bill(apart(three, ONE, FUNCTIONS))["transfer"] == 2 * 2 * 40 * GB / 1e9
    assert bill(sorted_here(three, ONE, 1000))["transfer"] == 3 * 40 * GB / 1e9
