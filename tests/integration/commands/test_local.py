"""The command line: what it prints, how it ends, and with which exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import boto3
import pytest
from click.testing import CliRunner

from automate import main
from local.ring import LocalRing
from operate.deployment.stack import RingStack
from operate.errors import InvalidRequestError
from ring.project import PROJECT_ROOT
from ring.settings.errors import SettingProblem, SettingsError

COMMAND = [sys.executable, str(PROJECT_ROOT / "automate.py"), "local"]


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start a session at a free port."""
    return subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",  # it must not matter where it is started
    )


def shell(line: str) -> str:
    """Run a printed line as a person would, with nothing of AWS in the environment."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"}
    return subprocess.run(
        line, shell=True, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.long
def test_what_a_session_prints_can_be_pasted_and_ctrl_c_ends_it(dynamodb: str | None) -> None:
    with start(*(["--dynamodb", dynamodb] if dynamodb else [])) as session:
        try:
            printed = dict(read_lines(session))
            client: Any = eval(printed["boto3"], {"boto3": boto3})
            key = {"customer": {"S": "ada"}, "order": {"S": "ada"}}
            client.put_item(TableName="orders", Item=key)
            assert client.get_item(TableName="orders", Key=key)["Item"] == key
            if shutil.which("aws"):
                shell(printed["put-item"])
                end = time.monotonic() + 180
                while "hello" not in shell(printed["get-item"]):
                    assert time.monotonic() < end, "it did not arrive"
            session.send_signal(signal.SIGINT)
            rest = session.communicate(timeout=180)[0]
        finally:
            session.kill()
    assert session.returncode == 0
    assert "Traceback" not in rest


def read_lines(session: subprocess.Popen[str]) -> list[tuple[str, str]]:
    """Read what a session prints until it watches the ring; the lines to paste, by what they do."""
    assert session.stdout
    found = []
    for line in session.stdout:
        found += [(word, line) for word in ("put-item", "get-item") if f" {word} " in line]
        if line.startswith("  boto3."):
            found.append(("boto3", line.strip()))
        if line.startswith("items:"):
            return found
    pytest.fail("the session ended before it was up")


@pytest.mark.long
def test_a_session_loads_a_file_and_ends_by_itself(tmp_path: Path) -> None:
    lines = [json.dumps({"customer": "ada", "order": str(number)}) for number in range(30)]
    (tmp_path / "orders.jsonl").write_text("\n".join(lines))
    with start(
        "--load", str(tmp_path / "orders.jsonl"), "--into", "eu-west-1", "--seconds", "4"
    ) as session:
        text = session.communicate(timeout=180)[0]
    assert session.returncode == 0
    assert "Loaded 30 items into eu-west-1" in text
    assert "eu-west-1 30" in text
    assert "Traceback" not in text


def test_the_page_is_served_before_the_ring_is_there() -> None:
    with start() as session:
        try:
            assert session.stdout
            first = session.stdout.readline()
            address = first.removeprefix("See the ring at work: ").partition("#")[0]
            with urllib.request.urlopen(address, timeout=180) as response:
                assert "<title>dynamodb-ring</title>" in response.read().decode()
        finally:
            session.kill()


@pytest.mark.parametrize("wrong", ["settings", "stack", "member"])
def test_what_is_wrong_is_refused_before_the_page_is_served(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text("config:\n  dynamodb-ring:members: []\n")
    (tmp_path / "items.jsonl").write_text("")
    given, expected = {
        "settings": (("--folder", str(tmp_path), "--stack", "bad"), "in the settings"),
        "stack": (("--folder", str(tmp_path), "--stack", "nope"), "There is no Pulumi.nope.yaml"),
        "member": (("--load", str(tmp_path / "items.jsonl"), "--into", "nobody"), "no member has"),
    }[wrong]
    # Were the page served, its port that is taken would be reported, or its address printed.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = invoke("--port", "0", "--page", str(taken.getsockname()[1]), *given)
    assert code == 2
    assert expected in said
    assert "cannot listen" not in said
    assert "See the ring at work" not in said


def test_the_page_of_a_stack_that_is_not_there_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_ring: RingStack) -> NoReturn:
        raise InvalidRequestError("There is no stack nope in this backend.")

    monkeypatch.setattr(RingStack, "expect_ready", lambda _ring: None)
    monkeypatch.setattr(RingStack, "deployed", missing)
    line = ["watch", "--stack", "nope", "--folder", str(tmp_path), "--port", "0", "--seconds", "0"]
    ended = CliRunner().invoke(main, line)
    assert ended.exit_code == 2
    assert "There is no stack nope" in ended.output
    assert "http://" not in ended.output


@pytest.mark.long
def test_a_polite_kill_ends_it_as_cleanly() -> None:
    with start() as session:
        try:
            read_lines(session)
            session.terminate()
            rest = session.communicate(timeout=180)[0]
        finally:
            session.kill()
    assert session.returncode == 0
    assert "Traceback" not in rest


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["local", *arguments])
    return result.exit_code, result.output


def test_a_stack_that_is_not_there_is_wrong_use() -> None:
    code, said = invoke("--stack", "nope")
    assert code == 2
    assert said.startswith("There is no Pulumi.nope.yaml")


@pytest.mark.long
def test_the_settings_are_those_of_a_folder_and_without_a_page_none_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (PROJECT_ROOT / "Pulumi.dev.yaml").read_text().replace("name: orders", "name: carts")
    (tmp_path / "Pulumi.dev.yaml").write_text(settings)
    code, printed = invoke("--folder", str(tmp_path), "--port", "0", "--no-page", "--seconds", "0")
    assert (code, "carts" in printed) == (0, True)
    assert "See the ring at work" not in printed
    monkeypatch.chdir(tmp_path)
    assert "orders" in invoke("--port", "0", "--no-page", "--seconds", "0")[1]
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    assert "carts" in invoke("--port", "0", "--no-page", "--seconds", "0")[1]


def test_wrong_settings_are_wrong_use_and_reported_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(config: Any) -> None:
        raise SettingsError([SettingProblem("members", [], "there are none", "Write two.")])

    monkeypatch.setattr("local.ring.Settings.parse", refuse)
    code, said = invoke()
    assert code == 2
    assert said.startswith("1 error in the settings")
    assert "Traceback" not in said


def test_a_port_of_the_page_that_is_taken_names_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = invoke("--port", "0", "--page", str(taken.getsockname()[1]))
    assert code == 1
    assert "`local --page`" in said


@pytest.mark.parametrize("page", [True, False])
def test_a_port_that_is_taken_is_a_failure_of_which_the_rings_own_is_named_first(
    page: bool,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = invoke(*(["--page", port] if page else ["--no-page"]), "--port", port)
    assert code == 1
    assert "Choose another port (--port)" in said


@pytest.mark.parametrize(
    ("url", "code", "expected"),
    [
        ("127.0.0.1:8000", 2, "Use the form http://127.0.0.1:8000"),
        ("https://dynamodb.eu-west-1.amazonaws.com", 2, "belongs to AWS"),
        ("http://127.0.0.1:1", 1, "does not answer"),
    ],
)
def test_a_dynamodb_that_will_not_do_is_reported_and_how_to_get_one(
    url: str, code: int, expected: str
) -> None:
    ended, text = invoke("--no-page", "--port", "0", "--dynamodb", url)
    assert ended == code
    assert expected in text
    assert "Traceback" not in text


def test_a_bad_line_in_a_file_is_reported_before_anything_is_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orders.jsonl").write_text('{"customer": "ada"}\n')
    deployed: list[LocalRing] = []
    monkeypatch.setattr(LocalRing, "__enter__", deployed.append)
    code, said = invoke("--page", "0", "--port", "0", "--load", f"{tmp_path}/orders.jsonl")
    assert code == 1
    assert "line 1: the key attribute order is missing" in said
    assert deployed == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--into", "eu-west-1"),
        ("--load", "/there/is/none"),
        ("--port", "many"),
    ],
)
def test_arguments_that_cannot_be_are_wrong_use(arguments: tuple[str, ...]) -> None:
    code, said = invoke(*arguments)
    assert code == 2
    assert said


def test_a_member_that_is_none_is_reported_before_anything_is_started() -> None:
    code, said = invoke("--load", __file__, "--into", "eu-wset-1", "--port", "0")
    assert code == 2
    assert "--into eu-wset-1: no member has this name. Did you mean `eu-west-1`?" in said
    assert "Ring of" not in said


def test_a_missing_package_is_reported_with_how_to_get_it() -> None:
    without_moto = "import sys; sys.modules['moto'] = None; import automate; automate.main()"
    ended = subprocess.run(
        [sys.executable, "-c", without_moto, "local"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    assert "moto is not installed: pip install -r requirements-dev.txt" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "wrong", [("--port", "99999"), ("--port", "-1"), ("--seconds", "-5")], ids=" ".join
)
def test_a_number_out_of_range_is_reported_before_anything_is_started(
    wrong: tuple[str, str],
) -> None:
    result = CliRunner().invoke(main, ["local", *wrong])
    assert result.exit_code == 2
    assert "is not in the range" in result.output
