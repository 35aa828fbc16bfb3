"""A region that is lost and comes back, and who waits for its hops."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
from botocore.exceptions import ClientError

from local.compare import differences
from local.endpoint.fault_injection import outage
from local.running_ring import RunningRing
from operate.aws.clients import ClientPool
from operate.deployed import Credentials, Deployed, DeployedHop
from operate.membership.catch_up import HopProgress
from tests.engine.replication import PATIENCE, joined, keys_at
from tests.engine.stacks import Engine
from tests.engine.writers import Writers

LOST, BEFORE, BEHIND = "eu-west-1", "us-east-1", "ap-southeast-2"
UNSENT = {"id": {"S": f"{LOST}-unsent"}}
DENIED = ClientError(
    {"Error": {"Code": "AccessDeniedException", "Message": "Not now."}}, "CreateEventSourceMapping"
)


class Lost:
    """A region that answers nothing: neither its tables, nor its functions, nor to deployments."""

    def __init__(self, engine: Engine, ring: RunningRing) -> None:
        self._engine, self._ring = engine, ring
        self._end = ExitStack()

    def begin(self) -> None:
        self._end.enter_context(self._ring.paused(LOST))
        self._ring.client(LOST).put_item(TableName="orders", Item=UNSENT)
        self._end.enter_context(self._engine.faults.inject(outage(LOST)))
        unreachable = self._engine.unreachable
        unreachable.regions.add(LOST)
        self._end.callback(unreachable.regions.discard, LOST)

    def end(self) -> None:
        self._end.close()


def delivered(ago: timedelta) -> None:
    """Put the metric that the hop to the lost member emits when it replicates."""
    make: Any = boto3.client
    make("cloudwatch", region_name=BEFORE).put_metric_data(
        Namespace="DynamoDBRing",
        MetricData=[
            {
                "MetricName": "replicated",
                "Dimensions": [{"Name": "hop", "Value": f"{BEFORE}/orders -> {LOST}/orders"}],
                "Timestamp": datetime.now(UTC) - ago,
                "Value": 3,
            }
        ],
    )


def check_nothing_is_missing(ring: RunningRing, writers: Writers) -> None:
    """Let all writers end: what they left at the members in the ring is then at all of these."""
    writers.end()
    assert writers.wrong == []
    ring.wait_until_quiet(PATIENCE)
    members = joined(ring)
    out = tuple({f"{name}-" for name in ring.members} - {f"{one.name}-" for one in members})
    for member in members:
        missing = writers.kept - keys_at(member)
        assert {key for key in missing if not key.startswith(out)} == set()
        assert writers.deleted & keys_at(member) == set()
    assert differences(members) == []


def session_that_is_lost(_pool: ClientPool, _: Credentials, region: str, config: Any) -> Any:
    """A session whose clients find nobody at all in the region that is lost."""
    endpoint = {"endpoint_url": "http://127.0.0.1:9"} if region == LOST else {}
    assert config.connect_timeout < 10  # nobody is waited for long
    session: Any = botocore.session.Session()
    return SimpleNamespace(create_client=partial(session.create_client, **endpoint))


class Watched:
    """Lambda and CloudWatch, as the command asks them: how far the hops of the local ring are."""

    def __init__(self, ring: RunningRing) -> None:
        self.hops: set[str] = set()
        self._ring = ring
        self._began = time.monotonic()

    def left(self, _deployed: Deployed, hop: DeployedHop, *_: Any) -> HopProgress:
        label = f"{hop.source} -> {hop.target}"
        self.hops.add(label)
        mapping = self._ring.hops[label].mapping
        mapping.poll_now()
        stats = mapping.stats()
        # It has read all that was there when the command began, though applications write on.
        done = mapping.was_quiet_after(self._began) is not None and stats.waiting == 0
        return HopProgress(hop.source, hop.target, done, None, "keeps up" if done else "catches up")
