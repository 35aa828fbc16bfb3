"""A line of a file becomes an item, or says why not."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from local.data.dynamodb_json import BadItemError
from local.data.items import Schema, parse_line
from tests.support.item_lines import DIGITS, KEY, SCHEMA, dynamodb_json, plain


def test_a_plain_object_gets_the_types_of_its_values() -> None:
    line = b"""{"customer": "ada", "order": 1, "text": "", "on": true, "none": null,
        "list": [1, [], "a"], "map": {"deep": {"on": false}}}"""
    assert parse_line(line, SCHEMA) == {
        **KEY,
        "text": {"S": ""},
        "on": {"BOOL": True},
        "none": {"NULL": True},
        "list": {"L": [{"N": "1"}, {"L": []}, {"S": "a"}]},
        "map": {"M": {"deep": {"M": {"on": {"BOOL": False}}}}},
    }


@pytest.mark.parametrize(
    "number",
    [DIGITS, f"-{DIGITS}", "9.9E+125", "1E-130", "0", "100000000000000000000000000000000000000000"],
    ids=lambda number: number[:12],
)
def test_numbers_keep_all_their_digits(number: str) -> None:
    line = plain(n=0).replace(b'"n": 0', f'"n": {number}'.encode())
    assert Decimal(parse_line(line, SCHEMA)["n"]["N"]) == Decimal(number)
    assert parse_line(dynamodb_json(n={"N": number}), SCHEMA)["n"] == {"N": number}


def test_dynamodb_json_is_taken_as_it_is_and_its_binary_decoded() -> None:
    values = {
        "b": {"B": "AP8="},
        "bs": {"BS": ["AA==", "/w=="]},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2.5"]},
        "m": {"M": {"l": {"L": [{"B": "AA=="}, {"NULL": True}]}}},
        "on": {"BOOL": False},
    }
    expected = {
        **values,
        "b": {"B": b"\x00\xff"},
        "bs": {"BS": [b"\x00", b"\xff"]},
        "m": {"M": {"l": {"L": [{"B": b"\x00"}, {"NULL": True}]}}},
    }
    assert parse_line(dynamodb_json(**values), SCHEMA) == {**KEY, **expected}


def test_a_line_of_an_export_to_s3_is_unwrapped() -> None:
    assert parse_line(json.dumps({"Item": KEY}).encode(), SCHEMA) == KEY


def test_a_key_that_is_called_item_is_not_taken_for_an_export() -> None:
    schema = Schema(("Item",), {"Item": "S"})
    assert parse_line(b'{"Item": "a"}', schema) == {"Item": {"S": "a"}}
    assert parse_line(b'{"Item": {"S": "a"}}', schema) == {"Item": {"S": "a"}}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "^not JSON: .* column 2"),
        (b"{\n", "^not JSON: .* column 2"),
        (b"[1]", "^not a JSON object"),
        (b'{"customer": "\xff"}', "^not UTF-8"),
        (plain(n=float("nan")), "NaN is not a number"),
        (b'{"customer": "ada"}', "the key attribute order is missing"),
        (b'{"customer": "ada", "order": "1"}', "order: the key must have type N, not S"),
        (b'{"customer": "", "order": 1}', "customer: a key cannot be empty"),
        (b'{"customer": {"N": "1"}, "order": {"N": "1"}}', "customer: the key must have type S"),
        (plain(status=1), "status: the key must have type S, not N"),
        (plain(status=""), "status: a key cannot be empty"),
        (plain(customer="a" * 2049), "customer: a key of 2,049 bytes; DynamoDB's limit is 2,048"),
        (plain(_repl_version="x"), "_repl_version: .* reserved for the ring; remove them"),
        (plain(**{"": 1}), "an attribute has an empty name"),
        (plain(text="x" * 410_000), r"about 410,0\d\d bytes; DynamoDB's limit is 409,600"),
        (dynamodb_json(a="text"), "a: 'text' is not a value in DynamoDB JSON"),
        (dynamodb_json(a={"S": "a", "N": "1"}), "a: .* is not a value in DynamoDB JSON"),
        (dynamodb_json(a={"X": "a"}), "a: .* is not a value in DynamoDB JSON"),
        (dynamodb_json(a={"S": 1}), "a: 1 is not a value of type S"),
        (dynamodb_json(a={"NULL": False}), "a: False is not a value of type NULL"),
        (dynamodb_json(a={"N": "one"}), "a: 'one' is not a number"),
        (dynamodb_json(a={"N": "Infinity"}), "a: 'Infinity' is not a number"),
        (dynamodb_json(a={"N": "sNaN"}), "a: 'sNaN' is not a number"),
        (dynamodb_json(a={"N": "1_000"}), "a: '1_000' is not a number"),
        (dynamodb_json(a={"N": " 1"}), "a: ' 1' is not a number"),
        (dynamodb_json(a={"N": "1\n"}), r"a: '1\\n' is not a number"),
        (dynamodb_json(a={"N": ""}), "a: '' is not a number"),
        (dynamodb_json(a={"N": "\u0661"}), "a: '\u0661' is not a number"),
        (dynamodb_json(a={"NS": ["1", "2_0"]}), "a: '2_0' is not a number"),
        (dynamodb_json(a={"N": "9" * 5000}), "has 5000 digits; DynamoDB's limit is 38"),
        (dynamodb_json(a={"N": "1E" + "9" * 30}), "a: '1E9+' is out of DynamoDB's range"),
        (plain(a=0).replace(b'"a": 0', b'"a": 1E' + b"9" * 30), "out of DynamoDB's range"),
        (plain(a="\ud800"), r"\\ud800 is half of a surrogate pair"),
        (plain(**{"\udfff": 1}), r"\\udfff is half"),
        (dynamodb_json(a={"M": {"b": {"SS": ["\ud83d"]}}}), r"\\ud83d is half"),
        (dynamodb_json(a={"B": "\xe9"}), "a: '\xe9' is not base64"),
        (dynamodb_json(a={"N": f"{DIGITS}1"}), "has 39 digits; DynamoDB's limit is 38"),
        (dynamodb_json(a={"N": "1E+126"}), r"a: 1E\+126 is out of DynamoDB's range"),
        (dynamodb_json(a={"B": "?"}), "a: '\\?' is not base64"),
        (dynamodb_json(a={"SS": []}), "a: a set cannot be empty"),
        (dynamodb_json(a={"NS": ["1", "1.0"]}), "a: the set has a duplicate element"),
        (dynamodb_json(a={"L": [{"M": {"b": {"N": "x"}}}]}), r"a\[0\]\.b: 'x' is not a number"),
        (
            b'{"customer": "a", "order": 1, "d": ' + b"[" * 40 + b"]" * 40 + b"}",
            "limit is 32 levels",
        ),
        (plain(d=0).replace(b'"d": 0', b'"d": ' + b"[" * 700 + b"]" * 700), "nested too deeply"),
        (b'{"customer": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_item_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(BadItemError, match=reason):
        parse_line(line, SCHEMA)


@pytest.mark.parametrize("number", ["+5", "+1.5", "1e+2", "1.5E+3", "-7", "00042", "-0", ".5"])
def test_numbers_that_dynamodb_takes_are_taken(number: str) -> None:
    assert parse_line(dynamodb_json(n={"N": number}), SCHEMA)["n"] == {"N": number}


def test_both_halves_of_a_character_are_one() -> None:
    assert parse_line(plain(text="\U0001f600 \\ud800"), SCHEMA)["text"]["S"] == "\U0001f600 \\ud800"


def test_a_binary_key_cannot_be_said_in_plain_json() -> None:
    schema = Schema(("id",), {"id": "B"})
    with pytest.raises(BadItemError, match="use DynamoDB JSON for binary values"):
        parse_line(b'{"id": "AA=="}', schema)
    assert parse_line(b'{"id": {"B": "AA=="}}', schema) == {"id": {"B": b"\x00"}}
