"""A check whose segments are worked on in functions, called by the state machine of a local ring.

The stack's own program has made all of it, moto runs the state machine, and the function runs in a
process of its own from its own archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import operate
from automate import main
from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from operate.distributed import executions as machine
from tests.support.local_rings import PATIENCE, REGIONS, item, put, ring_of

KEYS = [f"k{number}" for number in range(40)]


@pytest.fixture(scope="module")
def ring() -> Iterator[LocalRing]:
    """A ring in which members differ in some keys, since its hops rest."""
    with ring_of(3, distributed={"enabled": True}) as three:
        for number, key in enumerate(KEYS):
            put(three, REGIONS[number % 3], item(key, v={"S": "x" * number}))
        three.client(REGIONS[0]).delete_item(TableName="orders", Key=item("k39"))
        three.wait_until_quiet(PATIENCE)
        three.client(REGIONS[1]).delete_item(TableName="orders-tombstones", Key=item("k39"))
        with three.paused():
            for number, word in enumerate(REGIONS[:3]):
                put(three, word, item(f"k{number}", v={"S": "edited"}))
                put(three, word, item(f"new at {word}"))
            yield three


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_PAUSE", 0.05)
    monkeypatch.chdir(tmp_path)


def command(ring: LocalRing, *arguments: str, name: str = "check") -> Result:
    return CliRunner().invoke(main, (name, "--local", ring.endpoint, *arguments))


def outcome(ring: LocalRing, *arguments: str, name: str = "check") -> dict[str, Any]:
    result = command(ring, "--settle-seconds", "0", "--json", *arguments, name=name)
    (one,) = json.loads(result.stdout)["rings"]
    return dict(one)


def client(ring: LocalRing, service: str) -> Any:
    return ring.member(REGIONS[0]).clients.client(service, REGIONS[0])


def executions(ring: LocalRing) -> list[str]:
    """How the runs are, the oldest first."""
    states = client(ring, "stepfunctions")
    (made,) = states.list_state_machines()["stateMachines"]
    runs = states.list_executions(stateMachineArn=made["stateMachineArn"])["executions"]
    return [one["status"] for one in sorted(runs, key=lambda one: one["startDate"])]


def objects(ring: LocalRing) -> list[str]:
    """What is in the bucket for results."""
    s3 = client(ring, "s3")
    names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    (bucket,) = [name for name in names if name.startswith("ring-results-")]
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_it_finds_what_a_check_finds_and_leaves_nothing_behind(ring: LocalRing) -> None:
    whole, there = outcome(ring), outcome(ring, "--distributed", "--segments", "2")
    for name in ("in_sync", "compared", "differing", "changing", "kinds"):
        assert there[name] == whole[name], name
    assert there["differing"] == 6
    assert there["capacity_units"] > whole["capacity_units"] > 0
    assert objects(ring) == []


@pytest.mark.long
def test_it_finds_what_a_check_of_tombstones_finds(ring: LocalRing) -> None:
    how = ("--tombstones", "--segments", "1")
    whole, there = outcome(ring, *how), outcome(ring, "--distributed", *how)
    assert there["kinds"] == whole["kinds"]
    assert there["differing"] == whole["differing"] == 7


@pytest.mark.long
def test_it_ends_and_reports_as_any_check_does(ring: LocalRing, tmp_path: Path) -> None:
    report = tmp_path / "differences.jsonl"
    result = command(
        ring, "--distributed", "--segments", "1", "--settle-seconds", "0", "--report", str(report)
    )
    assert result.exit_code == 1
    assert "42 keys compared, 6 differ." in result.output
    keys = {json.loads(line)["key"]["id"]["S"] for line in report.read_text().splitlines()}
    assert keys == {"k0", "k1", "k2", *(f"new at {word}" for word in REGIONS[:3])}
    assert command(ring, "--keys", str(report), "--settle-seconds", "0").exit_code == 1


@pytest.mark.long
def test_a_repair_plans_by_it_what_it_plans_by_any_check(ring: LocalRing) -> None:
    whole, there = (
        outcome(ring, "--dry-run", "--prefer", REGIONS[0], *how, name="repair")
        for how in ((), ("--distributed", "--segments", "1"))
    )
    assert there["repaired"] > 0
    for name in ("differing", "repaired", "skipped", "writes"):
        assert there[name] == whole[name], name


def test_a_check_from_python_runs_in_functions_and_reports_each_difference(ring: LocalRing) -> None:
    before, found = len(executions(ring)), list[Any]()
    report = operate.check(
        RunningLocalRing(ring.endpoint),
        operate.CheckOptions(settle_seconds=0, segments=1),
        table_options=operate.TableOptions(distributed=True),
        on_difference=found.append,
    )
    assert executions(ring)[before:] == ["SUCCEEDED"]
    assert (report.result.differing, report.differences) == (6, found)


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.long
def test_after_ctrl_c_the_same_command_goes_on_with_the_same_run(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(executions(ring))
    how = ("--distributed", "--segments", "3", "--settle-seconds", "0")
    with monkeypatch.context() as patch:
        patch.setattr(machine.SegmentRunner, "_wait", interrupted)
        result = command(ring, *how)
    assert (result.exit_code, "local ring" in result.output) == (1, True)
    result = command(ring, *how)
    assert "Resuming the execution started on" in result.output
    assert "6 differ" in result.output
    assert executions(ring)[before:] == ["SUCCEEDED"]
    assert objects(ring) == []


@pytest.mark.long
def test_restart_stops_the_run_that_is_there_and_begins_another(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(executions(ring))
    with monkeypatch.context() as patch:
        patch.setattr(machine.SegmentRunner, "_wait", interrupted)
        command(ring, "--distributed", "--segments", "3", "--settle-seconds", "0")
    assert outcome(ring, "--distributed", "--segments", "3", "--restart")["differing"] == 6
    assert len(executions(ring)[before:]) == 2
    assert executions(ring)[-1] == "SUCCEEDED"
    # A function that was called for the first may still report on it, but nobody goes on with it.
    assert not [one for one in objects(ring) if one.endswith(".json")]


def test_a_ring_on_this_machine_is_read_in_few_segments_unless_one_says_more(
    ring: LocalRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[int] = []

    def begun(_: Any, task: machine.SegmentJob) -> None:
        parts.append(len(task.parts))
        raise KeyboardInterrupt

    monkeypatch.setattr(machine.SegmentRunner, "_begin", begun)
    for how in ((), ("--segments", "5")):
        command(ring, "--distributed", *how)
    tables = 6  # items and tombstones of three members
    assert parts == [4 * tables, 5 * tables]


@pytest.mark.parametrize(
    "option", [("--rate", "5"), ("--sample", "5"), ("--pairwise",), ("--settle-seconds", "500")]
)
def test_what_functions_cannot_do_is_refused(ring: LocalRing, option: tuple[str, ...]) -> None:
    result = command(ring, "--distributed", *option)
    assert result.exit_code == 2
    assert option[0] in result.output
