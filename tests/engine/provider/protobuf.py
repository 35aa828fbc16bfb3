"""Convert properties between the engine's messages and dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc


def decoded(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the properties in a message, with whole numbers as ints.

    Unknown values are `rpc.UNKNOWN`, archives are maps as in the message.
    """
    return {name: _whole(value) for name, value in json_format.MessageToDict(struct).items()}


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(part) for name, part in value.items()}
        case list():
            return [_whole(part) for part in value]
    return value


def encoded(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return properties as a message."""
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


def archives(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties with archives as objects of Pulumi's SDK."""
    return {
        name: rpc.deserialize_property(encoded(value)) if _is_archive(value) else value
        for name, value in properties.items()
    }


def _is_archive(value: Any) -> bool:
    return isinstance(value, dict) and value.get(rpc._special_sig_key) == rpc._special_archive_sig
