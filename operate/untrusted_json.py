"""Parse JSON from untrusted sources, such as a bucket that others may write to."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_MAX_DEPTH = 100
"""Levels of nesting. A stream record has up to some 75: its items nest 32 levels, of 2 each."""
_MAX_DIGITS = 40
_MAX_REASON = 300


class MalformedJsonError(ValueError):
    """Invalid or unexpected JSON. The message is the reason, cut to a line or two."""

    def __init__(self, reason: str) -> None:
        is_short = len(reason) <= _MAX_REASON
        super().__init__(reason if is_short else f"{reason[: _MAX_REASON - 3]}...")


def read_json(text: str | bytes) -> Any:
    """Parse JSON that is safe to walk, to calculate with and to write as JSON and UTF-8 again.

    Its nesting is bounded, its numbers are finite and short, and it has no lone surrogates.

    Raises:
        MalformedJsonError: The text is not such JSON.
    """
    try:
        value = json.loads(text, parse_int=_int, parse_float=_float, parse_constant=_refuse)
        _check_depth(value)
        json.dumps(value, ensure_ascii=False).encode()
    except MalformedJsonError:
        raise
    except RecursionError as error:
        raise MalformedJsonError("it is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise MalformedJsonError("it contains half a character (a lone surrogate)") from error
    except ValueError as error:
        raise MalformedJsonError(f"it is not JSON: {error}") from error
    return value


def fields_of(document: Any, **kinds: type) -> list[Any]:
    """Return the fields of an object, each of a given type.

    Raises:
        MalformedJsonError: It is not an object, or a field is missing or of another type.
    """
    if not isinstance(document, dict):
        raise MalformedJsonError(f"it is {_kind(document)}, not an object with fields")
    for name, kind in kinds.items():
        if name not in document:
            raise MalformedJsonError(f"it has no `{name}`")
        if not isinstance(document[name], kind):
            found = _kind(document[name])
            raise MalformedJsonError(f"`{name}` is {found}, not {_KINDS[kind]}")
    return [document[name] for name in kinds]


_KINDS = {
    str: "text",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def _kind(value: Any) -> str:
    return _KINDS[type(value)]


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    if level:
        raise MalformedJsonError(f"it is nested more than {_MAX_DEPTH} levels deep")


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise MalformedJsonError(f"it contains a number of {len(digits)} digits")
    return int(digits)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise MalformedJsonError(f"it contains {text}, which is not a finite number")
