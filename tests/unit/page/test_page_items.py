"""Items that are written from the page's form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

from page import items


def test_what_was_done_names_a_binary_key_as_the_table_of_writes_does() -> None:
    client = MagicMock()
    client.describe_table.return_value = {
        "Table": {
            "KeySchema": [{"AttributeName": "id"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "B"}],
        }
    }
    member = SimpleNamespace(name="a", credentials=(), region="a", table="orders")
    ring: Any = SimpleNamespace(
        deployed=lambda: SimpleNamespace(members=[member]),
        clients=lambda: SimpleNamespace(get=lambda *_, **__: client),
    )
    done = items.write(ring, "a", "put", '{"id": {"B": "YS0x"}}')
    assert done == "put id=YS0x at a"
    assert client.put_item.call_args.kwargs["Item"] == {"id": {"B": b"a-1"}}
