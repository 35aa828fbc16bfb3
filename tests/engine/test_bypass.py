"""A region is lost and comes back, under writes. Each test begins where the last ended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automate import main
from local.cloudwatch.telemetry import Telemetry
from local.compare import differences
from local.running_ring import RunningRing
from operate.aws.clients import ClientPool
from operate.deployment.ring_file import read_rings
from operate.deployment.stack import RingStack
from operate.deployment.workspace import PROJECT
from operate.membership import catch_up
from operate.membership.catch_up import HopProgress
from operate.membership.plan import plan_change
from operate.rings import CatchUp
from ring.project import PROJECT_ROOT
from tests.engine.lost_region import (
    BEFORE,
    BEHIND,
    DENIED,
    LOST,
    UNSENT,
    Lost,
    Watched,
    check_nothing_is_missing,
    delivered,
    session_that_is_lost,
)
from tests.engine.replication import PATIENCE, joined, keys_at
from tests.engine.stacks import Engine
from tests.engine.writers import Writers

pytestmark = pytest.mark.long

AUTOMATE = PROJECT_ROOT / "automate.py"
FILE = """\
rings:
  - name: orders # the only one
    settings:
      table: {name: orders, partition_key: {name: id, type: S}}
      members:
        - region: us-east-1
        - region: eu-west-1 # the one that will be lost
        - region: ap-southeast-2
      function: {timeout: 4} # gives up early what it cannot do
      mapping: {batch_size: 20}
"""


@pytest.fixture(autouse=True, scope="module")
def environment(engine: Engine) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as set_by_user:
        for name, value in engine.users_environment.items():
            set_by_user.setenv(name, value)
        # CloudWatch has only the metrics that the tests put: the running ring would add its own,
        # of writes just before the outage, some seconds later.
        set_by_user.setattr(Telemetry, "flush", lambda _: None)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ring") / "rings.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def ring(engine: Engine, file: Path) -> Iterator[RunningRing]:
    assert command("up", file).exit_code == 0
    (deployed,) = read_rings(file)
    running = RunningRing(deployed.settings(), idle=0.2)
    try:
        engine.run_ring(deployed, running)
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def writers(ring: RunningRing) -> Iterator[Writers]:
    with Writers() as writers:
        yield writers


@pytest.fixture(scope="module")
def lost(engine: Engine, ring: RunningRing) -> Iterator[Lost]:
    lost = Lost(engine, ring)
    yield lost
    lost.end()


def command(*arguments: str | Path) -> Result:
    name, *rest, file = map(str, arguments)
    given = [name, *rest, "--file", file, "--yes", "--json"]
    return CliRunner().invoke(main, given, catch_exceptions=False)


def test_the_plan_is_of_what_the_file_will_say_before_it_does(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(
        "config:\n"
        "  dynamodb-ring:table: {name: users, partition_key: {name: id, type: S}}\n"
        "  dynamodb-ring:members:\n"
        f"    [{{region: {BEFORE}}}, {{region: {LOST}}}, {{region: {BEHIND}}}]\n"
    )
    before, planned = file.read_text(), set[str]()
    change = plan_change(RingStack.of(tmp_path, "prod"), LOST, "state", "bypassed")
    change.ring.preview(on_event=lambda _, event: planned.add(getattr(event, "name", "")))
    assert f"ring-{BEFORE}-to-{BEHIND}" in planned
    assert f"ring-{BEFORE}-to-{LOST}" not in planned
    assert file.read_text() == before


def test_since_when_it_is_out_has_to_be_known(
    file: Path, ring: RunningRing, writers: Writers, lost: Lost
) -> None:
    writers.begin(*ring.members.values())
    writers.end(LOST)
    lost.begin()
    result = command("bypass", LOST, file)
    assert result.exit_code == 2, result.output
    assert "Pass it with --since" in json.loads(result.stdout)["error"]["text"]
    assert file.read_text() == FILE


def test_out_for_longer_than_the_streams_hold_it_is_refused(file: Path) -> None:
    delivered(timedelta(hours=30))
    result = command("bypass", LOST, file)
    assert result.exit_code == 2
    text = json.loads(result.stdout)["error"]["text"]
    assert "30 h" in text
    assert "automate.py repair" in text
    assert file.read_text() == FILE


def test_a_deployment_that_fails_leaves_the_file_as_it_was_edited(
    engine: Engine, file: Path
) -> None:
    delivered(timedelta(minutes=20))
    functions = engine.place(BEFORE).clients.functions(BEFORE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "create_event_source_mapping", _raise)
        # Apart, as Pulumi's SDK leaves to the process what a failed program has begun.
        words = [sys.executable, str(AUTOMATE), "bypass", LOST, "--file", str(file), "--yes"]
        result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "has the new setting. Run the same command again" in result.stdout
    assert file.read_text() == FILE.replace("lost\n", "lost\n          state: bypassed\n")


def _raise(**_: Any) -> None:
    raise DENIED


def test_the_same_command_goes_on_and_nothing_is_asked_of_the_lost_region(
    engine: Engine, file: Path, ring: RunningRing, writers: Writers, lost: Lost
) -> None:
    result = command("bypass", LOST, file)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["member"], document["diff"]) == (LOST, "")
    assert engine.unreachable.asked == []
    (deployed,) = read_rings(file)
    engine.run_ring(deployed, ring)
    assert list(ring.hops) == [
        f"{BEFORE} -> {BEHIND}",
        f"{LOST} -> {BEHIND}",
        f"{BEHIND} -> {BEFORE}",
    ]
    check_nothing_is_missing(ring, writers)


def test_while_it_is_out_status_says_what_it_can_and_nothing_else_has_to_wait(
    engine: Engine, file: Path, ring: RunningRing
) -> None:
    words = ["status", "--file", str(file), "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientPool, "_session", session_that_is_lost)
        result = CliRunner().invoke(main, words)
    (document,) = json.loads(result.stdout)["rings"]
    out, *others = sorted(document["members"], key=lambda one: one["name"] != LOST)
    assert (out["state"], [one["state"] for one in others]) == (None, ["ACTIVE", "ACTIVE"])
    assert "does not answer" in out["problems"][0]
    assert f"automate.py rejoin {LOST}" in out["notes"][0]
    assert {one["source"] for one in document["hops"]} == set(ring.members)
    for name in ("up", "refresh", "preview"):
        options = [] if name == "preview" else ["--yes"]
        words = [name, *options, "--expect-no-changes", "--json", "--file", str(file)]
        assert CliRunner().invoke(main, words).exit_code == 0
    assert engine.unreachable.asked == []


def test_fewer_than_two_cannot_remain(file: Path) -> None:
    before = file.read_text()
    result = command("bypass", BEHIND, file)
    assert result.exit_code == 2
    assert "fewer than two members" in json.loads(result.stdout)["error"]["text"]
    assert file.read_text() == before


def test_it_is_interrupted_while_it_waits_and_the_file_says_where_it_is(
    file: Path, ring: RunningRing, writers: Writers, lost: Lost
) -> None:
    writers.begin(*joined(ring))
    lost.end()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catch_up, "hop_progress", _interrupted)
        result = command("rejoin", LOST, file)
    assert result.exit_code == 1
    assert "Cancelled." in result.stderr
    assert file.read_text() == FILE.replace("lost\n", "lost\n          state: rejoining\n")


def _interrupted(*_: Any) -> HopProgress:
    raise KeyboardInterrupt


def test_the_same_command_goes_on_and_opens_the_ring_when_all_have_caught_up(
    engine: Engine, file: Path, ring: RunningRing, writers: Writers
) -> None:
    engine.run_ring(read_rings(file)[0], ring)
    writers.begin(ring.member(LOST))
    watched = Watched(ring)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catch_up, "hop_progress", watched.left)
        patch.setattr(RingStack, "catch_up", CatchUp(timedelta(minutes=10), 0.1))
        result = command("rejoin", LOST, file)
    assert result.exit_code == 0, result.output
    assert watched.hops == {f"{BEFORE} -> {LOST}", f"{BEFORE} -> {BEHIND}", f"{LOST} -> {BEHIND}"}
    assert file.read_text() == FILE.replace("lost\n", "lost\n          state: in\n")
    engine.run_ring(read_rings(file)[0], ring)
    assert list(ring.hops) == [
        f"{BEFORE} -> {LOST}",
        f"{LOST} -> {BEHIND}",
        f"{BEHIND} -> {BEFORE}",
    ]
    check_nothing_is_missing(ring, writers)
    assert all(UNSENT["id"]["S"] in keys_at(member) for member in ring.members.values())


def test_a_paused_hop_rests_until_it_is_resumed_whatever_is_deployed_or_refreshed(
    engine: Engine, file: Path, ring: RunningRing
) -> None:
    before = file.read_text()
    assert command("pause", BEFORE, file).exit_code == 0
    for name in ("up", "refresh", "up"):
        assert command(name, "--expect-no-changes", file).exit_code == 0
    engine.run_ring(read_rings(file)[0], ring)
    ring.client(BEFORE).put_item(TableName="orders", Item={"id": {"S": "waits"}})
    ring.wait_until_quiet(PATIENCE)
    assert "waits" not in keys_at(ring.member(LOST))
    seen = json.loads(CliRunner().invoke(main, ["status", "--file", str(file), "--json"]).stdout)
    paused, *others = seen["rings"][0]["hops"]
    assert (paused["mapping"], [one["mapping"] for one in others]) == ("Disabled", ["Enabled"] * 2)
    assert f"`automate.py resume {BEFORE}`" in paused["problems"][0]

    assert command("resume", BEFORE, file).exit_code == 0
    engine.run_ring(read_rings(file)[0], ring)
    ring.wait_until_quiet(PATIENCE)
    assert "waits" in keys_at(ring.member(LOST))
    assert differences(joined(ring)) == []
    assert file.read_text() == before.replace(
        "us-east-1\n", "us-east-1\n          paused: false\n", 1
    )


def test_what_is_switched_by_hand_is_seen_and_made_as_the_file_says(
    engine: Engine, file: Path
) -> None:
    functions: Any = engine.place(BEFORE).clients.functions(BEFORE)
    (mapping,) = [
        hop.mapping for hop in read_rings(file)[0].deployed().hops if hop.source == BEFORE
    ]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    assert command("refresh", "--expect-no-changes", file).exit_code == 1
    assert command("up", file).exit_code == 0
    assert functions.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"
