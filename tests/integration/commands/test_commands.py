"""The commands that need no engine: what they print, and with which exit code they end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner, Result

from automate import main
from operate.deployment import pulumi_cli
from ring.project import PROJECT_ROOT

RING = (
    "--table",
    "orders",
    "--key",
    "customer:S",
    "--member",
    "us-east-1",
    "--member",
    "eu-west-1",
)
RINGS = """
rings:
  - name: orders
    settings:
      table: {name: orders, partition_key: {name: id, type: S}}
      members: [{region: us-east-1}, {region: eu-west-1}]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def document(*arguments: str) -> dict[str, Any]:
    """What a command answers in JSON: all that is on stdout."""
    parsed: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return parsed


@pytest.fixture
def rings(tmp_path: Path) -> str:
    path = tmp_path / "rings.yaml"
    path.write_text(RINGS)
    return str(path)


@pytest.fixture
def without_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(pulumi_cli, "BUILT", tmp_path)


def test_validate_shows_the_hops_of_a_stack_without_a_cli(without_cli: None) -> None:
    result = run("validate", "--stack", "dev")
    assert result.exit_code == 0
    assert "dev: valid. 3 members, 3 hops:" in result.output
    assert "us-east-1 (orders) -> eu-west-1 (orders)" in result.output


def test_validate_shows_a_single_hop_as_one() -> None:
    assert (
        "orders: valid. 2 members, 1 hop:"
        in run("validate", *RING, "--set", "hops=[us-east-1]").output
    )


def test_validate_takes_a_ring_file_and_a_ring_on_the_command_line(rings: str) -> None:
    for given in (("--file", rings), RING):
        found = document("validate", *given)
        assert found["ok"]
        assert [one["ring"] for one in found["rings"]] == ["orders"]
        assert found["rings"][0]["hops"][0] == {"source": "us-east-1", "target": "eu-west-1"}


def test_wrong_settings_are_wrong_use_and_all_of_them_are_reported() -> None:
    wrong = (*RING, "--set", "tombstones.retention_days=1", "--set", "function.memory=1")
    result = run("validate", *wrong)
    assert result.exit_code == 2
    assert "tombstones.retention_days: 1" in result.stderr
    assert "function.memory: 1" in result.stderr
    refusal = document("validate", *wrong)
    assert refusal["error"]["kind"] == "invalid"
    assert {one["key"] for one in refusal["error"]["problems"]} == {
        "tombstones.retention_days",
        "function.memory",
    }
    assert all({"value", "reason", "remedy"} <= set(one) for one in refusal["error"]["problems"])


@pytest.mark.parametrize("command", ["up", "preview"])
def test_wrong_settings_are_reported_before_the_cli_is_looked_for(
    without_cli: None, command: str
) -> None:
    result = run(command, *RING, "--set", "function.memory=1")
    assert (result.exit_code, "function.memory: 1" in result.output) == (2, True)


@pytest.mark.parametrize("yes", [(), ("--yes",)])
@pytest.mark.parametrize(
    "command",
    [("up",), ("destroy",), ("refresh",), ("repair",), ("backfill", "--all"), ("redrive", "--all")],
)
def test_without_a_cli_something_is_missing_whether_or_not_yes_is_said(
    without_cli: None, command: tuple[str, ...], yes: tuple[str, ...]
) -> None:
    assert run(*command, "--stack", "dev", *yes).exit_code == 3


@pytest.mark.parametrize("command", ["up", "outputs", "status"])
def test_what_is_missing_is_reported_with_how_to_get_it(without_cli: None, command: str) -> None:
    result = run(command, "--stack", "dev")
    assert result.exit_code == 3
    assert "No usable Pulumi CLI was found" in result.output
    assert "https://www.pulumi.com/docs/install/" in result.output


@pytest.mark.parametrize("command", ["up", "destroy", "refresh"])
def test_what_changes_something_wants_a_yes_where_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("operate.deployment.stack.find_cli", Mock())
    result = run(command, "--stack", "dev")
    assert result.exit_code == 2
    assert "pass --yes" in result.output


@pytest.mark.parametrize("command", ["status", "check"])
def test_a_local_ring_is_named_by_a_url(command: str) -> None:
    result = run(command, "--local", "127.0.0.1:8000")
    assert (result.exit_code, "Write http://127.0.0.1:8000" in result.output) == (2, True)


# arguments -> what is said about them
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no ring": (("outputs",), "Which ring?"),
    "no ring, where one on this machine will do": (("status",), "--local URL"),
    "no ring, where one may be described": (("cost", "--writes", "1"), "--table, --key and"),
    "a stack that has no file": (("validate", "--stack", "nope"), "no Pulumi.nope.yaml"),
    "a described ring over a stack's file": (
        ("validate", *RING, "--stack", "dev"),
        "already describes the stack dev",
    ),
    "a described ring and a file": (("validate", *RING, "--file", __file__), "leave --file"),
    "a stack and a file": (("outputs", "--stack", "dev", "--file", __file__), "leave --stack"),
    "only without a file": (("outputs", "--stack", "dev", "--only", "a"), "give it with --file"),
    "no project's folder": (
        ("validate", "--stack", "dev", "--folder", str(PROJECT_ROOT / "docs")),
        "no Pulumi.dev.yaml",
    ),
    "an unknown option": (("outputs", "--stak", "dev"), "No such option"),
    "a ring that is not in the file": (("outputs", "--file", "RINGS", "--only", "x"), "no ring x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(case: str, rings: str) -> None:
    arguments, words = WRONG[case]
    result = run(*(rings if one == "RINGS" else one for one in arguments))
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("since", ["3x", "nan", "2999-01-01", "9999999d", "999999999999d"])
def test_a_time_that_is_none_is_refused_before_the_file_is_written(
    tmp_path: Path, since: str
) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text((PROJECT_ROOT / name).read_text())
    of = ("--stack", "dev", "--folder", str(tmp_path))
    result = run("bypass", "eu-west-1", *of, "--since", since, "--no-deploy", "--yes")
    assert (result.exit_code, "--since" in result.output) == (2, True)
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == (
        PROJECT_ROOT / "Pulumi.dev.yaml"
    ).read_text()


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_and_every_option_is_explained(command: str) -> None:
    assert (main.commands[command].help or "").strip().endswith(".") or main.commands[command].help
    assert "Examples:" in (main.commands[command].epilog or "")
    for option in main.commands[command].params:
        if isinstance(option, click.Argument):  # the command's own text describes it
            assert str(option.name).upper() in (main.commands[command].help or "").upper()
        else:
            assert getattr(option, "help", None), option.name
    assert run(command, "--help").exit_code == 0


def taking(option: str) -> set[str]:
    """The commands that take an option."""
    return {
        name
        for name, one in main.commands.items()
        if any(option in param.opts for param in one.params)
    }


def test_the_help_says_which_commands_take_a_described_ring() -> None:
    described = re.search(
        r"for many at a time; or, for(.*), a ring described", " ".join((main.help or "").split())
    )
    assert described
    assert set(re.findall(r"`(\w+)`", described[1])) == taking("--table")


def test_the_version_is_the_projects() -> None:
    assert (
        f'version = "{run("--version").output.split()[-1]}"'
        in (PROJECT_ROOT / "pyproject.toml").read_text()
    )


def test_a_missing_package_is_reported_with_how_to_get_it() -> None:
    without_rich = "import sys; sys.modules['rich.console'] = None; import automate"
    ended = subprocess.run(
        [sys.executable, "-c", without_rich],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    assert ended.stderr == "rich is not installed: pip install -r requirements.txt\n"


def test_wrong_use_is_answered_in_json_too() -> None:
    refusal = document("validate", "--bogus")
    assert refusal["error"]["kind"] == "invalid"
    assert "--bogus" in refusal["error"]["text"]
    assert run("validate", "--bogus", "--json").exit_code == 2


@pytest.mark.parametrize("name", ["../evil", "a b", "a/b/c/d", ""])
def test_what_is_no_stacks_name_is_refused(name: str) -> None:
    result = run("status", "--stack", name)
    assert result.exit_code == 2
