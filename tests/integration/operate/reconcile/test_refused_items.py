"""An item that a member refuses is skipped, and says why; all others are repaired or filled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from automate import main
from local.ring import LocalRing
from tests.support.local_rings import get, item, put, ring_of
from tests.support.quarantined_ring import HERE, NULL, THERE, refuse
from tests.support.whole_tables import lead_to, unseen

KEYS = [f"k{number:02}" for number in range(30)]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalRing]:
    """A ring with items that its streams do not have, one of which the second member refuses."""
    with ring_of(2) as two:
        lead_to(two, monkeypatch, tmp_path)
        refuse(two)
        with unseen(two):
            for key in KEYS:
                put(two, HERE, item(key, v={"S": "old"}))
            put(two, HERE, item("refused", **NULL))
        yield two


def outcome(*arguments: str) -> tuple[int, dict[str, Any]]:
    command, *others = arguments
    given = (command, "--stack", "dev", "--yes", "--json", *others)
    result = CliRunner().invoke(main, given)
    (one,) = json.loads(result.stdout)["rings"]
    return result.exit_code, one


@pytest.mark.parametrize(
    "arguments",
    [
        ("backfill", "--into", THERE),
        ("repair", "--settle-seconds", "0", "--prefer", HERE),
    ],
    ids=lambda arguments: arguments[0],
)
def test_it_is_skipped_and_all_others_are_done(ring: LocalRing, arguments: tuple[str, ...]) -> None:
    code, done = outcome(*arguments)
    assert [get(ring, THERE, key) for key in KEYS] == [item(key, v={"S": "old"}) for key in KEYS]
    assert get(ring, THERE, "refused") is None
    assert (code, done["skipped"]) == (1, 1)
    (skipped,) = done["skipped_keys"]
    assert skipped["key"] == {"id": {"S": "refused"}}
    assert skipped["reason"].startswith("refused: ")
    assert "coupon" in skipped["reason"]


def denied(region: str, operation: str) -> bytes | None:
    """A fault that is not an item's, and that nobody tries again."""
    if (region, operation) != (THERE, "PutItem"):
        return None
    name = "com.amazon.coral.service#AccessDeniedException"
    return json.dumps({"__type": name, "Message": "not authorized to perform: PutItem"}).encode()


def test_an_error_that_is_not_of_an_item_still_ends_it(ring: LocalRing) -> None:
    with ring.faults.inject(denied):
        code, done = outcome("backfill", "--into", THERE)
    assert code == 1
    assert "not authorized to perform: PutItem" in done["error"]["text"]
