"""From a value in a data file, plain JSON or DynamoDB JSON, to one that boto3 takes. Pure.

What DynamoDB allows of a value:
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
# Decimal takes more: `1_000`, blanks around it, other scripts' digits. What DynamoDB takes, as
# captured from it: https://github.com/nubo-db/dynoxide/issues/109 and .../pull/113
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class BadItemError(ValueError):
    """Something is not an item that the table can take. Says why."""


def from_plain(value: Any, place: str) -> Value:
    """Give a plain JSON value its DynamoDB type. `place` is where it stands in the item.

    Raises `BadItemError`.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case list():
            return {"L": [from_plain(part, f"{place}[{at}]") for at, part in enumerate(value)]}
        case dict():
            fields = value.items()
            return {"M": {name: from_plain(part, f"{place}.{name}") for name, part in fields}}
    return {"N": _number(value, place)}


def from_dynamodb_json(value: Any, place: str) -> Value:
    """Check a value in DynamoDB JSON, and decode what is base64 in it. Raises `BadItemError`."""
    if not isinstance(value, dict) or len(value) != 1 or not _KINDS.issuperset(value):
        raise BadItemError(
            f'{place}: {_shown(value)} is no value in DynamoDB JSON, as {{"S": "x"}}'
        )
    ((kind, content),) = value.items()
    match kind, content:
        case ("S", str()) | ("BOOL", bool()) | ("NULL", True):
            return {kind: content}
        case "N", str():
            return {"N": _number(content, place)}
        case "B", str():
            return {"B": _binary(content, place)}
        case (("SS" | "NS" | "BS"), list()):
            return {kind: _set(kind[0], content, place)}
        case "L", list():
            parts = enumerate(content)
            return {"L": [from_dynamodb_json(part, f"{place}[{at}]") for at, part in parts]}
        case "M", dict():
            fields = content.items()
            return {
                "M": {name: from_dynamodb_json(part, f"{place}.{name}") for name, part in fields}
            }
    raise BadItemError(f"{place}: {_shown(content)} is no value of type {kind}")


def _set(kind: str, members: list[Any], place: str) -> list[Any]:
    decoded = [from_dynamodb_json({kind: member}, place)[kind] for member in members]
    if not decoded:
        raise BadItemError(f"{place}: a set cannot be empty")
    distinct = {Decimal(member) for member in decoded} if kind == "N" else set(decoded)
    if len(distinct) < len(decoded):
        raise BadItemError(f"{place}: a member of the set is in it twice")
    return decoded


def _number(written: str | Decimal, place: str) -> str:
    """Return a number as text with all its digits, if DynamoDB would keep it so."""
    if isinstance(written, str) and not _NUMBER.fullmatch(written):
        raise BadItemError(f"{place}: {_shown(written)} is no number that DynamoDB knows")
    try:
        number = Decimal(written)
    except InvalidOperation:  # its exponent has more digits than Python counts with
        raise BadItemError(f"{place}: {_shown(written)} is out of {_RANGE}") from None
    shown = _shown(number)
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    if digits > _DIGITS:
        raise BadItemError(f"{place}: {shown} has {digits} digits, and DynamoDB keeps {_DIGITS}")
    if number and not _SMALLEST <= number.adjusted() <= _LARGEST:
        raise BadItemError(f"{place}: {shown} is out of {_RANGE}")
    return str(written)


def _binary(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own, or for text that is not even ASCII
        raise BadItemError(f"{place}: {_shown(text)} is not base64: {error}") from None


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
