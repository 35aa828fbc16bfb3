"""Which hop plays what lies in a bucket that hops share, or that is of a hop that is no more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from commands.local_ring import RunningLocalRing
from local import ring_info
from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.program import Deployment, run_program
from local.endpoint.server import LocalServer
from local.faults import control as faults_control
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import FailurePlace, failure_key, failure_record
from local.running_ring import members_in
from local.stack_config import StackConfig
from operate.errors import OperationFailedError
from operate.quarantine.emptying import empty_quarantines
from operate.quarantine.listing import RingQuarantine
from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings
from tests.support.stream_records import record

PROGRAM = PROJECT_ROOT / "__main__.py"
CONFIG: dict[str, Any] = {
    "table": {"name": "orders", "partition_key": {"name": "k", "type": "S"}},
    "members": [
        {"region": "us-east-1"},
        # Two hops start at the first member while the second one rejoins.
        {"region": "eu-west-1", "state": "rejoining"},
        {"region": "ap-southeast-2"},
    ],
    "tombstones": {"retention_days": 9},
}


class Deployed:
    """A ring that is deployed and does not run."""

    def __init__(self, deployment: Deployment, accounts: Accounts, stack: RunningLocalRing) -> None:
        self.deployment, self.accounts = deployment, accounts
        self.hops = [one for one in deployment.outputs["hops"] if one["source"] == "us-east-1"]
        self.s3: Any = accounts.home.s3("us-east-1")
        self.functions: Any = accounts.home.functions("us-east-1")
        self.stack = stack

    def bucket_of(self, region: str) -> str:
        """The quarantine of the hops that start at a member."""
        hops = self.deployment.outputs["hops"]
        name: str = next(one["quarantine"] for one in hops if one["source"] == region)
        return name

    def put(self, name: str, body: Any) -> None:
        self.s3.put_object(
            Bucket=self.hops[0]["quarantine"], Key=name, Body=json.dumps(body).encode()
        )

    def players(self) -> dict[str, str]:
        """The hop that plays each entry, by its id."""
        quarantines = RingQuarantine(self.stack.deployed(), self.stack.clients())
        return {one.entry.id: one.access.reach.settings.name for one in quarantines.entries()}


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    settings = Settings.parse(CONFIG)
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        cloud = Cloud(accounts)
        deployment = run_program(PROGRAM, StackConfig.of(CONFIG), cloud)
        members = members_in(deployment, settings, cloud)
        document = ring_info.document(members.values(), deployment, {}, settings)
        server.own.pages[ring_info.PATH] = lambda _: document
        server.own.actions[faults_control.PATH] = lambda *_: (200, {"faults": []})
        yield Deployed(deployment, accounts, RunningLocalRing(server.endpoint))


def quarantine_object(hop: str) -> dict[str, Any]:
    about_it = {
        "table": "orders",
        "reason": "refused",
        "error": "?",
        "time": "2026-01-01T00:00:00Z",
    }
    return {**about_it, "hop": hop, "record": record(1)}


def test_each_hop_plays_its_own_and_the_first_what_is_of_none(deployed: Deployed) -> None:
    first, second = (
        f"us-east-1/orders -> {region}/orders" for region in ("eu-west-1", "ap-southeast-2")
    )
    for name, hop in (("1", first), ("2", second), ("3", "us-east-1/orders -> gone/orders")):
        deployed.put(f"quarantine/{name}.json", quarantine_object(hop))
    assert deployed.players() == {
        "quarantine/1.json": first,
        "quarantine/2.json": second,
        "quarantine/3.json": first,
    }


def test_what_lambda_gave_up_is_its_functions(deployed: Deployed) -> None:
    lost = AbandonedBatch(Batch((record(1),)), "RecordAgeExceeded")
    names = {}
    for hop in deployed.hops:
        # With the version that was invoked, as Lambda reports it.
        place = FailurePlace("m", f"{hop['function']}:$LATEST", "arn:s", "shardId-1")
        name = failure_key(place, time.time())
        deployed.put(name, failure_record(lost, place, time.time()))
        names[name] = f"us-east-1/orders -> {hop['target']}/orders"
    players = deployed.players()
    assert {name: players[name] for name in names} == names


def test_a_function_that_is_gone_is_reported_with_its_hop(deployed: Deployed) -> None:
    deployed.functions.delete_function(FunctionName=deployed.hops[1]["function"])
    with pytest.raises(OperationFailedError, match="the hop from us-east-1 to ap-southeast-2: "):
        deployed.players()


def test_a_ring_whose_function_is_gone_is_emptied_all_the_same(deployed: Deployed) -> None:
    deployed.put("quarantine/1.json", quarantine_object("us-east-1/orders -> gone/orders"))
    deployed.put("somebodys-own.json", {})
    kept = deployed.s3.list_objects_v2(Bucket=deployed.hops[0]["quarantine"])["KeyCount"]
    errors: list[str] = []
    clients = deployed.stack.clients()
    assert empty_quarantines(deployed.stack.deployed(), clients, errors.append) == kept - 1
    assert errors == []
    assert empty_quarantines(deployed.stack.deployed(), clients, errors.append) == 0
    deployed.s3.delete_object(Bucket=deployed.hops[0]["quarantine"], Key="somebodys-own.json")


def test_a_bucket_that_is_gone_is_reported_and_the_others_are_emptied(deployed: Deployed) -> None:
    gone, there = (deployed.bucket_of(region) for region in ("ap-southeast-2", "us-east-1"))
    deployed.put("quarantine/1.json", quarantine_object("us-east-1/orders -> gone/orders"))
    deployed.accounts.home.s3("ap-southeast-2").delete_bucket(Bucket=gone)
    errors: list[str] = []
    ring, clients = deployed.stack.deployed(), deployed.stack.clients()
    assert empty_quarantines(ring, clients, errors.append) == 1
    assert [error.partition(": ")[0] for error in errors] == [f"the quarantine {gone}"]
    assert deployed.s3.list_objects_v2(Bucket=there)["KeyCount"] == 0


def test_a_local_ring_shows_how_long_it_keeps_tombstones(deployed: Deployed) -> None:
    assert {one.retention_days for one in deployed.stack.deployed().members} == {9}
