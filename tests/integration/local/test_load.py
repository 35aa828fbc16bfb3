"""Loading data: every line is checked before anything is written, and nothing is changed by it."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import Progress

from local.clients import Clients
from local.data.batch_writer import BatchWriter
from local.data.load import LoadError, TargetTable, check, load
from local.data.load import write as write_checked
from local.endpoint.fault_injection import throttling
from local.endpoint.server import LocalServer
from tests.support.item_lines import DIGITS, KEY, SCHEMA, dynamodb_json, plain


@dataclass(frozen=True)
class LoadedTable(TargetTable):
    """A table that is loaded as in a session of a local ring, and is read with boto3."""

    reader: Any


@pytest.fixture
def table(clients: Clients, request: pytest.FixtureRequest) -> Iterator[LoadedTable]:
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
    with BatchWriter(client, clients.credentials) as writer:
        yield LoadedTable(writer, name, client)


def quiet() -> Progress:
    return Progress(console=Console(quiet=True))


def items(table: LoadedTable) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.reader.scan(TableName=table.name)["Items"]
    return found


def write(path: Path, lines: Sequence[bytes], *, packed: bool = False) -> Path:
    data = b"".join(line + b"\n" for line in lines)
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_all_lines_are_loaded(tmp_path: Path, table: LoadedTable, packed: bool) -> None:
    lines = [plain(order=number) for number in range(60)]
    assert load(write(tmp_path / "data", lines, packed=packed), table, quiet()) == 60
    assert {item["order"]["N"] for item in items(table)} == {str(number) for number in range(60)}


def test_what_was_loaded_is_what_was_in_the_file(tmp_path: Path, table: LoadedTable) -> None:
    lines = [dynamodb_json(b={"B": "AP8="}, n={"N": DIGITS}, ss={"SS": ["a", "b"]})]
    load(write(tmp_path / "data", lines), table, quiet())
    assert items(table) == [
        {**KEY, "b": {"B": b"\x00\xff"}, "n": {"N": DIGITS}, "ss": {"SS": ["a", "b"]}}
    ]


def test_bad_lines_are_named_by_their_numbers_and_nothing_is_loaded(
    tmp_path: Path, table: LoadedTable
) -> None:
    lines = [plain(), b"", b"{", plain(order=2), plain(_repl_x=1)]
    with pytest.raises(LoadError) as caught:
        load(write(tmp_path / "data", lines), table, quiet())
    reported = str(caught.value).splitlines()
    assert reported[0].endswith("data: 2 lines cannot be loaded. Nothing was loaded.")
    assert reported[1].startswith("  line 3: not JSON")
    assert reported[2].startswith("  line 5: _repl_x: ")
    assert items(table) == []


def test_of_many_bad_lines_the_first_are_named_and_the_rest_counted(
    tmp_path: Path, table: LoadedTable
) -> None:
    with pytest.raises(LoadError) as caught:
        load(write(tmp_path / "data", [b"{"] * 1234), table, quiet())
    reported = str(caught.value).splitlines()
    assert "1,234 lines" in reported[0]
    assert len(reported) == 22
    assert reported[-1] == "  and 1,214 more"


@pytest.mark.parametrize(
    "packed",
    [pytest.param(False, id="plain", marks=pytest.mark.long), pytest.param(True, id="gzip")],
)
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
    reported = str(caught.value).splitlines()
    assert reported[1].startswith("  line 2: not JSON")
    assert reported[2].startswith("  line 3: longer than 4 MB")
    assert peak < 40_000_000


def test_what_a_line_says_of_itself_is_shown_cut_and_without_codes_for_the_terminal(
    tmp_path: Path,
) -> None:
    lines = [dynamodb_json(**{"a\x1b[2J\n": {"N": "x"}}), dynamodb_json(**{"n" * 5000: {"N": "x"}})]
    path = write(tmp_path / "data", lines)
    with pytest.raises(LoadError) as caught:
        check(path, SCHEMA, quiet())
    message = str(caught.value)
    assert r"line 1: a\x1b[2J\n: 'x' is not a number" in message
    assert "\x1b" not in message
    assert len(message) < 900


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
    tmp_path: Path, table: LoadedTable
) -> None:
    path = write(tmp_path / "data", [plain(order=number) for number in range(100)], packed=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LoadError, match=r"cannot be read: .*Nothing was loaded\."):
        load(path, table, quiet())
    assert items(table) == []


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, table: LoadedTable) -> None:
    with pytest.raises(LoadError, match="No such file"):
        load(tmp_path / "data", table, quiet())


def test_of_lines_with_one_key_the_last_one_wins(tmp_path: Path, table: LoadedTable) -> None:
    lines = [plain(order=1, n=1), plain(order=2), plain(order=1, n=2)]
    load(write(tmp_path / "data", lines), table, quiet())
    assert sorted(item.get("n", {}).get("N", "") for item in items(table)) == ["", "2"]


def test_a_batch_has_no_key_twice_which_dynamodb_would_refuse(tmp_path: Path) -> None:
    client: Any = Busy()
    lines = [plain(order=1), plain(order=2), plain(order=1.0)]
    load(write(tmp_path / "data", lines), TargetTable(client, "t"), quiet(), lambda _: None)
    assert [put["PutRequest"]["Item"]["order"]["N"] for put in client.first] == ["1.0", "2"]


def test_an_empty_file_and_a_mark_at_its_beginning_are_no_mistakes(
    tmp_path: Path, table: LoadedTable
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


def test_a_batch_that_is_throttled_is_written_when_it_is_not_any_more(
    server: LocalServer, tmp_path: Path, table: LoadedTable
) -> None:
    lines = [plain(order=number) for number in range(200)]
    before = server.meter.read()
    with server.faults.inject(throttling("eu-west-1", 0.5, seed=1)):
        assert load(write(tmp_path / "data", lines), table, quiet()) == 200
    assert len(items(table)) == 200
    assert (server.meter.read() - before).count({"BatchWriteItem"}) == 200


def test_a_batch_that_is_refused_is_an_error_as_of_boto3(table: LoadedTable) -> None:
    request: Any = {"RequestItems": {table.name: [{"PutRequest": {"Item": {"other": {"S": "x"}}}}]}}
    refusals = []
    for client in (table.client, table.reader):
        with pytest.raises(ClientError) as refused:
            client.batch_write_item(**request)
        refusals.append(refused.value.response["Error"])
    assert refusals[0] == refusals[1]
    assert refusals[0]["Code"] == "ValidationException"


def test_values_of_all_types_are_written_and_returned_as_by_boto3(table: LoadedTable) -> None:
    values = {
        "text": {"S": "a \N{EURO SIGN}"},
        "number": {"N": DIGITS},
        "binary": {"B": b"\x00\xff"},
        "set": {"BS": [b"\x00", b"\xff"]},
        "map": {"M": {"list": {"L": [{"B": b"\x01"}, {"NULL": True}, {"BOOL": False}]}}},
    }
    put: Any = [{"PutRequest": {"Item": {**KEY, **values}}}]
    response = table.client.batch_write_item(RequestItems={table.name: put})
    assert response["UnprocessedItems"] == {}
    assert items(table) == [{**KEY, **values}]
