"""Format two items side by side, attribute by attribute."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from handler.model.attribute_values import encode_binary
from ring.text import escape_unprintable

Value = Mapping[str, Any]

_GAP = "  "
_DIFFERS, _EQUAL = "≠ ", "  "
_NAMES_SHARE = 4
"""The column of the names has at most this part of the width: one fourth."""
_MAX_TEXT = 300
"""Characters of a value; --json has all of it."""


def format_value(value: Value | None) -> str:
    """Format an attribute's value; what is not there is a dash."""
    if value is None:
        return "-"
    ((kind, content),) = value.items()
    text = escape_unprintable(_format(kind, content))
    if len(text) <= _MAX_TEXT:
        return text
    # With the digest, two values that differ beyond the cut differ in a table, too.
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{text[:_MAX_TEXT]}... ({len(text):,} characters; digest {digest})"


def _format(kind: str, content: Any) -> str:
    match kind:
        case "S" | "B":
            return f'"{content}"' if kind == "S" else f"binary {encode_binary(content)}"
        case "BOOL" | "NULL":
            return "null" if kind == "NULL" else str(content).lower()
        case "SS" | "NS" | "BS":
            return f"set of {', '.join(sorted(_format(kind[0], member) for member in content))}"
        case "L":
            return f"[{', '.join(_format(*_pair(member)) for member in content)}]"
        case "M":
            parts = (f"{name}: {_format(*_pair(content[name]))}" for name in sorted(content))
            return f"{{{', '.join(parts)}}}"
        case _:
            return str(content)


def _pair(value: Value) -> tuple[str, Any]:
    ((kind, content),) = value.items()
    return kind, content


def side_by_side(
    headings: tuple[str, str], rows: Sequence[tuple[str, str, str]], width: int
) -> Iterator[str]:
    """Yield the lines of a table of attributes that fits the width: its name and both values.

    A value that is too long for its column goes on in the next line. Where both differ, the line
    begins with a sign.
    """
    names = min(max((len(name) for name, _, _ in rows), default=0), max(8, width // _NAMES_SHARE))
    column = max(8, (width - len(_EQUAL) - names - 2 * len(_GAP)) // 2)
    yield from _lines(_EQUAL, ("", *headings), (names, column, column))
    yield _EQUAL + _GAP.join("-" * each for each in (names, column, column))
    for name, left, right in rows:
        sign = _EQUAL if left == right else _DIFFERS
        yield from _lines(sign, (name, left, right), (names, column, column))


def _lines(sign: str, cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [
        textwrap.wrap(cell, width, break_on_hyphens=False, drop_whitespace=False) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    for parts in zip_longest(*wrapped, fillvalue=""):
        padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
        yield f"{sign}{_GAP.join(padded)}".rstrip()
        sign = _EQUAL
