"""DynamoDB attribute values: from and to JSON, and in a canonical form.

A value stays in the form of DynamoDB's API, ``{"N": "9.50"}``. In JSON its binary is base64 text,
in Python it is bytes, as the SDK takes it.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

Value = Mapping[str, Any]

# The Python types of JSON's values for these DynamoDB types. The other types need conversion.
_PLAIN: Mapping[str, type] = {"S": str, "N": str, "BOOL": bool, "NULL": bool}

_CANONICAL_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def encode_binary(value: object) -> str:
    """Encode binary as base64 text. Made for the `default` of `json.dumps`."""
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r} is not a DynamoDB value")
    return base64.b64encode(value).decode("ascii")


def decode_binary(text: Any) -> bytes:
    """Decode base64 text. Raises TypeError or ValueError."""
    if not isinstance(text, str):
        raise TypeError(f"a binary value cannot be a {type(text).__name__}")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"binary value is not base64: {error}") from error


def from_json(value: Value) -> Value:
    """Check a value that was read from JSON, and decode its binary at any depth.

    The SDK encodes bytes again: base64 text that is passed on as it stands would arrive encoded
    twice. Raises ValueError, TypeError or AttributeError for a malformed value.
    """
    ((kind, content),) = value.items()
    if isinstance(content, _PLAIN.get(kind, ())):
        return value
    match kind:
        case "B":
            return {kind: decode_binary(content)}
        case "M":
            return {kind: {name: from_json(member) for name, member in content.items()}}
        case "L":
            return {kind: [from_json(member) for member in _list(content)]}
        case "BS":
            return {kind: [decode_binary(member) for member in _list(content)]}
        case "SS" | "NS" if all(isinstance(member, str) for member in _list(content)):
            return value
    raise ValueError(f"a value of the type {kind!r} cannot be a {type(content).__name__}")


def canonical_text(attributes: Mapping[str, Value]) -> str:
    """JSON text of an item or a key: the same text for equal ones, and for no others.

    Maps and sets have no order of their own; here they are sorted, at any depth.
    """
    canonical = {name: _canonical(value) for name, value in attributes.items()}
    return _CANONICAL_ENCODER.encode(canonical)


def _canonical(value: Value) -> Value:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: encode_binary(content)}
        case "BS":
            return {kind: sorted(map(encode_binary, content))}
        case "M":
            return {kind: {name: _canonical(member) for name, member in content.items()}}
        case "L":
            return {kind: [_canonical(member) for member in content]}
        case "SS" | "NS":
            return {kind: sorted(content)}
        case _:
            return value


def _list(content: Any) -> list[Any]:
    """Check that the content is a list: a text would pass for one, letter by letter."""
    if not isinstance(content, list):
        raise TypeError(f"a list or set cannot be a {type(content).__name__}")
    return content
