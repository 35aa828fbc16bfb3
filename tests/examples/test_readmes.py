"""The READMEs of the examples: complete, and with commands that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from tests.support.command_lines import parse_command_line

EXAMPLES = PROJECT_ROOT / "examples"
FOLDERS = sorted(file.parent.name for file in EXAMPLES.glob("*/README.md"))
LINES = [
    (folder, line)
    for folder in FOLDERS
    for line in re.findall(
        r"^\$ (\./automate\.py .+)$", (EXAMPLES / folder / "README.md").read_text(), re.M
    )
]


def test_the_index_has_every_example_and_each_example_a_readme() -> None:
    linked = re.findall(r"\]\((\w+)/README\.md\)", (EXAMPLES / "README.md").read_text())
    assert sorted(linked) == FOLDERS
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == FOLDERS


@pytest.mark.parametrize(("folder", "line"), LINES)
def test_a_command_is_one_that_the_command_line_takes(
    folder: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT_ROOT)
    arguments = shlex.split(line)[1:]
    parse_command_line(arguments)
    if "--stack" in arguments:
        stack = arguments[arguments.index("--stack") + 1]
        assert (EXAMPLES / folder / f"Pulumi.{stack}.yaml").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_link_leads_to_a_file(folder: str) -> None:
    readme = EXAMPLES / folder / "README.md"
    for target in re.findall(r"\]\(([^)#]+)", readme.read_text()):
        assert (readme.parent / Path(target)).resolve().is_file(), target
