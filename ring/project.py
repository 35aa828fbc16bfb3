"""The project's folder, in which the program, the command line and what Lambda gets are found."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).parents[1]
