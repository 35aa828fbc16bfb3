"""One line of JSON a thing worth knowing; Lambda sends what is printed to the log group."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def log(line: Mapping[str, Any]) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps(line, default=_text) + "\n")
    sys.stdout.flush()


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


def format_error(error: Exception) -> str:
    """An error as a log line tells it."""
    return f"{type(error).__name__}: {error}"
