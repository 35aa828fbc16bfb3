"""Files and functions are short enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ring.project import PROJECT_ROOT
from tests.architecture.graph import ROOMS

LINES_OF_A_FILE = 320
LINES_OF_A_FUNCTION = 60
LONG_FILES = {
    "tests/mutation/mutants.py": "a list",
    "tests/support/invalid_settings.py": "a list",
}


def python_files() -> Iterator[Path]:
    """Yield the project's own Python files."""
    for folder in (*ROOMS, "tests", "benchmarks"):
        yield from (PROJECT_ROOT / folder).rglob("*.py")


def functions(program: str) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of lines of each function.

    Its decorators do not count: a command's options are a list.
    """
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_a_functions_lines_are_counted_without_its_decorators() -> None:
    assert list(functions("class A:\n    @b\n    def c():\n        return 1\n")) == [("c", 2)]


def test_a_file_is_short() -> None:
    found = {
        str(file.relative_to(PROJECT_ROOT))
        for file in python_files()
        if len(file.read_text().splitlines()) > LINES_OF_A_FILE
    }
    assert found == set(LONG_FILES)


def test_a_function_is_short() -> None:
    found = {
        f"{file.relative_to(PROJECT_ROOT)}: {name} has {lines} lines"
        for file in python_files()
        for name, lines in functions(file.read_text())
        if lines > LINES_OF_A_FUNCTION
    }
    assert found == set()
