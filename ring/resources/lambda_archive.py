"""Deployment archive of a function's code."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from pathlib import Path

import pulumi

from ring.project import PROJECT_ROOT


def lambda_archive(package: str, entry: str = "") -> pulumi.AssetArchive:
    """Archive a package, and the module `entry` with every project module that it imports.

    Source files only: Python's cache files would change the archive's hash.
    """
    files = {*(PROJECT_ROOT / package).rglob("*.py")}
    if entry:
        _add_imported(entry, files)
    names = sorted(file.relative_to(PROJECT_ROOT).as_posix() for file in files)
    return pulumi.AssetArchive({name: pulumi.FileAsset(PROJECT_ROOT / name) for name in names})


def _add_imported(module: str, files: set[Path]) -> None:
    """Add the files of a module, of its packages, and of all that it imports, once each."""
    for file in _files_of(module):
        if file not in files:
            files.add(file)
            for name in imports(file.read_text()):
                _add_imported(name, files)


def _files_of(module: str) -> Iterator[Path]:
    """Yield the files of this project that Python executes to import a module."""
    folder = PROJECT_ROOT
    for part in module.split("."):
        for file in (folder / f"{part}.py", folder / part / "__init__.py"):
            if file.is_file():
                yield file
        folder /= part


def imports(source: str) -> set[str]:
    """Return the modules and names that a program imports, except those only its types need.

    Imports inside functions count. A relative import is ".".
    """
    return set(_imported(_parse(source)))


def _parse(source: str) -> ast.AST:
    """Parse a program while no garbage is collected.

    Python 3.11 raises SystemError ("AST constructor recursion depth mismatch") if it collects a
    coroutine meanwhile, and a Pulumi program has many.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        if was_enabled:
            gc.enable()


def _imported(tree: ast.AST) -> Iterator[str]:
    match tree:
        case ast.Import(names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(str(module), names, 0):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.ImportFrom():
            yield "."
        case ast.If(ast.Name("TYPE_CHECKING"), _, otherwise):
            for statement in otherwise:
                yield from _imported(statement)
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from _imported(child)
