"""Rows that are made when their turn has come: a list to json, a table to a person."""

import json
from itertools import islice

import pytest

from commands.screen import Rows, Screen


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
    Screen(as_json=True).answer({"rows": rows, "ok": True}, lambda: None)
    expected = {"rows": [{"row": one} for one in range(number)], "ok": True}
    assert capsys.readouterr().out == json.dumps(expected, indent=2) + "\n"


def test_a_table_is_as_wide_as_its_widest_row(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=False).table(["n", ""], Rows([5, 5000], lambda one: (one, None)))
    assert capsys.readouterr().out == "n\n5      -\n5000   -\n"
