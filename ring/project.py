"""The project's root folder: Pulumi program, command line, and the source of the functions."""

import tomllib
from pathlib import Path

PROJECT_ROOT = Path(__file__).parents[1]


def version() -> str:
    """Return the project's version, which is in pyproject.toml alone."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
