"""A sample finds keys also in a table of few partition keys, whose segments are mostly empty."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from operate.reconcile.check import _sample_keys
from operate.stop import Stop


class Table:
    """A table whose items have one partition key, and so are all in one segment."""

    def __init__(self, items: int) -> None:
        self.items = [{"id": {"S": "one"}, "n": {"N": str(number)}} for number in range(items)]
        self.scans = 0

    def scan(self, *, Segment: int, TotalSegments: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.scans += 1
        return {"Items": self.items if Segment == TotalSegments - 1 else []}


def member(table: Table) -> Any:
    return SimpleNamespace(
        client=table,
        tables=SimpleNamespace(table="t"),
        keys=("id", "n"),
        ttl_attribute=None,
        item_count=len(table.items),
        stop=Stop(),
    )


@pytest.mark.parametrize("items", [1, 100, 100_000])
def test_a_table_with_items_is_never_compared_by_no_key(items: int) -> None:
    table = Table(items)
    sampled = _sample_keys([member(table), member(Table(0))], 10)
    assert 1 <= len(sampled) <= 10
    assert table.scans <= 100


def test_an_empty_table_has_no_sample() -> None:
    assert _sample_keys([member(Table(0)), member(Table(0))], 10) == []
