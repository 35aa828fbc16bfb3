"""Which conflict an ID names, among those of several rings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from commands.conflicts import group
from operate.conflicts.entries import ConflictEntry
from operate.conflicts.reading import Conflicts
from operate.errors import InvalidRequestError
from operate.rings import DeployedRing
from tests.unit.commands.test_conflict_text import entry


def ring(label: str, *ids: str) -> Any:
    one = entry()
    entries = tuple(
        ConflictEntry(name, one.key, one.since, one.hops, one.won, one.lost) for name in ids
    )
    return SimpleNamespace(label=label, found=Conflicts(entries, {}, {}))


def found(name: str, *rings: Any) -> str:
    chosen = group._find(cast("list[DeployedRing]", rings), name, 1.0)
    return f"{chosen.ring.label} {chosen.entry.id}"


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "logged_conflicts", lambda ring, _: ring.found)


def test_the_conflict_of_an_id_is_found_in_whichever_ring_has_it() -> None:
    assert found("1f", ring("a", "2c"), ring("b", "1fa", "2d")) == "b 1fa"


@pytest.mark.parametrize("others", [("1fb",), ("1fb", "1fc")])
def test_a_beginning_that_two_rings_have_names_no_conflict(others: tuple[str, ...]) -> None:
    """The first of them would be resolved, whichever was meant."""
    for rings in ((ring("a", "1fa"), ring("b", *others)), (ring("b", *others), ring("a", "1fa"))):
        with pytest.raises(InvalidRequestError, match="choose the ring with --only"):
            found("1f", *rings)
