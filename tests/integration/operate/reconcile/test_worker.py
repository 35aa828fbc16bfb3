"""The segments of a ring, checked one by one by their events, say what a check says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handler.quarantine import place_of
from local.clients import HOME_ACCOUNT
from local.ring import LocalRing
from operate.distributed import worker
from operate.distributed.results import collect_check, results
from operate.reconcile.check import CheckOptions, check, table_segments
from operate.reconcile.check_result import CHANGING, findings
from operate.reconcile.difference_kinds import DifferenceKind
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from ring.project import PROJECT_ROOT
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of
from tests.support.segment_events import few_at_a_time, make, worked
from tests.support.whole_tables import lead_to, reached

BUCKET, SEGMENTS = "found", 3
PLACE = place_of(BUCKET, HOME_ACCOUNT)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def running() -> Iterator[LocalRing]:
    """A ring whose hops rest after a while, so that members differ in every kind."""
    with ring_of(3) as ring:
        for number in range(40):
            put(ring, REGIONS[number % 3], item(f"k{number}", v={"S": "x" * number}))
        ring.client(REGIONS[0]).delete_item(TableName="orders", Key=item("k39"))
        ring.wait_until_quiet(PATIENCE)
        with ring.paused():
            for number, word in enumerate(REGIONS[:3]):
                ring.client(word).delete_item(TableName="orders", Key=item(f"k{number}"))
                put(ring, word, item(f"k{number + 3}", v={"S": "edited"}))
                put(ring, word, item(f"new at {word}"))
            yield ring


@pytest.fixture
def members(
    running: LocalRing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[list[MemberConnection]]:
    lead_to(running, monkeypatch, tmp_path)
    s3 = make("s3", None)
    s3.create_bucket(Bucket=BUCKET)
    yield reached(running)
    for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=one["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def run(
    members: list[MemberConnection],
    make: worker.ClientFactory = make,
    left: Callable[[], float] = lambda: 900.0,
) -> int:
    """Check all segments; how many calls it took."""
    task = {
        "work": "check",
        "how": {"settle": 0, "tombstones": False},
        "members": [worker.member_to_event(member) for member in members],
        "bucket": BUCKET,
        "run": "run",
    }
    return worked(task, table_segments(members, SEGMENTS), make, left)


def verdict(journal: Journal) -> list[tuple[str, DifferenceKind, Any]]:
    return sorted((found.key, found.kind, found.states) for found in findings(journal))


def test_all_segments_together_find_what_a_check_finds(
    members: list[MemberConnection], tmp_path: Path
) -> None:
    assert run(members) == 2 * 3 * SEGMENTS
    with Journal(tmp_path / "apart", "a") as apart, Journal(tmp_path / "whole", "b") as whole:
        found, _ = collect_check(results(make("s3", None), PLACE, "run"), apart)
        assert found == check(members, whole, CheckOptions(settle_seconds=0))
        assert verdict(apart) == verdict(whole)
    assert found.differing == 9
    assert CHANGING not in found.found


def test_a_call_that_comes_near_its_end_is_gone_on_with(
    members: list[MemberConnection], tmp_path: Path
) -> None:
    assert run(members, few_at_a_time, left=lambda: 0.0) > 3 * 40 / 3
    with Journal(tmp_path / "apart", "a") as apart:
        found, _ = collect_check(results(make("s3", None), PLACE, "run"), apart)
    assert (found.compared, found.differing) == (42, 9)


def test_a_call_that_is_made_again_changes_nothing(
    members: list[MemberConnection], tmp_path: Path
) -> None:
    assert run(members) == run(members)
    with Journal(tmp_path / "apart", "a") as apart:
        found, _ = collect_check(results(make("s3", None), PLACE, "run"), apart)
    assert (found.compared, found.differing) == (42, 9)


def test_it_needs_nothing_but_what_lambda_has() -> None:
    """Python, botocore and its own source: no Pulumi, no boto3's extras."""
    program = (
        "import sys, operate.distributed.worker; print(*{m.split('.')[0] for m in sys.modules})"
    )
    imported = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {"operate", "handler", "botocore"} <= set(imported)
    assert not {"pulumi", "pydantic", "click", "ring", "local", "commands"} & set(imported)
