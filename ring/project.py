"""The project's root folder: Pulumi program, command line, and the source of the functions."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).parents[1]
