"""automate.py over the real engine: each test begins where the one before it ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from operate.deployment.engine_events import Step
from operate.deployment.stack import RingStack
from operate.deployment.workspace import PROJECT
from operate.errors import Note
from ring.project import PROJECT_ROOT
from tests.engine.commands import answer, run, tables
from tests.engine.stacks import Engine
from tests.support.json_fields import described, fields, sections
from tests.support.stream_records import of_stream

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("users_environment")]

AUTOMATE = PROJECT_ROOT / "automate.py"
DOCS = PROJECT_ROOT / "docs" / "reference" / "python-api.md"
RING = (
    *("--table", "orders", "--key", "customer:S", "--sort", "order:S"),
    *("--member", "us-east-1", "--member", "eu-west-1:orders-eu"),
    *("--set", "table.deletion_protection=false"),  # so that `destroy` leaves nothing
)
_LONG = 300  # seconds, which a busy machine may need
STACK_FILE = """\
# The ring of production.
config:
  dynamodb-ring:table: # as every member has it
    name: users
    partition_key: {name: id, type: S}
  dynamodb-ring:members:
    - region: us-east-1 # the first
    - {region: eu-west-1}
"""


def test_up_makes_a_ring_from_nothing_and_reports_it_in_json(engine: Engine) -> None:
    result = run("up", *RING, "--yes", "--json")
    assert result.exit_code == 0
    (ring,) = answer(result)["rings"]
    assert (ring["ring"], ring["stack"], ring["ok"], ring["differs"]) == (
        "orders",
        "orders",
        True,
        True,
    )
    assert set(ring["changes"]) == {"create"}
    assert [one["table"] for one in ring["outputs"]["members"]] == ["orders", "orders-eu"]
    assert tables(engine, "us-east-1") == ["orders", "orders-tombstones"]
    assert tables(engine, "eu-west-1") == ["orders-eu", "orders-eu-tombstones"]
    # The engine's progress is there too, beside the answer.
    assert re.search(r"\+ created +aws:dynamodb:Table +ring-us-east-1\n", result.stderr)


def test_preview_shows_what_would_differ_and_changes_nothing() -> None:
    result = run("preview", *RING, "--set", "function.memory=1024", "--expect-no-changes")
    assert result.exit_code == 1
    assert re.search(
        r"~ update +aws:lambda:Function +ring-us-east-1-to-\S+ +\(memorySize\)", result.output
    )
    assert answer(run("up", *RING, "--yes", "--json"))["rings"][0]["differs"] is False


def test_a_cli_that_was_killed_while_it_wrote_the_state_stops_no_later_command() -> None:
    """It leaves an empty file of attributes beside the state, which the CLI cannot read."""
    backend = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    (state,) = (backend / ".pulumi" / "stacks").rglob("orders.json")
    attributes = state.with_name(f"{state.name}.attrs")
    assert not attributes.exists()  # a ring's own commands write none
    attributes.write_bytes(b"")
    result = run("preview", *RING, "--expect-no-changes")
    assert result.exit_code == 0, result.output


def test_a_setting_that_cannot_change_is_refused_before_the_engine_runs(engine: Engine) -> None:
    result = run("up", *RING, "--key", "buyer:S", "--yes", "--json")
    assert result.exit_code == 2
    (ring,) = answer(result)["rings"]
    assert [one["key"] for one in ring["error"]["problems"]] == ["table.partition_key"]
    assert "created" not in result.stderr
    assert tables(engine, "us-east-1") == ["orders", "orders-tombstones"]


def test_what_is_deployed_is_read_from_the_state() -> None:
    found = RingStack(None, "orders").deployed()
    assert [(one.name, one.account, one.replica is not None) for one in found.members] == [
        ("us-east-1", "123456789012", True),
        ("eu-west-1-orders-eu", "123456789012", True),
    ]
    shape = found.members[0].created
    assert shape
    assert shape.keys == {"partition_key": ("customer", "S"), "sort_key": ("order", "S")}
    assert all(hop.function and hop.mapping and hop.quarantine for hop in found.hops)


def test_status_and_outputs_show_it() -> None:
    result = run("status", "--stack", "orders")
    assert result.exit_code == 0
    assert re.search(
        r"us-east-1 +us-east-1 +orders +ACTIVE +NEW_AND_OLD_IMAGES +ACTIVE", result.output
    )
    assert "arn:aws:lambda:us-east-1" in run("outputs", "--stack", "orders").output


def test_the_json_reference_has_just_the_fields_of_the_outputs() -> None:
    section = described(sections()["outputs"])
    known = section | described(sections()["Common"])
    found = set(fields(answer(run("outputs", "--stack", "orders", "--json")), known))
    assert found - known == set()
    assert section - found == set()


def test_what_a_stacks_hop_has_quarantined_is_played_again(engine: Engine) -> None:
    hop = RingStack(None, "orders").deployed().hops[0]
    place = engine.place("us-east-1")
    image = {"customer": {"S": "ada"}, "order": {"S": "1"}, "total": {"N": "10"}}
    key = {name: image[name] for name in ("customer", "order")}
    change = {
        "Keys": key,
        "NewImage": image,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "SequenceNumber": "1" * 21,
        "ApproximateCreationDateTime": int(time.time()),
    }
    kept = {
        "table": "orders",
        "hop": "us-east-1/orders -> eu-west-1/orders-eu",
        "reason": "refused",
        "error": "that day",
        "time": "2026-01-01T00:00:00Z",
        "record": of_stream({"dynamodb": change}),
    }
    s3 = place.clients.s3("us-east-1")
    s3.put_object(
        Bucket=str(hop.quarantine), Key="quarantine/1.json", Body=json.dumps(kept).encode()
    )
    assert run("redrive", "--stack", "orders").exit_code == 1
    assert run("redrive", "--stack", "orders", "--all", "--yes").exit_code == 0
    there = engine.place("eu-west-1").clients.dynamodb("eu-west-1")
    assert there.get_item(TableName="orders-eu", Key=key)["Item"]["total"] == {"N": "10"}
    assert run("redrive", "--stack", "orders").exit_code == 0


def test_a_wrong_passphrase_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    result = run("up", *RING, "--yes")
    assert result.exit_code == 3
    assert "is not the passphrase" in result.output


def test_destroy_leaves_nothing_and_forgets_the_stack(engine: Engine) -> None:
    result = run("destroy", "--stack", "orders", "--yes", "--remove")
    assert result.exit_code == 0
    assert tables(engine, "us-east-1") == tables(engine, "eu-west-1") == []
    result = run("outputs", "--stack", "orders")
    assert result.exit_code == 2
    assert "There is no stack orders" in result.output


def test_a_users_own_folder_is_left_as_it_is_but_for_what_stack_init_adds(
    engine: Engine, tmp_path: Path
) -> None:
    file, project = tmp_path / "Pulumi.prod.yaml", tmp_path / "Pulumi.yaml"
    file.write_text(STACK_FILE)
    project.write_text(f"name: {PROJECT} # ours\nruntime: python\n")
    ring = RingStack.of(tmp_path, "prod")
    before = project.read_text()
    ring.preview()
    assert file.read_text() == STACK_FILE
    with ring._open("up"):
        pass
    salt = file.read_text().removeprefix(STACK_FILE)
    assert re.fullmatch(r"encryptionsalt: \S+\n", salt)
    # A secret, as `pulumi config set --secret` puts it there, is read by the program.
    with ring._open("up") as stack:
        stack.workspace._run_pulumi_cmd_sync(  # type: ignore[attr-defined]
            [
                "config",
                "set",
                "--secret",
                "--path",
                "--stack",
                "prod",
                f"{PROJECT}:tags.team",
                "hush",
            ]
        )
    with_secret = file.read_text()
    assert "hush" not in with_secret
    assert ring.up().differs
    assert ring.settings().tags == {"team": "hush"}
    assert file.read_text() == with_secret
    assert with_secret.startswith(STACK_FILE)
    assert project.read_text() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Pulumi.prod.yaml", "Pulumi.yaml"]
    client = engine.cloud.location({"region": "us-east-1"}).clients.dynamodb("us-east-1")
    tags = client.list_tags_of_resource(
        ResourceArn=client.describe_table(TableName="users")["Table"]["TableArn"]
    )["Tags"]
    assert {"Key": "team", "Value": "hush"} in tags


def test_ctrl_c_cancels_in_order_and_leaves_no_lock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, cancelling = threading.Event(), threading.Event()
    create = engine.cloud.create

    def held(*arguments: Any) -> Any:
        begun.set()
        cancelling.wait(_LONG)
        return create(*arguments)

    with monkeypatch.context() as while_held:
        while_held.setattr(engine.cloud, "create", held)
        up = subprocess.Popen(
            [sys.executable, str(AUTOMATE), "up", *RING, "--yes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert begun.wait(_LONG), "nothing was begun"
            up.send_signal(signal.SIGINT)
            assert up.stdout
            lines = []
            for line in up.stdout:
                lines.append(line)
                if line.startswith("Cancelling"):
                    cancelling.set()
            up.wait(_LONG)
        finally:
            cancelling.set()
            up.kill()
    assert up.returncode == 1
    assert "Cancelling" in "".join(lines)
    assert "Traceback" not in "".join(lines)
    assert "aws:lambda:EventSourceMapping" not in "".join(lines)  # not all of it was done


def test_the_next_up_goes_on_from_there_though_nobody_listens_to_it() -> None:
    command = [sys.executable, str(AUTOMATE), "up", *RING, "--yes"]
    up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert up.stdout
        up.stdout.readline()
        up.stdout.close()  # as `| head -1` does
        errors = up.communicate(timeout=_LONG)[1]
    finally:
        up.kill()
    assert up.returncode == 0, errors
    assert "Traceback" not in errors
    assert len(RingStack(None, "orders").deployed().hops) == 2


def test_what_the_documentation_shows_in_python_works(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[0]
    exec(compile(example, str(DOCS), "exec"), {"__name__": "example"})
    assert "arn:aws:dynamodb:us-east-1" in capsys.readouterr().out


def test_tables_that_outlive_a_ring_are_reported_as_kept(engine: Engine) -> None:
    ring = RingStack(
        {
            "table": {"name": "lasting", "partition_key": {"name": "id", "type": "S"}},
            "members": [{"region": "us-east-1"}, {"region": "eu-west-1"}],
        }
    )
    ring.up()
    said: list[Step | Note] = []
    plan = ring.destroy(dry_run=True, on_event=lambda _, event: said.append(event))
    done = ring.destroy(remove=True, on_event=lambda _, event: said.append(event))
    assert plan.changes["keep"] == done.changes["keep"] == 2
    assert plan.changes["delete"] == done.changes["delete"]
    kept = {one.name for one in said if isinstance(one, Step) and one.operation == "keep"}
    assert kept == {"ring-us-east-1", "ring-eu-west-1"}
    for region in ("us-east-1", "eu-west-1"):
        assert "lasting" in tables(engine, region)
