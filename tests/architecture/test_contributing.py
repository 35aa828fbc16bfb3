"""CONTRIBUTING.md names files and identifiers that exist."""

import re

from ring.project import PROJECT_ROOT
from tests.architecture.graph import ROOMS

TEXT = (PROJECT_ROOT / "CONTRIBUTING.md").read_text()
_NAMES = re.findall(r"`([^`\s]+)`", TEXT)
_FILE = re.compile(r"[\w./-]+\.(?:py|md|yaml)|[\w./-]+/")
_IDENTIFIER = re.compile(r"_?[A-Za-z]+(?:_[A-Za-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+")


def test_each_file_and_folder_exists() -> None:
    files = {name for name in _NAMES if _FILE.fullmatch(name) and "NAME" not in name}
    assert len(files) > 40
    rooms = [PROJECT_ROOT / room for room in (*ROOMS, "tests", "docs")]
    found = [*PROJECT_ROOT.iterdir(), *(path for room in rooms for path in room.rglob("*"))]
    paths = [f"/{path.relative_to(PROJECT_ROOT)}" for path in found]
    ends = {name: f"/{name.rstrip('/')}" for name in files}
    assert {name for name, end in ends.items() if not any(p.endswith(end) for p in paths)} == set()


def test_each_identifier_is_in_the_code() -> None:
    names = {name for name in _NAMES if _IDENTIFIER.fullmatch(name)}
    assert len(names) > 8
    code = "".join(
        file.read_text() for room in ROOMS for file in (PROJECT_ROOT / room).rglob("*.py")
    )
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()
