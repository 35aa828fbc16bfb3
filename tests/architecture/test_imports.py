"""Which part of the project may know which: the arrows between the rooms."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT

MAY_KNOW = {
    "handler": set[str](),
    "ring": set[str](),
    "local": {"handler", "ring"},
    "operate": {"handler", "ring"},
    "commands": {"handler", "ring", "local", "operate"},
}
ROOMS = [room for room in MAY_KNOW if (PROJECT_ROOT / room).is_dir()]


def sources(*places: str) -> list[Path]:
    """The source files in these folders, or these files."""
    found = [PROJECT_ROOT / place for place in places]
    return [
        file for place in found for file in (place.rglob("*.py") if place.is_dir() else [place])
    ]


def imported(source: str) -> set[str]:
    """The packages that a program imports, but for those that only its types need."""
    return {name.partition(".")[0] or "." for name in _names(ast.parse(source))}


def _names(tree: ast.AST) -> Iterator[str]:
    match tree:
        case ast.Import(names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module, _, level):
            yield "." if level or module is None else module
        case ast.If(ast.Name("TYPE_CHECKING"), _, otherwise):
            for statement in otherwise:
                yield from _names(statement)
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from _names(child)


def importers(packages: set[str], files: list[Path]) -> list[str]:
    """The files that import any of these packages."""
    return [
        str(file.relative_to(PROJECT_ROOT))
        for file in files
        if imported(file.read_text()) & packages
    ]


def test_imports_are_found_wherever_they_stand_unless_only_types_need_them() -> None:
    program = """
import a.b, c as d
from e.f import g
from . import sibling
if TYPE_CHECKING:
    from h import i
else:
    import j
def function():
    import k
"""
    assert imported(program) == {"a", "c", "e", ".", "j", "k"}


def test_the_handler_needs_nothing_that_lambda_does_not_bring() -> None:
    files = sources("handler")
    assert len(files) > 10
    brought = {*sys.stdlib_module_names, "boto3", "botocore", "handler"}
    assert set().union(*(imported(file.read_text()) for file in files)) <= brought


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_that_it_may_know(room: str) -> None:
    others = set(MAY_KNOW) - {room} - MAY_KNOW[room]
    assert importers(others, sources(room)) == []


def test_nothing_imports_the_command_line_the_pulumi_program_or_the_benchmarks() -> None:
    entries = {"automate", "__main__", "benchmarks"}
    assert importers(entries, sources(*ROOMS, "__main__.py", "automate.py")) == []


def test_no_room_imports_the_tests() -> None:
    assert importers({"tests"}, sources(*ROOMS, "__main__.py", "automate.py")) == []
