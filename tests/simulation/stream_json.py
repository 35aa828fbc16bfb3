"""Items as a stream's records have them."""

from typing import Any

from handler.model.attribute_values import encode_binary
from handler.model.image import Item


def as_json(item: Item) -> dict[str, Any]:
    """The item as it is in a record's JSON: its binary attributes are base64 text."""
    return {
        name: {"B": encode_binary(value["B"])} if "B" in value else value
        for name, value in item.items()
    }
