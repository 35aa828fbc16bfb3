"""A thousand items, loaded as a user loads them, are everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.progress import Progress

from local.data.batch_writer import BatchWriter
from local.data.load import TargetTable, load
from tests.support.local_rings import REGIONS, ring_of


@pytest.mark.long
def test_a_thousand_items_loaded_into_one_member_are_on_all_three_and_equal(
    tmp_path: Path,
) -> None:
    lines = (json.dumps({"id": f"item-{n}", "n": n}) for n in range(1000))
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    with ring_of(3) as ring:
        member = ring.member(REGIONS[0])
        before = ring.meter.read()
        with (
            BatchWriter(member.client, member.clients.credentials) as writer,
            Progress(disable=True) as progress,
        ):
            loaded = load(tmp_path / "items.jsonl", TargetTable(writer, member.table), progress)
        ring.wait_until_quiet(300)
        cost = ring.meter.read() - before
        counts = [
            one.client.scan(TableName=one.table, Select="COUNT")["Count"]
            for one in ring.members.values()
        ]
        assert loaded == 1000
        assert counts == [1000] * 3
        assert ring.differences() == []
        assert cost.count() == 3000
        assert cost.count({"PutItem"}) == 0, "a new item is created by a statement of a batch"
        assert cost.count(refused=True) == 0
