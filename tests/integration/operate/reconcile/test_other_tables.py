"""A checkpoint is of these tables, not of others that have, or had, their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.local_ring import RunningLocalRing
from operate.check_run import CheckRun
from operate.reconcile.check import CheckOptions
from operate.table_options import TableOptions
from tests.support.interruptions import interrupted
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of
from tests.support.whole_tables import lead_to, reached, unseen

KEPT = TableOptions(journal=Path("kept"))
QUICK = CheckOptions(settle_seconds=0.1)


def test_a_check_does_not_go_on_at_other_tables_of_the_same_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rows of tables that are gone, or of another account, say nothing of these."""
    for value in ("equal", "differs"):
        with ring_of(2) as ring:
            lead_to(ring, monkeypatch, tmp_path)
            put(ring, REGIONS[0], item("k", v={"S": "same"}))
            ring.wait_until_quiet(PATIENCE)
            run = CheckRun(RunningLocalRing(ring.endpoint), reached(ring), QUICK, KEPT)
            if value == "equal":
                with pytest.raises(KeyboardInterrupt), run.open("check") as journal:
                    run.check(journal, interrupted(12))
                continue
            with unseen(ring):
                ring.client(REGIONS[1]).delete_item(TableName="orders", Key=item("k"))
            with run.open("check") as journal:
                assert not journal.resumed
                assert run.check(journal).result.differing == 1
