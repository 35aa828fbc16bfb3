"""Help texts: nothing is cut, whatever the width of the terminal."""

import itertools
import re

import click
import pytest
from click.testing import CliRunner

from automate import main
from docs.generate import all_commands

COMMANDS = dict(all_commands(main))
SINGLE = [name for name, command in COMMANDS.items() if not isinstance(command, click.Group)]
HELP = {"automate.py": ["--help"]} | {name: [*name.split(), "--help"] for name in COMMANDS}


def text(name: str, width: int) -> str:
    """Return a help text as a terminal of this width shows it."""
    return CliRunner().invoke(main, HELP[name], terminal_width=width).output


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", HELP)
def test_no_line_of_a_help_text_is_cut_or_too_long(name: str, width: int) -> None:
    _usage, *lines = text(name, width).splitlines()
    assert len(lines) > 5
    assert [line for line in lines if len(line) > width or line.endswith("...")] == []


@pytest.mark.parametrize("width", [80, 78, 60])
@pytest.mark.parametrize("name", HELP)
def test_no_line_of_a_help_text_is_broken_at_a_hyphen(name: str, width: int) -> None:
    assert [line for line in text(name, width).splitlines() if line.endswith("-")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_text_ends_with_examples_of_the_command(name: str) -> None:
    _, found, examples = text(name, 80).partition("\n  Examples:\n")
    assert found
    lines = ["", *examples.splitlines()]
    for before, line in itertools.pairwise(lines):
        assert line.startswith(f"    automate.py {name}") or before.endswith(" \\")


@pytest.mark.parametrize("name", SINGLE)
def test_an_option_says_what_its_value_is_instead_of_its_type(name: str) -> None:
    context = click.Context(COMMANDS[name])
    options = [param for param in COMMANDS[name].params if isinstance(param, click.Option)]
    shown = {option.opts[-1]: option.make_metavar(context) for option in options}
    types = re.compile(r"FLOAT|INTEGER|TEXT|FILENAME|PATH")
    assert {option: value for option, value in shown.items() if types.search(value)} == {}


@pytest.mark.parametrize("name", SINGLE)
def test_a_commands_own_options_come_before_those_that_select_a_ring(name: str) -> None:
    own, _, ring = text(name, 80).partition("\nRing:\n")
    assert "  -h, --help" in own
    assert "  --stack" in (ring or own) or "  --local" in ring
