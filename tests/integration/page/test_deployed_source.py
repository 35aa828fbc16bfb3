"""A ring is read as one on AWS is: from its status and from the logs of its hops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NoReturn

import pytest

from commands.local_ring import RunningLocalRing
from local.endpoint.fault_injection import throttling
from local.ring import LocalRing
from operate.errors import OperationFailedError
from operate.monitoring.heartbeats import Heartbeats
from page.deployed_source import DeployedSource
from page.reading import Reading
from page.status_poller import StatusPoller
from page.view import View
from tests.support.local_rings import PATIENCE, hop_from, item, put, ring_of


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2, heartbeat={"enabled": True}) as two:
        yield two


@pytest.fixture
def source(ring: LocalRing) -> Iterator[DeployedSource]:
    opened = DeployedSource(RunningLocalRing(ring.endpoint))
    yield opened
    opened.close()


def first_reading(source: DeployedSource) -> Reading:
    """Return the first reading that has the ring."""
    end = time.monotonic() + PATIENCE
    while not (reading := source.read()).members:
        assert time.monotonic() < end, reading.note
        time.sleep(0.05)
    return reading


def replicate(ring: LocalRing, key: str) -> None:
    put(ring, "us-east-1", item(key))
    ring.wait_until_quiet(PATIENCE)
    ring.flush()


def test_members_and_hops_are_those_that_are_deployed(
    ring: LocalRing, source: DeployedSource
) -> None:
    reading = first_reading(source)
    assert [member.name for member in reading.members] == ["us-east-1", "eu-west-1"]
    assert [(hop.source, hop.target, hop.state) for hop in reading.hops] == [
        ("us-east-1", "eu-west-1", "running"),
        ("eu-west-1", "us-east-1", "running"),
    ]
    assert [hop.quarantined for hop in reading.hops] == [0, 0]
    assert set(reading.replicas.values()) == {"us-east-1", "eu-west-1"}
    assert reading.deliveries is None


def test_members_have_the_items_that_the_account_counts_and_their_last_heartbeat(
    ring: LocalRing, source: DeployedSource
) -> None:
    began = time.time()
    hop = hop_from(ring, "us-east-1")
    hop.function.invoke({"beat": True})
    replicate(ring, "counted")
    end = time.monotonic() + PATIENCE
    while not (heartbeats := read_status(source, ring)):
        assert time.monotonic() < end
    first, second = source.read().members
    table = ring.client("us-east-1").describe_table(TableName="orders")["Table"]
    assert first.items == second.items == table["ItemCount"] > 0
    assert began <= (first.heartbeat or 0.0) == heartbeats["us-east-1"] <= time.time()
    view = View(source.label, is_local=source.is_local)
    view.add(source.read())
    assert view.document["members"][0]["heartbeat"] >= 0


def read_status(source: DeployedSource, ring: LocalRing) -> dict[str, float]:
    """Let the status be read now; return the heartbeats."""
    source._poller.read()
    return source._poller.heartbeats


def test_members_whose_heartbeat_cannot_be_read_have_none(ring: LocalRing) -> None:
    hop_from(ring, "us-east-1").function.invoke({"beat": True})
    running = RunningLocalRing(ring.endpoint)
    clients = running.clients()
    clients.be_brief_in(["us-east-1"])
    heartbeats = Heartbeats(running.deployed(), clients)
    assert "us-east-1" in heartbeats.read()
    with ring.faults.inject(throttling("us-east-1", 1.0)):
        assert "us-east-1" not in heartbeats.read()


def test_each_log_line_is_read_once(ring: LocalRing, source: DeployedSource) -> None:
    replicate(ring, "one")
    before = {line.text for line in first_reading(source).lines}
    assert any('"event": "batch"' in line for line in before)
    assert source.read().lines == ()
    replicate(ring, "two")
    after = [line for line in source.read().lines if '"event": "batch"' in line.text]
    assert {line.source for line in after} == {"us-east-1", "eu-west-1"}
    assert not before & {line.text for line in after}


def test_the_view_has_rates_and_lags_and_says_that_writes_are_not_seen(
    ring: LocalRing, source: DeployedSource
) -> None:
    replicate(ring, "three")
    view = View(source.label, is_local=source.is_local)
    view.add(first_reading(source))
    assert view.document["hops"][0]["rate"] > 0
    assert view.document["hops"][0]["lag"] is not None
    assert view.document["writes"] is None


def test_what_cannot_be_read_is_said() -> None:
    class Unreachable(RunningLocalRing):
        def deployed(self) -> NoReturn:
            raise OperationFailedError("no state")

    poller = StatusPoller(Unreachable("http://127.0.0.1:9"), seconds=PATIENCE)
    poller.read()
    poller.close()
    assert (poller.deployed, poller.error) == (None, "no state")
