"""When the members of a ring hold the same item, and when they do not."""

from __future__ import annotations

from typing import Any

import pytest

from local.compare import Item, difference_reason
from tests.support.stream_records import version

PLACES = {"a": ("us-east-1", "t"), "b": ("eu-west-1", "t"), "c": ("eu-west-1", "u")}
BARE: Item = {"id": {"S": "x"}, "n": {"N": "1"}}


def stamped(seconds: int = 1, origin: str = "a", **more: Any) -> Item:
    region, table = PLACES[origin]
    return {
        **BARE,
        "_repl_version": {"B": version(seconds)},
        "_repl_source_region": {"S": region},
        "_repl_source_table": {"S": table},
        **more,
    }


def difference(a: Item | None, b: Item | None, c: Item | None) -> str | None:
    return difference_reason({"a": a, "b": b, "c": c}, PLACES)


def test_the_origin_keeps_its_item_as_it_was_written() -> None:
    assert difference(BARE, stamped(), stamped()) is None


def test_the_origin_of_an_edit_may_keep_an_older_stamp() -> None:
    assert difference(stamped(2, "b"), stamped(1, "a"), stamped(2, "b")) is None


def test_items_that_no_hop_wrote_are_compared_by_what_is_in_them() -> None:
    assert difference(BARE, BARE, BARE) is None
    assert difference(BARE, BARE, {**BARE, "n": {"N": "2"}}) == "different contents"


@pytest.mark.parametrize(
    ("copies", "reason"),
    [
        ((BARE, stamped(), None), "missing on c"),
        ((None, stamped(), None), "missing on a, c"),
        ((BARE, stamped(), stamped(n={"N": "2"})), "different contents"),
        ((BARE, stamped(1), stamped(2)), "different versions"),
        ((BARE, stamped(1), BARE), "different versions"),
        ((stamped(1, "b"), stamped(1, "a"), stamped(2, "b")), "different versions"),
        (
            (BARE, stamped(_repl_deleted={"BOOL": True}), stamped()),
            "the stub of a delete remains on b",
        ),
    ],
)
def test_what_differs_is_reported(copies: tuple[Any, Any, Any], reason: str) -> None:
    assert difference(*copies) == reason


def test_the_order_of_sets_and_maps_does_not_matter_and_that_of_lists_does() -> None:
    one = {**BARE, "s": {"SS": ["p", "q"]}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}}
    other = {**BARE, "m": {"M": {"y": {"N": "2"}, "x": {"N": "1"}}}, "s": {"SS": ["q", "p"]}}
    assert difference(one, other, one) is None
    first = {**BARE, "l": {"L": [{"N": "1"}, {"N": "2"}]}}
    last = {**BARE, "l": {"L": [{"N": "2"}, {"N": "1"}]}}
    assert difference(first, first, last) == "different contents"
