"""The blocks of code in the project's documents, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from ring.project import PROJECT_ROOT

GENERATED = "docs/reference/cli.md"
_PLACES = ("*.md", "docs/**/*.md", "examples/**/*.md", "component/*.md")
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>[\w-]*)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"# (Needs [^.]+)\. (?:Tested by ([^\n]+)|Not tested: [^\n]+)\n")
_CODE = re.compile(r"\s+# exits with (\d)\b.*$")


@dataclass(frozen=True)
class Command:
    """A command, with the exit code that its comment announces."""

    text: str
    exit_code: int = 0


@dataclass(frozen=True)
class Block:
    """One fenced block; `file` is the name under which a reader saves it."""

    document: str
    line: int
    language: str
    file: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def needs(self) -> str | None:
        """What a reader has to have beside this repository, as the first line says."""
        mark = _MARK.match(self.text)
        return mark[1] if mark else None

    @property
    def tests(self) -> list[str]:
        """The tests that its mark names."""
        mark = _MARK.match(self.text)
        return re.findall(r"tests/[\w/]+\.py", mark[2] or "") if mark else []

    def commands(self) -> Iterator[Command]:
        """Yield what stands behind a prompt; a line that ends with a backslash goes on."""
        for line in re.findall(r"^\$ (.*)$", re.sub(r"\\\n *", "", self.text), re.MULTILINE):
            code = _CODE.search(line)
            yield Command(_CODE.sub("", line), int(code[1]) if code else 0)


@cache
def documents() -> tuple[Path, ...]:
    """Return all documents but the generated one, whose commands have tests of their own."""
    found = {path for place in _PLACES for path in PROJECT_ROOT.glob(place)}
    return tuple(sorted(found - {PROJECT_ROOT / GENERATED}))


@cache
def blocks(document: Path) -> tuple[Block, ...]:
    """Return the blocks of a document, in order."""
    return tuple(_read(document))


def all_blocks() -> Iterator[Block]:
    """Yield the blocks of all documents."""
    for document in documents():
        yield from blocks(document)


def _read(document: Path) -> Iterator[Block]:
    text = document.read_text()
    for found in _BLOCK.finditer(text):
        title = re.search(r'title="([^" ]+\.\w+)"', found["info"])
        yield Block(
            document.relative_to(PROJECT_ROOT).as_posix(),
            text.count("\n", 0, found.start()) + 1,
            found["language"],
            title[1] if title else None,
            dedent(found["text"]),
        )


def made_of_code(document: Path) -> list[str]:
    """Return what stands in backticks in the sentences of a document."""
    sentences = _BLOCK.sub("", document.read_text())
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", sentences)]
