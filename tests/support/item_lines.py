"""Lines of a file of items, and the keys of its table."""

from __future__ import annotations

import json
from typing import Any

from local.data.items import Schema

SCHEMA = Schema(("customer", "order"), {"customer": "S", "order": "N", "status": "S"})
KEY = {"customer": {"S": "ada"}, "order": {"N": "1"}}
DIGITS = "1234567890.1234567890123456789012345678"  # 38 of them


def plain(**more: Any) -> bytes:
    return json.dumps({"customer": "ada", "order": 1, **more}).encode()


def dynamodb_json(**more: Any) -> bytes:
    return json.dumps({**KEY, **more}).encode()
