"""JSON that anybody may have put where it is read: into a bucket, for example."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

_DEEPEST = 100
"""Levels of nesting: a record of a stream has some 75, of which its items take 2 for each of 32."""
_DIGITS = 40
_TOLD = 300


class MalformedJsonError(ValueError):
    """It is not what it should be. Its text says why, cut to a length that fits a line or two."""

    def __init__(self, why: str) -> None:
        super().__init__(why if len(why) <= _TOLD else f"{why[: _TOLD - 3]}...")


def read_json(text: str | bytes) -> Any:
    """Read JSON that is no trap for whoever reads on. Raises `MalformedJsonError`.

    Whatever is returned can be gone through, counted with, and written as JSON or UTF-8 again: it
    is not nested deeply, its numbers are finite and have a few digits, its characters are whole.
    """
    try:
        value = json.loads(text, parse_int=_int, parse_float=_float, parse_constant=_refuse)
        _expect_shallow(value)
        json.dumps(value, ensure_ascii=False).encode()
    except MalformedJsonError:
        raise
    except RecursionError as error:
        raise MalformedJsonError("it is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise MalformedJsonError("it has half a character (a lone surrogate)") from error
    except ValueError as error:
        raise MalformedJsonError(f"it is no JSON: {error}") from error
    return value


def fields_of(document: Any, **kinds: type) -> list[Any]:
    """The fields of an object, each of a type. Raises `MalformedJsonError`."""
    if not isinstance(document, dict):
        raise MalformedJsonError(f"it is {_kind(document)} where an object with fields belongs")
    for name, kind in kinds.items():
        if name not in document:
            raise MalformedJsonError(f"it has no `{name}`")
        if not isinstance(document[name], kind):
            found = _kind(document[name])
            raise MalformedJsonError(f"`{name}` is {found} where {_KINDS[kind]} belongs")
    return [document[name] for name in kinds]


_KINDS = {
    str: "text",
    bool: "a truth",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}


def _kind(value: Any) -> str:
    return _KINDS[type(value)]


def _expect_shallow(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [part for one in level for part in _parts(one)]
    if level:
        raise MalformedJsonError(f"it is nested more than {_DEEPEST} levels deep")


def _parts(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise MalformedJsonError(f"it has a number of {len(digits)} digits")
    return int(digits)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise MalformedJsonError(f"it has a number that is none: {text}")
