"""Format quarantined entries for a list."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from operate.quarantine.bucket import NOT_UNDERSTOOD

Summary = Mapping[str, Any]
"""An entry as `operate.quarantine.bucket.Entry.summary` returns it."""

_WIDTH = 400
"""Characters of a cell."""
_AGES = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "h"), (120, 60, "min"), (0, 1, "s"))
"""Units of ages: least seconds, seconds per unit, name."""


def format_row(summary: Summary) -> Sequence[object]:
    """Return an entry's row: ID, hop, key, reason, age."""
    why = summary["reason"]
    if why == NOT_UNDERSTOOD:
        why = f"{why}: {summary['error']}"
    name, *rest = (*format_names(summary), why)
    return (name, *map(_cut, rest), _age(summary))


def format_names(summary: Summary) -> tuple[str, str, str]:
    """Return an entry's ID, hop and key, formatted."""
    first, *more = summary["keys"] or [None]
    key = "no key" if first is None else _key(first)
    return summary["id"], summary["hop"], f"{key} and {len(more)} more" if more else key


def _cut(text: str) -> str:
    """Cut a text to the width of a table's cell; --show prints all of it."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _key(key: Any) -> str:
    """Format a key. A record may hold anything in its place."""
    if not isinstance(key, dict) or not all(isinstance(value, dict) for value in key.values()):
        return json.dumps(key)
    values = {name: json.dumps(next(iter(value.values()), None)) for name, value in key.items()}
    return " ".join(f"{name}={value}" for name, value in values.items())


def _age(summary: Summary) -> str:
    """Format the time since it was quarantined."""
    if summary["quarantined_at"] is None:
        return ""
    seconds = max(0.0, time.time() - summary["quarantined_at"])
    size, unit = next((size, unit) for least, size, unit in _AGES if seconds >= least)
    return f"{seconds / size:.0f} {unit}"
