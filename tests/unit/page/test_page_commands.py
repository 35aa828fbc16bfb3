"""The commands that the page may run."""

from __future__ import annotations

import pytest

from page.commands import COMMANDS, BadCommandError, CommandRunner
from tests.support.command_lines import parse_command_line

ARGUMENTS = {
    "hop": "us-east-1",
    "member": "us-east-1",
    "id": "quarantine/1.json",
    "share": "0.5",
    "seconds": "2",
    "duration": "30s",
}
RUNNER = CommandRunner(["--local", "http://127.0.0.1:8000"])


LINES = [
    *((name, False) for name in COMMANDS),
    *((name, True) for name, command in COMMANDS.items() if command.preview),
]


@pytest.mark.parametrize(("name", "preview"), LINES)
def test_each_command_line_is_one_of_automate(name: str, preview: bool) -> None:
    context = parse_command_line(RUNNER.line(name, ARGUMENTS, preview=preview))
    assert context.params["endpoint"] == "http://127.0.0.1:8000"


def test_an_argument_is_never_taken_for_an_option() -> None:
    context = parse_command_line(RUNNER.line("redrive", {"id": "--all"}))
    assert context.params["ids"] == ("--all",)
    assert context.params["everything"] is False


def test_an_unknown_command_and_a_missing_argument_are_rejected() -> None:
    with pytest.raises(BadCommandError, match="destroy"):
        RUNNER.line("destroy", {})
    with pytest.raises(BadCommandError, match="'hop'"):
        RUNNER.line("crash", {"duration": "1s"})
    with pytest.raises(BadCommandError, match="preview"):
        RUNNER.line("crash", ARGUMENTS, preview=True)


def test_braces_in_an_argument_stay_as_they_are() -> None:
    assert RUNNER.line("crash", {"hop": "{id}", "duration": "1s"})[-1] == "{id}"
