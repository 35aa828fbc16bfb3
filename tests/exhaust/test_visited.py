"""States keep their numbers, however many there are."""

from __future__ import annotations

import pytest

from tests.exhaust import visited
from tests.exhaust.visited import Visited


def test_a_state_is_new_once_and_keeps_its_number_while_the_table_grows() -> None:
    met, states = Visited(), [b"%d" % number for number in range(3_000)]
    assert [met.number(state) for state in states] == list(range(3_000))
    assert [met.number(state) for state in states] == list(range(3_000))
    assert len(met) == 3_000
    assert met.is_state(7, b"7")
    assert not met.is_state(7, b"8")


def test_states_with_one_place_in_the_table_have_their_own_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visited, "hash", lambda state: int(state) << 20, raising=False)
    met = Visited()
    assert [met.number(b"%d" % number) for number in (5, 6, 5, 7, 6)] == [0, 1, 0, 2, 1]
