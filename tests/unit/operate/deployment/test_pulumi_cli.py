"""Finding Pulumi's CLI, running it, and interrupting it: with programs that play it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pulumi.automation import CommandError

from operate.deployment import pulumi_cli
from operate.deployment.pulumi_cli import Cli, find_cli
from operate.errors import CancelledError, PrerequisiteError

GOOD = "echo v3.220.0"
# What it says on the first line is what a test waits for; then it works until it is interrupted.
WORKING = """
[ "$1" = version ] && { echo v3.220.0; exit 0; }
trap 'echo "interrupted" >&2; exit 1' INT
echo working
while :; do sleep 0.05; done
"""


def play(place: Path, script: str) -> Path:
    """Put a program called pulumi into `place/bin`; return that folder."""
    folder = place / "bin"
    folder.mkdir(parents=True)
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a shell, and no CLI yet; what is built would be in `built`."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(pulumi_cli, "BUILT", tmp_path / "built")
    return tmp_path


def test_without_a_cli_it_is_reported_which_and_how_to_get_it(nowhere: Path) -> None:
    with pytest.raises(PrerequisiteError) as caught:
        find_cli()
    assert "neither on the PATH nor in .engine/bin" in str(caught.value)
    assert "https://www.pulumi.com/docs/install/" in str(caught.value)
    assert "make engine" in str(caught.value)


def test_the_one_that_was_built_is_found(nowhere: Path) -> None:
    built = play(nowhere / "built", GOOD)
    assert find_cli().command == str(built / "pulumi")


def test_the_one_on_the_path_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(nowhere / "built", GOOD)
    own = play(nowhere / "own", GOOD)
    monkeypatch.setenv("PATH", f"{own}:/usr/bin:/bin")
    assert find_cli().command == str(own / "pulumi")


@pytest.mark.parametrize("bad", ["echo v2.25.0", "exit 1"])
def test_one_that_will_not_do_is_passed_over(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    built = play(nowhere / "built", GOOD)
    monkeypatch.setenv("PATH", f"{play(nowhere / 'own', bad)}:/usr/bin:/bin")
    assert find_cli().command == str(built / "pulumi")


def test_one_that_is_too_old_is_reported_with_its_version(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{play(nowhere / 'own', 'echo v2.25.0')}:/usr/bin:/bin")
    with pytest.raises(PrerequisiteError, match=r"CLI version is 2\.25\.0"):
        find_cli()


def test_it_is_run_where_and_with_what_it_is_given(tmp_path: Path) -> None:
    play(tmp_path, f'[ "$1" = version ] && {GOOD} || echo "$@ $EXTRA $PWD"')
    result = Cli(tmp_path).run(["stack", "ls"], str(tmp_path), {"EXTRA": "more"})
    assert result.stdout == f"stack ls --non-interactive more {tmp_path}"


def test_a_failure_holds_what_it_said(tmp_path: Path) -> None:
    play(tmp_path, f'[ "$1" = version ] && {GOOD} || {{ echo "error: no" >&2; exit 255; }}')
    with pytest.raises(CommandError, match="error: no"):
        Cli(tmp_path).run(["up"], str(tmp_path), {})


def test_interrupted_it_ends_as_by_ctrl_c_and_runs_nothing_more(tmp_path: Path) -> None:
    play(tmp_path, WORKING)
    found = Cli(tmp_path)
    said: list[str] = []

    def on_output(line: str) -> None:
        threading.Thread(target=found.interrupt).start()

    with pytest.raises(CancelledError):
        found.run(["up"], str(tmp_path), {}, on_output, said.append)
    assert said == ["interrupted"]
    with pytest.raises(CancelledError):
        found.run(["up"], str(tmp_path), {})
