"""Which part of the project may import which, and that nothing runs in a circle."""

import sys
from pathlib import Path

import pytest

from ring.project import PROJECT_ROOT
from ring.resources.lambda_archive import imports
from tests.architecture.graph import ROOMS, arrows, between_folders, circle

MAY_IMPORT = {
    "handler": set[str](),
    "ring": set[str](),
    "component": {"ring"},
    "local": {"handler", "ring"},
    "operate": {"handler", "ring"},
    "page": {"handler", "ring", "local", "operate"},
    "commands": {"handler", "ring", "local", "operate", "page"},
}
MODULES_IN_A_FOLDER = 17


def sources(*places: str) -> list[Path]:
    """Return the source files in these folders, or these files."""
    found = [PROJECT_ROOT / place for place in places]
    return [
        file for place in found for file in (place.rglob("*.py") if place.is_dir() else [place])
    ]


def packages(file: Path) -> set[str]:
    """Return the packages that a file imports."""
    return {name.partition(".")[0] or "." for name in imports(file.read_text())}


def importers(wanted: set[str], files: list[Path]) -> list[str]:
    """Return the files that import any of these packages."""
    return [str(file.relative_to(PROJECT_ROOT)) for file in files if packages(file) & wanted]


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
    assert imports(program) == {"a.b", "c", "e.f", "e.f.g", ".", "j", "k"}


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert circle({"a": {"b"}, "b": {"c"}}) == []


def test_the_handler_needs_nothing_that_lambda_does_not_have() -> None:
    files = sources("handler")
    assert len(files) > 10
    present = {*sys.stdlib_module_names, "boto3", "botocore", "handler"}
    assert set().union(*map(packages, files)) <= present


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    others = set(MAY_IMPORT) - {room} - MAY_IMPORT[room]
    assert importers(others, sources(room)) == []


def test_nothing_imports_the_command_line_the_pulumi_program_or_the_benchmarks() -> None:
    entries = {"automate", "__main__", "benchmarks"}
    assert importers(entries, sources(*ROOMS, "__main__.py", "automate.py")) == []


def test_no_room_imports_the_tests() -> None:
    assert importers({"tests"}, sources(*ROOMS, "__main__.py", "automate.py")) == []


def test_no_module_imports_itself_through_others() -> None:
    assert circle(arrows()) == []


def test_no_folder_imports_itself_through_others() -> None:
    assert circle(between_folders()) == []


def test_a_folder_can_be_read_at_a_glance() -> None:
    folders = {file.parent for file in sources(*ROOMS)}
    crowded = {
        str(folder.relative_to(PROJECT_ROOT))
        for folder in folders
        if len([file for file in folder.glob("*.py") if file.stem != "__init__"])
        > MODULES_IN_A_FOLDER
    }
    assert crowded == set()
