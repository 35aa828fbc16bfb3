"""Convert values of a data file, in plain JSON or DynamoDB JSON, to boto3's format. Pure.

DynamoDB's rules for values:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import base64
import re
from decimal import Decimal, InvalidOperation
from typing import Any

Value = dict[str, Any]
"""A value as boto3's low-level client takes it: {"S": "text"}, binary as bytes."""

_KINDS = frozenset({"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"})
_DIGITS = 38
_SMALLEST, _LARGEST = -130, 125
_RANGE = "DynamoDB's range, 1E-130 to 9.9E+125"
# Decimal accepts more: `1_000`, surrounding blanks, digits of other scripts. DynamoDB's syntax as
# observed: https://github.com/nubo-db/dynoxide/issues/109 and .../pull/113
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class BadItemError(ValueError):
    """A line is not a valid item of the table. Says why."""


def from_plain(value: Any, path: str) -> Value:
    """Convert a plain JSON value; `path` is its path in the item. Raises `BadItemError`."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case list():
            return {"L": [from_plain(part, f"{path}[{index}]") for index, part in enumerate(value)]}
        case dict():
            fields = value.items()
            return {"M": {name: from_plain(part, f"{path}.{name}") for name, part in fields}}
    return {"N": _number(value, path)}


def from_dynamodb_json(value: Any, path: str) -> Value:
    """Validate a value in DynamoDB JSON and decode its base64 parts. Raises `BadItemError`."""
    if not isinstance(value, dict) or len(value) != 1 or not _KINDS.issuperset(value):
        raise BadItemError(
            f'{path}: {_shown(value)} is not a value in DynamoDB JSON such as {{"S": "x"}}'
        )
    ((kind, content),) = value.items()
    match kind, content:
        case ("S", str()) | ("BOOL", bool()) | ("NULL", True):
            return {kind: content}
        case "N", str():
            return {"N": _number(content, path)}
        case "B", str():
            return {"B": _binary(content, path)}
        case (("SS" | "NS" | "BS"), list()):
            return {kind: _set(kind[0], content, path)}
        case "L", list():
            parts = enumerate(content)
            return {"L": [from_dynamodb_json(part, f"{path}[{index}]") for index, part in parts]}
        case "M", dict():
            fields = content.items()
            return {
                "M": {name: from_dynamodb_json(part, f"{path}.{name}") for name, part in fields}
            }
    raise BadItemError(f"{path}: {_shown(content)} is not a value of type {kind}")


def _set(kind: str, members: list[Any], path: str) -> list[Any]:
    decoded = [from_dynamodb_json({kind: member}, path)[kind] for member in members]
    if not decoded:
        raise BadItemError(f"{path}: a set cannot be empty")
    distinct = {Decimal(member) for member in decoded} if kind == "N" else set(decoded)
    if len(distinct) < len(decoded):
        raise BadItemError(f"{path}: the set has a duplicate element")
    return decoded


def _number(written: str | Decimal, path: str) -> str:
    """Return a number as text with all its digits, if DynamoDB can store it."""
    if isinstance(written, str) and not _NUMBER.fullmatch(written):
        raise BadItemError(f"{path}: {_shown(written)} is not a number in DynamoDB")
    text = str(written)
    if len(text) <= _DIGITS and text.isascii() and text.isdigit():
        return text  # a whole number, as most are, with no more digits than fit
    try:
        number = Decimal(written)
    except InvalidOperation:  # the exponent has too many digits for Decimal
        raise BadItemError(f"{path}: {_shown(written)} is out of {_RANGE}") from None
    shown = _shown(number)
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    if digits > _DIGITS:
        raise BadItemError(f"{path}: {shown} has {digits} digits; DynamoDB's limit is {_DIGITS}")
    if number and not _SMALLEST <= number.adjusted() <= _LARGEST:
        raise BadItemError(f"{path}: {shown} is out of {_RANGE}")
    return text


def _binary(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # of binascii, or for text that is not ASCII
        raise BadItemError(f"{path}: {_shown(text)} is not base64: {error}") from None


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
