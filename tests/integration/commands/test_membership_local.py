"""`pause`, `resume`, `bypass` and `rejoin` of a ring that runs on this machine (`--local URL`)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from automate import main
from commands.local_ring import RunningLocalRing
from local.faults.fault import FaultRequest
from local.ring import LocalRing
from operate.rings import CatchUp
from tests.support.local_rings import PATIENCE, REGIONS, get, hop_from, item, put, restored, ring_of

FIRST, LOST, LAST = REGIONS[:3]


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalRing]:
    with ring_of(3, function={"timeout": 4}) as three:
        yield three


@pytest.fixture
def ring(shared: LocalRing) -> Iterator[LocalRing]:
    """The ring of all tests here, which has its settings back after each, and no faults."""
    with restored(shared):
        yield shared


def run(ring: LocalRing, *arguments: str) -> Result:
    given = [*arguments, "--local", ring.endpoint]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def all_have(ring: LocalRing, *keys: str) -> None:
    ring.wait_until_quiet(PATIENCE)
    assert ring.differences() == []
    for member in ring.members:
        assert [key for key in keys if get(ring, member, key) is None] == []


def wait_until_has(ring: LocalRing, word: str, key: str) -> None:
    end = time.monotonic() + PATIENCE
    while get(ring, word, key) is None:
        assert time.monotonic() < end
        time.sleep(0.02)


# First, as no region of the ring may have been out before.
def test_a_member_whose_outage_is_unknown_needs_its_beginning(ring: LocalRing) -> None:
    refused = run(ring, "bypass", LOST, "--yes")
    assert refused.exit_code == 2
    assert "Pass it with --since" in refused.output


def test_a_hop_is_paused_and_resumed_and_the_change_is_shown(ring: LocalRing) -> None:
    paused = run(ring, "pause", FIRST, "--yes")
    assert paused.exit_code == 0, paused.output
    assert "+  paused: true" in paused.output
    assert "~ updated" in paused.output
    assert hop_from(ring, FIRST).mapping.stopped_by == "disabled"
    put(ring, FIRST, item("waits"))
    status = run(ring, "status")
    assert status.exit_code == 1
    assert f"run `automate.py resume {FIRST} --local {ring.endpoint}`" in status.output
    assert "`aws " not in status.output
    resumed = run(ring, "resume", FIRST, "--yes", "--json")
    document = json.loads(resumed.stdout)
    assert (resumed.exit_code, document["ok"], document["file"]) == (0, True, ring.endpoint)
    assert document["rings"][0]["changes"]["update"] == 1
    all_have(ring, "waits")


@pytest.mark.long
def test_a_pause_twice_changes_nothing_the_second_time(ring: LocalRing) -> None:
    run(ring, "pause", FIRST, "--yes")
    again = run(ring, "pause", FIRST, "--yes")
    assert again.exit_code == 0
    assert "has this setting already" in again.output
    assert "unchanged" in again.output


@pytest.mark.long
def test_a_lost_region_is_bypassed_and_rejoins_with_its_unsent_writes(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunningLocalRing, "catch_up", CatchUp(timedelta(seconds=1), 0.1))
    put(ring, FIRST, item("before"))
    ring.wait_until_quiet(PATIENCE)
    ring.flush()
    delay = ring.active_faults.start(FaultRequest("delay", LOST, 600.0, 600.0)).id
    put(ring, LOST, item("unsent"))
    ring.active_faults.start(FaultRequest("outage", LOST, seconds=600.0))
    ring.active_faults.clear(delay)

    status = run(ring, "status", "--json")
    hops = json.loads(status.stdout)["rings"][0]["hops"]
    assert (status.exit_code, [hop["mapping"] for hop in hops]) == (1, ["Enabled", None, "Enabled"])

    bypassed = run(ring, "bypass", LOST, "--yes")
    assert bypassed.exit_code == 0, bypassed.output
    assert "+  state: bypassed" in bypassed.output
    assert f"+ hop {FIRST} -> {LAST}, from the oldest record" in bypassed.output
    put(ring, FIRST, item("round it"))
    wait_until_has(ring, LAST, "round it")
    assert get(ring, LAST, "unsent") is None

    checked = run(ring, "check", "--json", "--settle-seconds", "0.1")
    (compared,) = json.loads(checked.stdout)["rings"]
    assert (checked.exit_code, compared["members"]) == (0, [FIRST, LAST])
    assert f"bypassed members are left out: {LOST}." in checked.stderr
    with_it = run(ring, "check", "--member", FIRST, "--member", LOST)
    assert f"{LOST} does not answer, so nothing was done" in with_it.output

    ring.active_faults.clear()
    rejoined = run(ring, "rejoin", LOST, "--yes")
    assert rejoined.exit_code == 0, rejoined.output
    assert list(ring.hops) == [f"{FIRST} -> {LOST}", f"{LOST} -> {LAST}", f"{LAST} -> {FIRST}"]
    all_have(ring, "before", "unsent", "round it")


@pytest.mark.long
def test_a_change_that_fails_halfway_leaves_the_ring_as_it_was_and_is_run_again(
    ring: LocalRing,
) -> None:
    outage = ring.active_faults.start(FaultRequest("outage", LOST, seconds=600.0))
    failed = run(ring, "pause", LOST, "--yes", "--json")
    assert failed.exit_code == 1
    assert ring.endpoint in json.loads(failed.stdout)["rings"][0]["error"]["text"]
    assert ring.settings.members[1].paused is False
    put(ring, FIRST, item("meanwhile"))
    ring.active_faults.clear(outage.id)
    assert run(ring, "pause", LOST, "--yes").exit_code == 0
    assert hop_from(ring, LOST).mapping.stopped_by == "disabled"
    assert run(ring, "resume", LOST, "--yes").exit_code == 0
    all_have(ring, "meanwhile")


def test_a_gap_is_refused_and_nothing_is_changed(ring: LocalRing) -> None:
    refused = run(ring, "bypass", LOST, "--yes", "--since", "3d")
    assert refused.exit_code == 2
    assert "may have missed the writes" in refused.output
    assert len(ring.hops) == 3
    assert ring.settings.members[1].state == "in"


@pytest.mark.long
def test_what_is_changed_meanwhile_is_not_overwritten(ring: LocalRing) -> None:
    stale = RunningLocalRing(ring.endpoint)
    settings = stale.settings()
    run(ring, "pause", FIRST, "--yes")
    with pytest.raises(Exception, match="changed meanwhile"):
        stale.with_settings(settings).up()
    assert hop_from(ring, FIRST).mapping.stopped_by == "disabled"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["pause", "mars-1", "--yes"], "mars-1: no member"),
        (["pause", FIRST], "pass --yes"),
        (["pause", FIRST, "--no-deploy"], "Leave it out"),
        (["bypass", LOST, "--yes", "--stack", "dev"], "--local selects the ring"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    ring: LocalRing, arguments: list[str], reason: str
) -> None:
    refused = run(ring, *arguments)
    assert refused.exit_code == 2
    assert reason in refused.output
    assert len(ring.hops) == 3
