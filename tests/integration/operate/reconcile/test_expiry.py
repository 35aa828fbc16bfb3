"""Items whose time to live has passed: gone only where DynamoDB will delete them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from handler.quarantine import place_of
from local.clients import HOME_ACCOUNT
from local.ring import LocalRing
from operate.aws.clients import ClientPool
from operate.backfill_operation import plan_route
from operate.distributed import worker
from operate.distributed.results import collect_backfill, collect_check, results
from operate.reconcile.backfill import backfill
from operate.reconcile.backfill import route_segments as parts_to_fill
from operate.reconcile.backfill_key import BackfillOutcome
from operate.reconcile.check import CheckOptions, check, table_segments
from operate.reconcile.check_result import findings
from operate.reconcile.connect import connect_members
from operate.reconcile.journal import Journal
from operate.reconcile.members import MemberConnection
from tests.support.local_rings import REGIONS, get, item, put, ring_of
from tests.support.segment_events import make, worked
from tests.support.whole_tables import deployed, lead_to

BUCKET = "results"
PLACE = place_of(BUCKET, HOME_ACCOUNT)
FIRST, SECOND = REGIONS[:2]
YEAR = 365 * 24 * 60 * 60
GOING, STAYING = "an hour ago", {"zero", "six years ago", "a string", "in milliseconds"}


def ends() -> dict[str, dict[str, str]]:
    """The values of `ttl`, by the item's key."""
    now = int(time.time())
    return {
        GOING: {"N": str(now - 3600)},
        "zero": {"N": "0"},
        "six years ago": {"N": str(now - 6 * YEAR)},
        "a string": {"S": str(now - 3600)},
        "in milliseconds": {"N": str((now - 3600) * 1000)},
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRing]:
    """A ring whose first member alone has items, and whose hops rest. Nothing expires there."""
    with pytest.MonkeyPatch.context() as patch, ring_of(2) as two, two.paused():
        lead_to(two, patch, tmp_path_factory.mktemp("stack"))
        make("s3", None).create_bucket(Bucket=BUCKET)
        for key, end in ends().items():
            put(two, FIRST, item(key, ttl=end))
        yield two


@pytest.fixture
def ring(shared: LocalRing) -> Iterator[LocalRing]:
    """The ring of all tests here; its second member has no items after each."""
    yield shared
    for key in ends():
        shared.client(SECOND).delete_item(TableName="orders", Key=item(key))


class ClientsWithTtl(ClientPool):
    """Clients to which all tables report TTL as enabled, but where something else is said."""

    def __init__(self, statuses: Mapping[str, str]) -> None:
        """Remember the other states, by region."""
        super().__init__()
        self._statuses = statuses

    def get(self, credentials: Any, region: str, service: str, *, brief: bool = False) -> Any:
        client = super().get(credentials, region, service, brief=brief)
        if service == "dynamodb":
            status = self._statuses.get(region, "ENABLED")
            client.meta.events.register(
                "after-call.dynamodb.DescribeTimeToLive",
                lambda parsed, **_: parsed.update(
                    TimeToLiveDescription={"TimeToLiveStatus": status, "AttributeName": "ttl"}
                ),
            )
        return client


def members_with_ttl(
    ring: LocalRing, statuses: Mapping[str, str] | None = None
) -> list[MemberConnection]:
    return connect_members(deployed(ring), ClientsWithTtl(statuses or {}))


def whole(members: list[MemberConnection], journal: Journal, *, apart: bool = False) -> None:
    check(members, journal, CheckOptions(settle_seconds=0, pairwise=apart))


def apart(members: list[MemberConnection], journal: Journal) -> None:
    whole(members, journal, apart=True)


def there(members: list[MemberConnection], journal: Journal) -> None:
    task = event(members, "check", {"settle": 0, "tombstones": False})
    worked(task, table_segments(members, 2))
    collect_check(results(make("s3", None), PLACE, task["run"]), journal)


def event(members: list[MemberConnection], work: str, how: dict[str, Any]) -> dict[str, Any]:
    listed = [worker.member_to_event(member) for member in members]
    return {"work": work, "how": how, "members": listed, "bucket": BUCKET, "run": uuid4().hex}


def keys(journal: Journal) -> set[str]:
    return {found.key.removeprefix('[{"S":"').removesuffix('"}]') for found in findings(journal)}


RUNS = pytest.mark.parametrize("run", [whole, apart, there])
Run = Callable[[list[MemberConnection], Journal], None]


@RUNS
def test_a_check_lists_what_dynamodb_never_deletes(
    ring: LocalRing, run: Run, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal", "x") as journal:
        run(members_with_ttl(ring), journal)
        assert keys(journal) == STAYING


@RUNS
@pytest.mark.parametrize(
    "status",
    ["DISABLED", *(pytest.param(one, marks=pytest.mark.long) for one in ("ENABLING", "DISABLING"))],
)
def test_a_check_lists_all_of_a_member_that_does_not_expire_its_items(
    ring: LocalRing, run: Run, status: str, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal", "x") as journal:
        run(members_with_ttl(ring, {FIRST: status}), journal)
        assert keys(journal) == {GOING, *STAYING}


@RUNS
def test_another_members_ttl_does_not_matter(ring: LocalRing, run: Run, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", "x") as journal:
        run(members_with_ttl(ring, {SECOND: "DISABLED"}), journal)
        assert keys(journal) == STAYING


def test_an_item_that_will_go_at_one_member_and_stay_at_another_is_listed(
    ring: LocalRing, tmp_path: Path
) -> None:
    put(ring, SECOND, item(GOING, ttl=ends()[GOING]))
    members = members_with_ttl(ring, {SECOND: "DISABLED"})
    with Journal(tmp_path / "journal", "x") as journal:
        whole(members, journal)
        assert GOING in keys(journal)


@pytest.mark.parametrize(
    ("status", "filled"), [("ENABLED", STAYING), ("ENABLING", {GOING, *STAYING})]
)
@pytest.mark.parametrize("in_functions", [False, True])
def test_a_backfill_copies_what_dynamodb_does_not_delete_at_the_source(
    ring: LocalRing, status: str, filled: set[str], in_functions: bool, tmp_path: Path
) -> None:
    members = members_with_ttl(ring, {FIRST: status})
    route = plan_route(members, SECOND)
    with Journal(tmp_path / "journal", "x") as journal:
        if in_functions:
            task = event(members, "backfill", {"route": [route.source, route.target]})
            worked(task, parts_to_fill(members, [route], 2))
            done = collect_backfill(results(make("s3", None), PLACE, task["run"]), journal)[0]
        else:
            done = backfill(members, [route], journal)
    assert {key for key in ends() if get(ring, SECOND, key)} == filled
    assert (done.outcomes[BackfillOutcome.WRITTEN], done.left) == (len(filled), 0)
