"""Two items side by side fit the terminal, and every value is there."""

from typing import Any

import pytest

from commands.conflicts.side_by_side import format_value, side_by_side

ROWS = [
    ("id", '"1"', '"1"'),
    ("a-rather-long-name-of-an-attribute", "q" * 90, "-"),
    ("text", "some words that go on and on until they wrap", "y"),
]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    lines = list(side_by_side(("won: eu-west-1", "lost: us-east-1"), ROWS, width))
    assert max(map(len, lines)) <= width
    assert sum(line.count("q") for line in lines) == 90


def test_only_what_differs_has_a_sign() -> None:
    lines = list(side_by_side(("a", "b"), ROWS, 80))
    assert [line.split()[1] for line in lines if line.startswith("≠")][-1] == "text"
    assert not any(line.startswith("≠") for line in lines if '"1"' in line)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ({"S": "a\x1b[31m"}, '"a\\x1b[31m"'),
        ({"N": "1.50"}, "1.50"),
        ({"B": b"\x00"}, "binary AA=="),
        ({"BOOL": False}, "false"),
        ({"NULL": True}, "null"),
        ({"NS": ["2", "1"]}, "set of 1, 2"),
        ({"BS": [b"\x00"]}, "set of binary AA=="),
        ({"L": [{"S": "x"}, {"M": {"k": {"N": "1"}}}]}, '["x", {k: 1}]'),
    ],
)
def test_a_value_of_each_type(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_values_that_differ_beyond_the_cut_are_marked() -> None:
    left, right = (format_value({"S": "q" * 1_000 + end}) for end in "ab")
    lines = list(side_by_side(("a", "b"), [("text", left, right)], 80))
    assert any(line.startswith("≠") for line in lines)


def test_the_order_in_a_map_is_no_difference() -> None:
    one, two = {"a": {"N": "1"}, "b": {"N": "2"}}, {"b": {"N": "2"}, "a": {"N": "1"}}
    assert format_value({"M": one}) == format_value({"M": two}) == "{a: 1, b: 2}"
