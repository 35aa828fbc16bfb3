"""Rows that are made when their turn has come: a list to json, a table to a person."""

import json
from itertools import islice

import pytest

from commands.output.screen import Rows, Screen, _PipeConsole
from ring.text import counted


def test_json_is_made_row_by_row() -> None:
    made: list[int] = []

    def show(number: int) -> dict[str, int]:
        made.append(number)
        return {"row": number}

    chunks = json.JSONEncoder(indent=2).iterencode({"rows": Rows(range(1_000), show)})
    list(islice(chunks, 20))
    assert 0 < len(made) < 20


@pytest.mark.parametrize("number", [0, 1, 3])
def test_it_is_the_document_that_a_list_makes(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = Rows(range(number), lambda one: {"row": one})
    Screen(as_json=True).emit({"rows": rows, "ok": True}, lambda: None)
    expected = {"rows": [{"row": one} for one in range(number)], "ok": True}
    assert capsys.readouterr().out == json.dumps(expected, indent=2) + "\n"


def test_a_table_is_as_wide_as_its_widest_row(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=False).table(["n", ""], Rows([5, 5000], lambda one: (one, None)))
    assert capsys.readouterr().out == "   n\n   5   -\n5000   -\n"


def test_numbers_are_flush_right_and_words_flush_left(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", 5, "0.1 s", "OK"), ("long", 1_000, None, "1,2"), ("b", None, "12.5 s", "x")]
    Screen(as_json=False).table(["name", "n", "age", "last"], rows)
    assert capsys.readouterr().out == (
        "name      n      age   last\n"
        "a         5    0.1 s   OK\n"
        "long   1000        -   1,2\n"
        "b         -   12.5 s   x\n"
    )


@pytest.mark.parametrize(("columns", "is_table"), [(60, True), (20, False)])
def test_a_table_that_a_terminal_is_too_narrow_for_is_a_list(columns: int, is_table: bool) -> None:
    screen = Screen(as_json=False)
    screen.console = _PipeConsole(width=columns, force_terminal=True, highlight=False)
    with screen.console.capture() as shown:
        screen.table(["hop from", "to"], [("us-east-1", "eu-west-1"), ("eu-west-1", None)])
    table = "hop from    to\nus-east-1   eu-west-1\neu-west-1   -\n"
    rows = "hop from   us-east-1\nto         eu-west-1\n\nhop from   eu-west-1\nto         -\n"
    assert shown.get() == (table if is_table else rows)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys"), (1_000, "1,000 keys")]
)
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert counted(number, "key") == text


def test_a_noun_may_take_more_than_an_s() -> None:
    assert [counted(number, "key was", "keys were") for number in (1, 2)] == [
        "1 key was",
        "2 keys were",
    ]
