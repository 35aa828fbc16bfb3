"""Who imports whom in the project, read from its source."""

from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ring.project import PROJECT_ROOT
from ring.resources.lambda_archive import imports

ROOMS = ("handler", "ring", "component", "operate", "local", "page", "commands")


def modules() -> dict[str, Path]:
    """Return the source files of all rooms by the names they are imported by."""
    files = (file for room in ROOMS for file in (PROJECT_ROOT / room).rglob("*.py"))
    return {_module(file): file for file in files}


def _module(file: Path) -> str:
    parts = file.relative_to(PROJECT_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def arrows() -> Mapping[str, set[str]]:
    """Return for each module the modules of the rooms that it imports."""
    known = modules()
    return {
        name: {target for target in imports(file.read_text()) if target in known} - {name}
        for name, file in known.items()
    }


def between_folders() -> dict[str, set[str]]:
    """Return the arrows between folders, and modules beside them; a room's own file is neither."""
    found: dict[str, set[str]] = {}
    for source, targets in arrows().items():
        for target in targets:
            start, end = _folder(source), _folder(target)
            if start != end and "." in end:
                found.setdefault(start, set()).add(end)
    return found


def _folder(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return a circle in a graph, from a node to itself again; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []
