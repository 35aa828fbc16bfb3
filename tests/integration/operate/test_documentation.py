"""The examples of docs/reference/python-api.md but the first, which tests/engine runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import operate
from commands.local_ring import RunningLocalRing
from local.clients import Accounts
from local.cloud.cloud import Cloud
from local.cloud.program import run_program
from local.endpoint.server import LocalServer
from local.stack_config import StackConfig
from operate.stop import Stop
from ring.project import PROJECT_ROOT
from tests.support.deployments import CONFIG, deployed
from tests.support.documents import made_of_code
from tests.support.local_rings import PATIENCE, item, put, ring_of

DOCS = PROJECT_ROOT / "docs" / "reference" / "python-api.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)


def names_in(example: str) -> dict[str, Any]:
    """Run an example, and return the names that it defines."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, str(DOCS), "exec"), names)
    return names


def test_a_ring_can_be_a_part_of_somebody_elses_program(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(EXAMPLES[-1])
    with LocalServer() as server, Accounts(server.endpoint) as accounts:
        deployment = run_program(program, StackConfig("shop", {}), Cloud(accounts))
    first, second = deployment.outputs["cart_streams"]
    assert first.startswith("arn:aws:dynamodb:us-east-1:")
    assert second.startswith("arn:aws:dynamodb:eu-west-1:")


@pytest.mark.long
def test_a_deployed_ring_is_inspected_and_repaired_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # A repair waits for writes in transit, and here hops are paused.
    monkeypatch.setattr(Stop, "sleep", lambda stop, _: stop.check())
    with ring_of(2) as ring:
        put(ring, "us-east-1", item("a"))
        ring.wait_until_quiet(PATIENCE)
        target = ring.member("eu-west-1")
        with ring.paused("us-east-1"), ring.paused("eu-west-1"):
            ring.client("eu-west-1").delete_item(TableName=target.table, Key=item("a"))
            names_in(EXAMPLES[1])["inspect"](RunningLocalRing(ring.endpoint))
        ring.wait_until_quiet(PATIENCE)
        report = operate.check(RunningLocalRing(ring.endpoint))
    assert "us-east-1 eu-west-1" in capsys.readouterr().out
    assert report.in_sync


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_member_is_bypassed_from_python_only_if_that_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    file = tmp_path / "rings.yaml"
    file.write_text(yaml.safe_dump({"rings": [{"name": "orders", "settings": CONFIG}]}))
    before, ups = file.read_text(), list[str]()
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr(operate.RingStack, "deployed", lambda _: deployed(CONFIG))
    monkeypatch.setattr(operate.RingStack, "ensure_tables_replicable", lambda _: None)
    monkeypatch.setattr("operate.membership.changes.ensure_no_gap", lambda *_: None)
    (ring,) = operate.read_rings(file)

    def up(ring: operate.RingStack) -> operate.Result:
        ups.append(ring.label)
        return operate.Result(ring.label, "up", {}, 0.0)

    names = names_in(EXAMPLES[2])
    callbacks = operate.ChangeCallbacks(confirm=names["ask"], deploy=up)
    result = operate.bypass(ring, "eu-west-1", callbacks=callbacks)
    assert (result is not None, ups == ["orders"]) == (answer == "yes", answer == "yes")
    assert ("state: bypassed" in file.read_text()) == (answer == "yes")
    assert (file.read_text() == before) == (answer == "no")


def test_the_reference_names_everything_that_operate_exports() -> None:
    named = set(re.findall(r"\w+", " ".join([*made_of_code(DOCS), *EXAMPLES])))
    assert [name for name in operate.__all__ if name not in named] == []


def test_everything_that_operate_exports_is_there() -> None:
    assert all(hasattr(operate, name) for name in operate.__all__)
