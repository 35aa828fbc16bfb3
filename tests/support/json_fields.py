"""Fields of the documents that commands print, and those that docs/reference/json.md describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ring.project import PROJECT_ROOT

_PAGE = PROJECT_ROOT / "docs" / "reference" / "json.md"
_LISTS = ("rings", "entries", "conflicts", "faults")
"""The page names the fields of their objects without the list."""


def sections() -> dict[str, str]:
    """Return the page's sections by heading."""
    _, *parts = _PAGE.read_text().split("\n## ")
    return {part.partition("\n")[0]: part for part in parts}


def described(section: str) -> set[str]:
    """Return the fields in the first column of a section's table."""
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def examples(section: str) -> list[Any]:
    """Return the documents that a section shows."""
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]


def fields(document: Any, known: set[str], path: str = "") -> Iterator[str]:
    """Yield the fields of a document as the page names them; `known` are those that it describes.

    Of an object of which it describes no part, only the name.
    """
    if isinstance(document, list):
        for one in document:
            yield from fields(one, known, "" if path in _LISTS else f"{path}[]")
    elif isinstance(document, Mapping):
        for key, value in document.items():
            inside = f"{path}." if path else ""
            name = f"{inside}*" if f"{inside}*" in known else f"{inside}{key}"
            has_parts = name in _LISTS or any(
                one.startswith((f"{name}.", f"{name}[]")) for one in known
            )
            if name in known or not has_parts:
                yield name
            if has_parts:
                yield from fields(value, known, name)
