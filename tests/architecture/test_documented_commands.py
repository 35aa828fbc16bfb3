"""Commands in documents exist, with their options, and a test runs each or says why not.

What needs nothing but a clone is run by tests/integration/documents. A block that needs more says
so in its first line, and who tests it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import botocore.session
import click
import pytest

from ring.project import PROJECT_ROOT
from tests.support.command_lines import find_command, parse_command_line
from tests.support.documents import (
    GENERATED,
    Block,
    Command,
    all_blocks,
    blocks,
    documents,
    made_of_code,
)

PROGRAMS = {"./automate.py", "make", ".venv/bin/python", "echo", "cp"}
"""What a clone has, and every machine."""
LANGUAGES = {"console", "python", "yaml", "json", "text", "mermaid"}
PYTHON = {
    "docs/how-to/trial.md": "tests/engine/test_trial.py",
    "docs/tutorial/first-ring.md": "tests/integration/documents/test_local_blocks.py",
    "docs/reference/python-api.md": "tests/integration/operate/test_documentation.py",
}
"""Documents with Python in them, and the tests that run it."""
BLOCKS = [*all_blocks()]
CONSOLE = [block for block in BLOCKS if block.language == "console"]
_FILE = re.compile(r"[\w-]+\.(yaml|jsonl|json)")
_TARGETS = re.findall(r"^([\w-]+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE)


class Shown(NamedTuple):
    """A command in a document."""

    document: str
    text: str


def commands() -> Iterator[Shown]:
    for block in [*CONSOLE, *blocks(PROJECT_ROOT / GENERATED)]:
        for command in block.commands():
            yield Shown(block.document, command.text)


SHOWN = list(dict.fromkeys(commands()))
AUTOMATE = [one for one in SHOWN if one.text.startswith("./automate.py")]
INLINE = [
    Shown(document.relative_to(PROJECT_ROOT).as_posix(), code)
    for document in documents()
    for code in made_of_code(document)
]


@pytest.mark.parametrize("shown", AUTOMATE, ids=lambda shown: f"{shown.document}: {shown.text}")
def test_a_documented_command_and_its_options_exist(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(shown.text)[1:]
    for word in words:
        if _FILE.fullmatch(Path(word).name):
            Path(word).parent.mkdir(parents=True, exist_ok=True)
            Path(word).touch()
    parse_command_line(words)


def test_a_wrong_command_is_noticed() -> None:
    for text in ("chek --stack dev", "check --stak dev", "fault outage --local URL"):
        with pytest.raises(click.UsageError):
            parse_command_line(text.split())


def test_a_command_in_a_sentence_exists_with_its_options() -> None:
    named = [one for one in INLINE if re.match(r"(\./)?automate\.py ", one.text)]
    assert len(named) > 20
    for shown in named:
        command, rest = find_command(shlex.split(shown.text)[1:])
        options = {name for one in command.params for name in one.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= options, shown


def test_a_documented_make_target_exists() -> None:
    named = [
        target for one in [*SHOWN, *INLINE] for target in re.findall(r"^make ([\w-]+)", one.text)
    ]
    assert len(named) > 20
    assert {*named} <= {*_TARGETS}


def test_what_is_not_marked_needs_nothing_but_a_clone() -> None:
    unmarked = [block for block in CONSOLE if not block.needs]
    assert len(unmarked) > 20
    for block in unmarked:
        for command in block.commands():
            assert runs_in_a_clone(command), f"{block}: {command.text}"


def runs_in_a_clone(command: Command) -> bool:
    program, *words = shlex.split(command.text)
    alone = {"validate", "local", "cost"}  # these read a stack's file, and ask nobody
    ours = program != "./automate.py" or "--local" in words or words[0] in alone
    return program in PROGRAMS and ours


@pytest.mark.parametrize("block", [one for one in CONSOLE if one.needs], ids=str)
def test_a_block_that_needs_more_names_a_test_that_runs_its_commands(block: Block) -> None:
    code = ""
    for name in block.tests:
        assert (PROJECT_ROOT / name).is_file(), name
        code += (PROJECT_ROOT / name).read_text()
    for command in block.commands() if block.tests else ():
        program, verb, *_ = shlex.split(command.text)
        if program == "./automate.py" and block.document not in code:
            assert f'"{verb}"' in code, f"{block}: {command.text}"


def test_a_block_without_a_test_has_only_commands_of_others_that_exist() -> None:
    untested = [block for block in CONSOLE if block.needs and not block.tests]
    assert len(untested) < 5
    for block in untested:
        for command in block.commands():
            program, *words = shlex.split(command.text)
            assert program in ("aws", "pulumi", "rm"), f"{block}: {command.text}"
            if program == "aws":
                ensure_aws_has(*words)


def ensure_aws_has(service: str, operation: str, *words: str) -> None:
    """See that an API has an operation, and its input the options."""
    model = botocore.session.get_session().get_service_model(service)
    name = operation.replace("-", " ").title().replace(" ", "")
    inputs = model.operation_model(name).input_shape
    assert inputs is not None
    known = {re.sub(r"(?<!^)([A-Z])", r"-\1", one).lower() for one in inputs.members}
    ours = {word.removeprefix("--") for word in words if word.startswith("--")}
    assert ours - {"region", "query", "profile"} <= known


def test_each_block_says_what_it_is_written_in() -> None:
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES] == []


def test_all_python_is_run_by_a_test_of_its_document() -> None:
    assert {block.document for block in BLOCKS if block.language == "python"} == PYTHON.keys()
    for document, test in PYTHON.items():
        assert Path(document).name in (PROJECT_ROOT / test).read_text()
