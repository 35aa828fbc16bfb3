"""The size of an item by DynamoDB's rules."""

from __future__ import annotations

from typing import Any

import pytest

from local.data.item_size import item_size


def size(value: dict[str, Any]) -> int:
    return item_size({"": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": ""}, 0),
        ({"S": "a\N{EURO SIGN}"}, 4),
        ({"B": "AP8="}, 2),
        ({"B": b"\x00\xff"}, 2),
        ({"NULL": True}, 1),
        ({"BOOL": False}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "-100"]}, 5),
        ({"BS": ["AP8=", b"\x00"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"L": [{"N": "1"}]}]}, 3 + 1 + 2 + 1 + 3 + 1 + 2),
        ({"M": {"name": {"S": "ab"}}}, 3 + 1 + 4 + 2),
    ],
)
def test_a_value_has_the_size_of_its_type(value: dict[str, Any], expected: int) -> None:
    assert size(value) == expected


def test_a_name_counts_by_its_bytes() -> None:
    assert item_size({"\N{EURO SIGN}": {"NULL": True}, "ab": {"S": "c"}}) == 3 + 1 + 2 + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 1),
        ("000", 1),
        ("7", 2),
        ("10", 2),
        ("12", 2),
        ("100", 2),
        ("120", 3),
        ("1200", 2),
        ("0012", 2),
        ("12345", 4),
        ("1" * 38, 20),
        ("9" * 39, 2),
        ("-12", 3),
        ("0.5", 2),
        ("12.5", 3),
        ("1E+30", 2),
    ],
)
def test_a_number_takes_a_byte_for_two_digits(text: str, expected: int) -> None:
    assert size({"N": text}) == expected


def test_a_whole_number_has_the_same_size_in_any_spelling() -> None:
    for number in (*range(1100), 10**20, 12 * 10**19, 10**37 + 1):
        spellings = (f"{number}", f"00{number}", f"{number}.0", f"+{number}")
        assert len({size({"N": text}) for text in spellings}) == 1
