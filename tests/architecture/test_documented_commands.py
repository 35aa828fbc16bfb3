"""Commands in documents exist, with their options; those that need an account say so."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from automate import main
from ring.project import PROJECT_ROOT

DOCUMENTS = [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").rglob("*.md"))]
GENERATED = "cli.md"
_BLOCK = re.compile(r"^ *```console([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_NEEDS = re.compile(r'title="Needs [^"]+"')
_FILE = re.compile(r"[\w-]+\.(yaml|jsonl|json)")
ON_A_STACK_FILE_ALONE = {"validate", "local", "cost"}


class Shown(NamedTuple):
    """A command in a document; `is_marked`: the block says what it needs."""

    document: str
    text: str
    is_marked: bool


def commands() -> Iterator[Shown]:
    """Read the commands of all documents; a line that ends with a backslash continues."""
    for document in DOCUMENTS:
        for info, body in _BLOCK.findall(document.read_text()):
            text = re.sub(r"\\\n *", "", body)
            for line in re.findall(r"^ *\$ (.*)$", text, re.MULTILINE):
                yield Shown(document.name, line, bool(_NEEDS.search(info)))


SHOWN = list(dict.fromkeys(commands()))
AUTOMATE = [one for one in SHOWN if one.text.startswith("./automate.py")]


def parse(words: list[str]) -> None:
    """Parse a command line as `automate.py` does, and run nothing. UsageError if it is wrong."""
    command: click.Command = main
    while isinstance(command, click.Group):
        name, *words = words
        found = command.commands.get(name)
        if found is None:
            raise click.UsageError(f"There is no command {name}.")
        command = found
    # With the parent's settings: a command keeps the help option of its first context.
    parent = click.Context(main, **main.context_settings)
    command.make_context("automate.py", words, parent=parent)


@pytest.mark.parametrize("shown", AUTOMATE, ids=lambda shown: f"{shown.document}: {shown.text}")
def test_a_documented_command_and_its_options_exist(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(shown.text)[1:]
    for word in words:
        if _FILE.fullmatch(word):
            Path(word).touch()
    parse(words)


def test_a_wrong_command_is_noticed() -> None:
    for text in ("chek --stack dev", "check --stak dev", "fault outage --local URL"):
        with pytest.raises(click.UsageError):
            parse(text.split())


def test_a_documented_make_target_exists() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    for shown in SHOWN:
        for target in re.findall(r"^make ([\w-]+)", shown.text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), shown


def test_a_command_that_needs_an_account_says_so() -> None:
    unmarked = [one for one in SHOWN if not one.is_marked and one.document != GENERATED]
    assert len(unmarked) > 20
    for shown in unmarked:
        program, *words = shlex.split(shown.text)
        assert program in ("./automate.py", "make", ".venv/bin/python", "echo", "source"), shown
        if program == "./automate.py":
            assert "--local" in words or words[0] in ON_A_STACK_FILE_ALONE, shown
