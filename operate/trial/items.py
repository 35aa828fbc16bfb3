"""Items that a trial writes, and their comparison. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from handler.model.attribute_values import canonical_text
from operate.trial.plan import PARTITION_KEY, SORT_KEY

Item = dict[str, Any]
_OTHERS = 200
"""Bytes of a large item besides its text: names, keys and the number."""


def key_of(group: str, name: str) -> Item:
    """Return a key."""
    return {PARTITION_KEY: {"S": group}, SORT_KEY: {"S": name}}


def small_item(group: str, name: str, number: int, writer: str) -> Item:
    """Return an item of some 150 bytes, which says who wrote it."""
    return {
        **key_of(group, name),
        "number": {"N": str(number)},
        "writer": {"S": writer},
        "flag": {"BOOL": number % 2 == 0},
    }


def typed_item(group: str, name: str, number: int, writer: str) -> Item:
    """Return an item with every type of attribute, at its limits and nested."""
    return {
        **small_item(group, name, number, writer),
        "text": {"S": "naïve 雪 \U0001f98a \u0000 end"},
        "empty text": {"S": ""},
        "digits": {"N": "1234567890.1234567890123456789012345678"},
        "least": {"N": "-9.9999999999999999999999999999999999999E+125"},
        "small": {"N": "1E-130"},
        "bytes": {"B": bytes(range(256))},
        "empty bytes": {"B": b""},
        "null": {"NULL": True},
        "false": {"BOOL": False},
        "texts": {"SS": ["b", "a", "ä"]},
        "numbers": {"NS": ["3", "-1.5", str(number)]},
        "blobs": {"BS": [b"\x00", b"\xff\xfe"]},
        "list": {"L": [{"N": "1"}, {"S": "1"}, {"L": []}, {"NULL": True}]},
        "map": {"M": {"a.b": {"M": {}}, "c": {"BS": [b"x"]}}},
        "deep": _nested(20),
    }


def sized_item(group: str, name: str, kilobytes: int, writer: str) -> Item:
    """Return an item of so many KB (1,024 bytes)."""
    item = small_item(group, name, kilobytes, writer)
    return {**item, "large": {"S": "x" * (kilobytes * 1_024 - _OTHERS)}}


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"N": "1"}
    for level in range(levels):
        value = {"M": {"inner": value}} if level % 2 else {"L": [value, {"S": str(level)}]}
    return value


def text_of(item: Mapping[str, Any]) -> str:
    """Return a text that is the same for equal items alone, whatever form numbers have."""
    return canonical_text({name: _plain(value) for name, value in item.items()})


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return {kind: _number(content)}
        case "NS":
            return {kind: [_number(member) for member in content]}
        case "L":
            return {kind: [_plain(member) for member in content]}
        case "M":
            return {kind: {name: _plain(member) for name, member in content.items()}}
    return {kind: content}


def _number(text: str) -> str:
    sign, digits, exponent = Decimal(text).as_tuple()
    stripped = "".join(map(str, digits)).rstrip("0")
    if not stripped:
        return "0"
    return f"{'-' if sign else ''}{stripped}E{int(exponent) + len(digits) - len(stripped)}"
