"""A member that is filled segment by segment, by events, ends as a backfill leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handler.quarantine import place_of
from local.clients import HOME_ACCOUNT
from local.ring import LocalRing
from local.stack_config import StackConfig
from operate.backfill_operation import plan_route
from operate.distributed import worker
from operate.distributed.results import collect_backfill, results
from operate.reconcile.backfill import BackfillResult, route_segments
from operate.reconcile.backfill_key import BackfillOutcome
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from tests.support.local_rings import PATIENCE, REGIONS, TABLE, UNWATCHED, costs, item, put, ring_of
from tests.support.segment_events import few_at_a_time, make, worked
from tests.support.whole_tables import empty, lead_to, reached, unseen

BUCKET, SEGMENTS = "filled", 3
PLACE = place_of(BUCKET, HOME_ACCOUNT)
FIRST, SECOND, THIRD = REGIONS[:3]
KEYS = [f"k{number}" for number in range(30)]

pytestmark = pytest.mark.long


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalRing]:
    """A ring whose second member lost all."""
    with ring_of(3) as three:
        lead_to(three, monkeypatch, tmp_path)
        make("s3", None).create_bucket(Bucket=BUCKET)
        empty(three, SECOND, KEYS)
        yield three


def event(members: list[MemberConnection], into: str) -> dict[str, Any]:
    route = plan_route(members, into)
    return {
        "work": "backfill",
        "how": {"route": [route.source, route.target]},
        "members": [worker.member_to_event(member) for member in members],
        "bucket": BUCKET,
        "run": "run",
    }


def filled(folder: Path) -> BackfillResult:
    with Journal(folder / "journal", "a") as journal:
        return collect_backfill(results(make("s3", None), PLACE, "run"), journal)[0]


def test_an_emptied_member_is_filled_at_one_write_an_item(ring: LocalRing, tmp_path: Path) -> None:
    members = reached(ring)
    all_parts = route_segments(members, [plan_route(members, SECOND)], SEGMENTS)
    with costs(ring, len(KEYS)):
        assert worked(event(members, SECOND), all_parts, few_at_a_time) == SEGMENTS
    assert ring.differences() == []
    # Its hop passes nothing on to who has it.
    assert ring.meter.read().count(refused=True, table="orders") == 0
    done = filled(tmp_path)
    assert (done.read, done.outcomes[BackfillOutcome.WRITTEN], done.left) == (
        len(KEYS),
        len(KEYS),
        0,
    )


def test_calls_that_come_near_their_end_are_gone_on_with_and_count_all(
    ring: LocalRing, tmp_path: Path
) -> None:
    members = reached(ring)
    task, all_parts = (
        event(members, SECOND),
        list(route_segments(members, [plan_route(members, SECOND)], SEGMENTS)),
    )
    assert worked(task, all_parts, few_at_a_time, left=lambda: 0.0) > len(KEYS) / 3
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    assert filled(tmp_path).outcomes[BackfillOutcome.WRITTEN] == len(KEYS)


def test_what_cannot_be_filled_is_reported_with_its_key(ring: LocalRing, tmp_path: Path) -> None:
    with unseen(ring):
        put(ring, FIRST, item("odd", v={"S": "here"}))
        put(ring, SECOND, item("odd", v={"S": "there"}))
    members = reached(ring)
    worked(event(members, SECOND), route_segments(members, [plan_route(members, SECOND)], SEGMENTS))
    done = filled(tmp_path)
    assert done.left == 1
    assert done.skipped_keys == {'[{"S":"odd"}]': BackfillOutcome.CONFLICT}


def test_a_member_in_another_account_is_reached_by_the_role_that_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = {"account": "210987654321", "role": "arn:aws:iam::210987654321:role/deploys"}
    members = [{"region": FIRST}, {"region": SECOND, **there}]
    stack = StackConfig.of({"table": TABLE, "members": members, **UNWATCHED})
    with LocalRing(stack, idle=0.02) as ring:
        lead_to(ring, monkeypatch, tmp_path)
        monkeypatch.setattr("tests.support.whole_tables.ClientPool.get", _as_the_member(ring))
        make("s3", None).create_bucket(Bucket=BUCKET)
        with unseen(ring):
            for key in KEYS:
                put(ring, FIRST, item(key))
        both = reached(ring)
        task = event(both, SECOND)
        task["members"][1]["role"] = "arn:aws:iam::210987654321:role/reader"
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: 900_000,
            invoked_function_arn=f"arn:aws:lambda:{FIRST}:{HOME_ACCOUNT}:function:ring-segments",
        )
        for part in route_segments(both, [plan_route(both, SECOND)], 1):
            worker.handle({**task, "part": worker.segment_to_event(part)}, context)
        ring.wait_until_quiet(PATIENCE)
        assert ring.differences() == []
        assert filled(tmp_path).outcomes[BackfillOutcome.WRITTEN] == len(KEYS)


def _as_the_member(ring: LocalRing) -> Any:
    """Clients as those that the ring has, which act in each member's account."""
    by_region = {member.region: member for member in ring.members.values()}
    return lambda _, credentials, region, service, **__: by_region[region].clients.client(
        service, region
    )
