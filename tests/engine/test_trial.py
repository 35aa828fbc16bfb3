"""A whole trial on the engine: to its end, interrupted, kept, and with something left behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operate.deployment.stack import RingStack
from operate.errors import CancelledError, InvalidRequestError
from operate.stop import Stop
from operate.trial.journal import TrialJournal
from operate.trial.plan import TAG
from operate.trial.report import TrialReport
from operate.trial.run import STEPS, run_trial
from operate.trial.verdicts import Verdict
from ring.project import PROJECT_ROOT
from tests.engine.commands import answer, run, tables
from tests.engine.stacks import Engine
from tests.engine.trials import REGIONS, TrialCloud, begin, only_steps, options, trial_cloud

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("users_environment")]

NOT_HERE = {"expiry.deleted", "figures.memory", "figures.billed"}
"""Expectations that nothing here can judge: the local AWS expires nothing, and bills nothing."""
_LONG = 300


@pytest.fixture
def cloud(engine: Engine) -> Iterator[TrialCloud]:
    with trial_cloud(engine) as cloud:
        yield cloud


def names(report: TrialReport, verdict: Verdict) -> set[str]:
    return {one.name for one in report.expectations if one.verdict is verdict}


def seen(report: TrialReport, name: str) -> str:
    (found,) = {one.seen for one in report.expectations if one.name == name}
    return found


def all_tables(engine: Engine) -> list[str]:
    return [name for region in REGIONS for name in tables(engine, region)]


def test_a_trial_of_three_members_meets_all_that_can_be_judged_and_leaves_nothing(
    engine: Engine, cloud: TrialCloud, tmp_path: Path
) -> None:
    journal = begin(tmp_path, regions=REGIONS)
    steps: list[str] = []
    report = run_trial(tmp_path, cloud.callbacks(on_step=steps.append), options())
    assert names(report, Verdict.FAILED) == set(), report.markdown()
    assert names(report, Verdict.NOT_JUDGED) == NOT_HERE
    assert len(names(report, Verdict.MET)) > 30
    assert report.ok
    assert steps == [*STEPS, "destroy"]
    assert all_tables(engine) == []
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == [f"{journal.name}.json", f"{journal.name}.md"]


def test_a_kept_ring_stays_until_it_is_cleaned_up(
    engine: Engine, cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_steps(monkeypatch, "deploy", "expiry")
    name = begin(tmp_path).name
    report = run_trial(tmp_path, cloud.callbacks(), options(keep=True))
    assert "destroy.done" not in names(report, Verdict.MET)
    assert name in tables(engine, REGIONS[0])
    report = run_trial(tmp_path, cloud.callbacks(), options(clean_up=True))
    assert {"destroy.done", "destroy.nothing-left"} <= names(report, Verdict.MET)
    assert all_tables(engine) == []
    with pytest.raises(InvalidRequestError, match="No trial is open"):
        run_trial(tmp_path, cloud.callbacks(), options(clean_up=True))


def test_a_trial_that_was_stopped_goes_on_with_the_step_it_was_in(
    cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = "pause"
    only_steps(monkeypatch, "deploy", "expiry", step)
    begin(tmp_path)
    stop = Stop()

    def stop_in(name: str) -> None:
        if name == step:
            stop.ask()

    with pytest.raises(CancelledError):
        run_trial(tmp_path, cloud.callbacks(on_step=stop_in), options(stop=stop))
    steps: list[str] = []
    report = run_trial(tmp_path, cloud.callbacks(on_step=steps.append), options())
    assert steps == [step, "destroy"]
    assert report.steps[step]["attempts"] == 2
    assert report.ok, report.markdown()


def leave(engine: Engine, name: str) -> list[str]:
    """Create what a broken `destroy` could leave: by name, by tag alone, and in another region."""
    here, there = (engine.place(region).clients for region in REGIONS[:2])
    tail = name.removeprefix("ring-")
    region = REGIONS[0]
    here.client("iam", region).create_role(RoleName=f"ring-{tail}-a", AssumeRolePolicyDocument="{}")
    here.logs(region).create_log_group(logGroupName=f"/aws/lambda/ring-{tail}-a")
    there.client("sqs", REGIONS[1]).create_queue(QueueName=f"ring-{tail}-b")
    tags: Any = [{"Key": TAG, "Value": name}]
    here.sns(region).create_topic(Name="somebody-elses", Tags=[{"Key": TAG, "Value": "another"}])
    here.sns(region).create_topic(Name="nameless", Tags=tags)
    here.cloudwatch(region).put_dashboard(DashboardName=f"ring-{name}-1", DashboardBody="{}")
    return [
        f"role ring-{tail}-a",
        f"log group /aws/lambda/ring-{tail}-a",
        f"/123456789012/ring-{tail}-b",
        "topic arn:aws:sns:us-east-1:123456789012:nameless",
        f"dashboard ring-{name}-1",
    ]


def test_what_is_left_is_found_and_the_trial_stays_open_until_it_is_gone(
    engine: Engine, cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_steps(monkeypatch, "deploy")
    name = begin(tmp_path).name
    left = leave(engine, name)
    report = run_trial(tmp_path, cloud.callbacks(), options())
    assert names(report, Verdict.FAILED) == {"destroy.nothing-left"}
    text = seen(report, "destroy.nothing-left")
    for one in left:
        assert one in text
    assert "somebody-elses" not in text
    assert not report.ok
    # What has its name was deleted then; by a tag alone nothing is.
    again = run_trial(tmp_path, cloud.callbacks(), options())
    topic = "arn:aws:sns:us-east-1:123456789012:nameless"
    assert seen(again, "destroy.nothing-left") == f"left: topic {topic} (us-east-1)"
    assert TrialJournal.find(tmp_path)
    engine.place(REGIONS[0]).clients.sns(REGIONS[0]).delete_topic(TopicArn=topic)
    assert run_trial(tmp_path, cloud.callbacks(), options()).ok
    assert TrialJournal.find(tmp_path) is None


def test_a_ring_that_cannot_be_destroyed_is_a_failure_and_what_is_left_of_it_is_found(
    engine: Engine, cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_steps(monkeypatch, "deploy")
    journal = begin(tmp_path)
    run_trial(tmp_path, cloud.callbacks(), options(keep=True))
    bucket = str(journal.ring().deployed().hops[0].quarantine)
    s3 = engine.place(REGIONS[0]).clients.s3(REGIONS[0])
    s3.put_object(Bucket=bucket, Key="a-strangers", Body=b"")
    report = run_trial(tmp_path, cloud.callbacks(), options())
    assert names(report, Verdict.FAILED) == {"destroy.done", "destroy.nothing-left"}
    assert f"bucket {bucket}" in seen(report, "destroy.nothing-left")
    s3.delete_object(Bucket=bucket, Key="a-strangers")
    assert run_trial(tmp_path, cloud.callbacks(), options()).ok


def test_a_ring_that_cannot_be_deployed_is_not_tried_but_destroyed(
    engine: Engine, cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = engine.cloud.create

    def refuse(token: str, *arguments: Any) -> Any:
        if token == "aws:lambda/function:Function":
            raise RuntimeError("no functions today")
        return create(token, *arguments)

    begin(tmp_path)
    steps: list[str] = []
    with monkeypatch.context() as refused:
        refused.setattr(engine.cloud, "create", refuse)
        report = run_trial(tmp_path, cloud.callbacks(on_step=steps.append), options())
    assert steps == ["deploy", "destroy"]
    assert names(report, Verdict.FAILED) == {"deploy.up"}
    assert "destroy.nothing-left" in names(report, Verdict.MET)
    assert all_tables(engine) == []


def ended_process(
    arguments: list[str], when: Callable[[], bool], ended_by: signal.Signals
) -> tuple[int, str]:
    """Run `automate.py trial` in a process of its own and end it; its exit code and output."""
    process = subprocess.Popen(
        [sys.executable, str(PROJECT_ROOT / "automate.py"), "trial", "--yes", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        end = time.monotonic() + _LONG
        while not when():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(ended_by)
        output = process.communicate(timeout=_LONG)[0]
    finally:
        process.kill()
    return process.returncode, output


def test_a_trial_that_was_killed_while_it_destroyed_is_cleaned_up_by_the_same_command(
    engine: Engine, cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kill -9 leaves: a lock on the stack, and a ring of which parts are gone."""
    only_steps(monkeypatch, "deploy")
    begin(tmp_path)
    run_trial(tmp_path, cloud.callbacks(), options(keep=True))
    cloud.close()
    deployed = len(all_tables(engine))
    assert deployed > 0
    clean_up = ["--clean-up", "--state", str(tmp_path)]
    code, _ = ended_process(clean_up, lambda: len(all_tables(engine)) < deployed, signal.SIGKILL)
    assert code == -signal.SIGKILL  # it had not ended by itself
    report = run_trial(tmp_path, cloud.callbacks(), options(clean_up=True))
    assert {"destroy.done", "destroy.nothing-left"} <= names(report, Verdict.MET)
    assert all_tables(engine) == []


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_trial_whose_process_was_ended_while_it_deployed_is_gone_on_with(
    engine: Engine,
    cloud: TrialCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended_by: signal.Signals,
) -> None:
    """Ctrl-C ends it in order; kill -9 leaves a lock and half a ring."""
    only_steps(monkeypatch, "deploy")
    regions = [word for region in REGIONS[:2] for word in ("--region", region)]
    code, output = ended_process(
        [*regions, "--state", str(tmp_path)], lambda: bool(all_tables(engine)), ended_by
    )
    if ended_by is signal.SIGINT:
        assert code == 1
        assert "Run the same command again to go on" in output
        assert "Traceback" not in output
    journal = TrialJournal.find(tmp_path)
    assert journal
    assert journal.has_begun("deploy")
    report = run_trial(tmp_path, cloud.callbacks(), options())
    failed = names(report, Verdict.FAILED)
    if ended_by is signal.SIGKILL and failed == {"destroy.nothing-left"}:
        # What Pulumi was creating in that moment is in no state, so it is named, for a person.
        assert seen(report, "destroy.nothing-left").startswith("left: ")
    else:
        assert report.ok, report.markdown()
    assert report.steps["deploy"]["attempts"] == 2
    assert all_tables(engine) == []


def run_what_is_deployed(cloud: TrialCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a local ring what a stack deploys, until it is destroyed."""
    up, destroy = RingStack.up, RingStack.destroy

    def up_and_run(ring: RingStack, **more: Any) -> Any:
        result = up(ring, **more)
        cloud.run(ring)
        return result

    def end_and_destroy(ring: RingStack, **more: Any) -> Any:
        cloud.close()
        return destroy(ring, **more)

    monkeypatch.setattr(RingStack, "up", up_and_run)
    monkeypatch.setattr(RingStack, "destroy", end_and_destroy)


@pytest.fixture
def only_deployed(cloud: TrialCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a trial no step but the first, and have it run in a folder of its own."""
    only_steps(monkeypatch, "deploy")
    monkeypatch.chdir(tmp_path)
    run_what_is_deployed(cloud, monkeypatch)


@pytest.mark.usefixtures("only_deployed")
def test_the_command_says_what_it_makes_and_costs_and_its_exit_code_is_the_verdict(
    engine: Engine,
) -> None:
    two = ("--region", REGIONS[0], "--region", REGIONS[1])
    refused = run("trial", *two)
    assert refused.exit_code == 2
    assert "pass --yes" in refused.output
    assert all_tables(engine) == []
    kept = run("trial", *two, "--yes", "--keep", "--json")
    assert kept.exit_code == 0, kept.output
    assert "US dollars at the most" in kept.stderr
    assert answer(kept)["regions"] == list(REGIONS[:2])
    other = run("trial", "--region", REGIONS[2], "--region", REGIONS[1], "--yes")
    assert other.exit_code == 2
    assert "is open" in other.output
    done = run("trial", "--clean-up", "--yes")
    assert done.exit_code == 0, done.output
    (document,) = Path(".dynamodb-ring/trial").glob("*.json")
    assert json.loads(document.read_text())["ok"]
    assert all_tables(engine) == []
    assert run("trial", "--clean-up", "--yes").exit_code == 2


@pytest.mark.usefixtures("only_deployed")
def test_what_the_guide_shows_in_python_works(engine: Engine) -> None:
    guide = PROJECT_ROOT / "docs" / "how-to" / "trial.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, str(guide), "exec"), names)
    assert names["try_it"]()
    assert all_tables(engine) == []
