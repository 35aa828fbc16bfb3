"""Loading data: every line is checked before anything is written, and nothing is changed by it."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from local.clients import Clients
from local.data.dynamodb_json import BadItemError
from local.data.items import Schema, parse_line
from local.data.load import LoadError, TargetTable, check, load
from local.data.load import write as write_checked
from local.endpoint.server import LocalServer

SCHEMA = Schema(("customer", "order"), {"customer": "S", "order": "N", "status": "S"})
KEY = {"customer": {"S": "ada"}, "order": {"N": "1"}}
DIGITS = "1234567890.1234567890123456789012345678"  # 38 of them


def plain(**more: Any) -> bytes:
    return json.dumps({"customer": "ada", "order": 1, **more}).encode()


def dynamodb_json(**more: Any) -> bytes:
    return json.dumps({**KEY, **more}).encode()


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


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with LocalServer() as server, Clients(server.endpoint) as made:
        yield made


@pytest.fixture
def table(clients: Clients, request: pytest.FixtureRequest) -> TargetTable:
    client = clients.dynamodb("eu-west-1")
    name = request.node.name[:200]
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "customer", "KeyType": "HASH"},
            {"AttributeName": "order", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "order", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return TargetTable(client, name)


def quiet() -> Progress:
    return Progress(console=Console(quiet=True))


def items(table: TargetTable) -> list[dict[str, Any]]:
    return table.client.scan(TableName=table.name)["Items"]


def write(path: Path, lines: Sequence[bytes], *, packed: bool = False) -> Path:
    data = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_all_lines_are_loaded(tmp_path: Path, table: TargetTable, packed: bool) -> None:
    lines = [plain(order=number) for number in range(60)]
    assert load(write(tmp_path / "data", lines, packed=packed), table, quiet()) == 60
    assert {item["order"]["N"] for item in items(table)} == {str(number) for number in range(60)}


def test_what_was_loaded_is_what_was_in_the_file(tmp_path: Path, table: TargetTable) -> None:
    lines = [dynamodb_json(b={"B": "AP8="}, n={"N": DIGITS}, ss={"SS": ["a", "b"]})]
    load(write(tmp_path / "data", lines), table, quiet())
    assert items(table) == [
        {**KEY, "b": {"B": b"\x00\xff"}, "n": {"N": DIGITS}, "ss": {"SS": ["a", "b"]}}
    ]


def test_bad_lines_are_named_by_their_numbers_and_nothing_is_loaded(
    tmp_path: Path, table: TargetTable
) -> None:
    lines = [plain(), b"", b"{", plain(order=2), plain(_repl_x=1)]
    with pytest.raises(LoadError) as caught:
        load(write(tmp_path / "data", lines), table, quiet())
    told = str(caught.value).splitlines()
    assert told[0].endswith("data: 2 lines cannot be loaded. Nothing was loaded.")
    assert told[1].startswith("  line 3: not JSON")
    assert told[2].startswith("  line 5: _repl_x: ")
    assert items(table) == []


def test_of_many_bad_lines_the_first_are_named_and_the_rest_counted(
    tmp_path: Path, table: TargetTable
) -> None:
    with pytest.raises(LoadError) as caught:
        load(write(tmp_path / "data", [b"{"] * 1234), table, quiet())
    told = str(caught.value).splitlines()
    assert "1,234 lines" in told[0]
    assert len(told) == 22
    assert told[-1] == "  and 1,214 more"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_line_without_end_is_refused_by_its_number_in_little_memory(
    tmp_path: Path, packed: bool
) -> None:
    endless = b" " * 200_000_000
    path = write(tmp_path / "data", [plain(), b"{", plain(text="x") + endless], packed=packed)
    del endless
    tracemalloc.start()
    try:
        with pytest.raises(LoadError) as caught:
            check(path, SCHEMA, quiet())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    told = str(caught.value).splitlines()
    assert told[1].startswith("  line 2: not JSON")
    assert told[2].startswith("  line 3: longer than 4 MB")
    assert peak < 40_000_000


def test_what_a_line_says_of_itself_is_told_cut_and_without_codes_for_the_terminal(
    tmp_path: Path,
) -> None:
    lines = [dynamodb_json(**{"a\x1b[2J\n": {"N": "x"}}), dynamodb_json(**{"n" * 5000: {"N": "x"}})]
    path = write(tmp_path / "data", lines)
    with pytest.raises(LoadError) as caught:
        check(path, SCHEMA, quiet())
    told = str(caught.value)
    assert r"line 1: a\x1b[2J\n: 'x' is not a number" in told
    assert "\x1b" not in told
    assert len(told) < 900


def test_what_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LoadError, match="not a regular file, which loading reads twice"):
        check(tmp_path / "pipe", SCHEMA, quiet())


def test_a_file_that_is_changed_after_the_check_is_an_error(tmp_path: Path) -> None:
    client: Any = Busy()
    checked = check(write(tmp_path / "data", [plain()]), SCHEMA, quiet())
    write(tmp_path / "data", [b"{"])
    with pytest.raises(LoadError, match="was changed after it was checked: not JSON"):
        write_checked(checked, TargetTable(client, "t"), quiet())


def test_a_file_that_is_cut_off_is_an_error_and_nothing_is_loaded(
    tmp_path: Path, table: TargetTable
) -> None:
    path = write(tmp_path / "data", [plain(order=number) for number in range(100)], packed=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LoadError, match=r"cannot be read: .*Nothing was loaded\."):
        load(path, table, quiet())
    assert items(table) == []


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, table: TargetTable) -> None:
    with pytest.raises(LoadError, match="No such file"):
        load(tmp_path / "data", table, quiet())


def test_of_lines_with_one_key_the_last_one_wins(tmp_path: Path, table: TargetTable) -> None:
    lines = [plain(order=1, n=1), plain(order=2), plain(order=1, n=2)]
    load(write(tmp_path / "data", lines), table, quiet())
    assert sorted(item.get("n", {}).get("N", "") for item in items(table)) == ["", "2"]


def test_a_batch_has_no_key_twice_which_dynamodb_would_refuse(tmp_path: Path) -> None:
    client: Any = Busy()
    lines = [plain(order=1), plain(order=2), plain(order=1.0)]
    load(write(tmp_path / "data", lines), TargetTable(client, "t"), quiet(), lambda _: None)
    assert [put["PutRequest"]["Item"]["order"]["N"] for put in client.first] == ["1.0", "2"]


def test_an_empty_file_and_a_mark_at_its_beginning_are_no_mistakes(
    tmp_path: Path, table: TargetTable
) -> None:
    assert load(write(tmp_path / "empty", []), table, quiet()) == 0
    assert load(write(tmp_path / "data", [b"\xef\xbb\xbf" + plain()]), table, quiet()) == 1


class Busy:
    """A table that takes one item of each batch, and the rest when it is asked again."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.first: list[Any] = []

    def describe_table(self, **_: Any) -> Any:
        return {
            "Table": {
                "KeySchema": [{"AttributeName": "customer"}, {"AttributeName": "order"}],
                "AttributeDefinitions": [
                    {"AttributeName": "customer", "AttributeType": "S"},
                    {"AttributeName": "order", "AttributeType": "N"},
                ],
            }
        }

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        ((table, (first, *rest)),) = RequestItems.items()
        self.first = self.first or [first, *rest]
        self.taken.append(first["PutRequest"]["Item"]["order"]["N"])
        return {"UnprocessedItems": {table: rest} if rest else {}}


def test_what_the_table_was_too_busy_to_take_is_written_again(tmp_path: Path) -> None:
    client: Any = Busy()
    waits: list[float] = []
    path = write(tmp_path / "data", [plain(order=number) for number in range(5)])
    assert load(path, TargetTable(client, "t"), quiet(), waits.append) == 5
    assert client.taken == ["0", "1", "2", "3", "4"]
    assert waits == [0.05, 0.1, 0.2, 0.4]
