"""The page of a ring on AWS while something cannot be read: it says so, and it comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from commands.local_ring import RunningLocalRing
from local.endpoint.fault_injection import throttling
from local.ring import LocalRing
from operate.aws.clients import ClientPool
from operate.deployed import Deployed
from operate.errors import PrerequisiteError
from page.deployed_source import DeployedSource
from page.items import BadWriteError, write
from page.reading import Reading
from page.view import View
from tests.support.local_rings import PATIENCE, item, put, ring_of

EXPIRED = "No AWS credentials: the token has expired. Log in (`aws sso login`)."
LOST = "eu-west-1"


class RingOnAws(RunningLocalRing):
    """A ring whose credentials may end, and whose clients know nothing of faults, as on AWS."""

    is_local = False
    has_credentials = True

    def deployed(self) -> Deployed:
        if not self.has_credentials:
            raise PrerequisiteError(EXPIRED)
        return super().deployed()

    def clients(self) -> ClientPool:
        clients = super().clients()
        clients._brief.clear()
        return clients


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    with ring_of(2) as two:
        yield two


@pytest.fixture
def on_aws(ring: LocalRing) -> RingOnAws:
    return RingOnAws(ring.endpoint)


@pytest.fixture
def source(on_aws: RingOnAws) -> Iterator[DeployedSource]:
    """A source whose status is read when a test says so."""
    opened = DeployedSource(on_aws)
    until(opened, lambda reading: bool(reading.members))
    opened._poller.close()
    yield opened
    opened.close()


def until(source: DeployedSource, holds: Callable[[Reading], bool]) -> Reading:
    end = time.monotonic() + PATIENCE
    while not holds(reading := source.read()):
        assert time.monotonic() < end, reading
        time.sleep(0.05)
    return reading


def status_of(source: DeployedSource) -> Reading:
    source._poller.read()
    return source.read()


def test_credentials_that_expired_are_noted_and_renewed_ones_are_used(
    source: DeployedSource, on_aws: RingOnAws
) -> None:
    on_aws.has_credentials = False
    reading = status_of(source)
    assert reading.note == EXPIRED
    assert [member.name for member in reading.members] == ["us-east-1", "eu-west-1"]
    used = source._poller.logs
    on_aws.has_credentials = True
    assert status_of(source).note == ""
    assert source._poller.logs is not used


def test_a_region_that_does_not_answer_is_noted_while_the_others_are_read(
    source: DeployedSource, ring: LocalRing
) -> None:
    with ring.faults.lose(LOST):
        put(ring, "us-east-1", item("meanwhile"))
        began = time.monotonic()
        reading = status_of(source)
        assert time.monotonic() - began < PATIENCE
        lost = next(member for member in reading.members if member.name == LOST)
        hop = next(hop for hop in reading.hops if hop.source == LOST)
        other = next(hop for hop in reading.hops if hop.source != LOST)
        assert "does not answer" in lost.trouble[0]
        assert (hop.state, other.state) == ("not known", "running")
        assert f"the log of the hop from {LOST}" in reading.note
    back = status_of(source)
    assert [hop.state for hop in back.hops] == ["running", "running"]
    assert (back.note, [member.trouble for member in back.members]) == ("", [(), ()])


@pytest.mark.long
def test_an_alarm_that_cannot_be_read_has_not_ended(
    source: DeployedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller = source._poller
    poller.hops = {name: replace(hop, alarms=("lag",)) for name, hop in poller.hops.items()}
    view = View(source.label, is_local=False)
    view.add(source.read())
    rate: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}

    def throttled(*_: object) -> None:
        raise ClientError(rate, "DescribeAlarms")

    with monkeypatch.context() as patched:
        patched.setattr("operate.monitoring.status.active_alarms", throttled)
        happened = [one.text for one in view.add(status_of(source))]
    assert "ended" not in " ".join(happened)
    assert any("ThrottlingException: Rate exceeded" in text for text in happened)
    assert view.document["hops"][0]["alarms"] == ("lag",)
    assert "The alarm lag ended." in [one.text for one in view.add(status_of(source))]


def test_a_table_that_throttles_stops_neither_the_status_nor_the_log(
    source: DeployedSource, ring: LocalRing
) -> None:
    with ring.faults.inject(throttling("us-east-1", 1.0)):
        reading = status_of(source)
    assert [hop.state for hop in reading.hops] == ["running", "running"]
    assert reading.note == ""


def test_a_status_that_is_old_says_so(
    source: DeployedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = source._poller.began
    with monkeypatch.context() as patched:
        patched.setattr("page.status_poller.time", SimpleNamespace(time=lambda: began + 600))
        note = source.read().note
    assert note == "The status is 600 s old: requests are not answered."
    assert status_of(source).note == ""


def test_a_write_at_a_member_that_does_not_answer_says_so(
    on_aws: RingOnAws, ring: LocalRing
) -> None:
    with ring.faults.lose(LOST), pytest.raises(BadWriteError, match=f"{LOST} does not answer"):
        write(on_aws, LOST, "put", '{"id": "one"}')
    assert write(on_aws, LOST, "put", '{"id": "one"}') == f"put id=one at {LOST}"
