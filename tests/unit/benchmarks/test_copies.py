"""The share of copies that take a write unit more than their items."""

from __future__ import annotations

import pytest

from benchmarks.copies import (
    MEDIANS,
    WITH_TEXT,
    bytes_of_attributes,
    share_with_more,
    spread,
    units,
)


@pytest.fixture(scope="module", params=MEDIANS[:3])
def median(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def shares(median: int) -> list[float]:
    return spread(median)


def test_the_rings_attributes_have_less_than_110_bytes() -> None:
    assert bytes_of_attributes() < 110


def test_a_spread_has_all_items_and_half_of_them_below_its_median(
    median: int, shares: list[float]
) -> None:
    assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert sum(shares[: median + 1]) == pytest.approx(0.5)


def test_the_units_grow_by_the_share_of_copies_that_take_one_more(shares: list[float]) -> None:
    more = units(shares, WITH_TEXT) - units(shares)
    assert more == pytest.approx(share_with_more(shares, WITH_TEXT))


def test_of_sizes_that_are_all_alike_those_just_below_a_unit_take_one_more() -> None:
    shares = [0.0] + [1 / 1024] * 1024
    assert share_with_more(shares, 100) == pytest.approx(100 / 1024)
