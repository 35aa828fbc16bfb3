"""Environments and demands of functions that are deployed, frozen: what must go on working.

A deployment changes a function's environment first and its code after: each version's code has to
run with the environment of the version before it and of the one after it. ``environments.json``
holds what `ring/resources/function_environment.py` declared, and ``DEMANDS`` what
`handler/config.py` asked for, at commit 4121e00, the last before this contract was written. Neither
is changed with the code: a new version is added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Environments = Mapping[str, Sequence[Mapping[str, str]]]

ENVIRONMENTS: Environments = json.loads((Path(__file__).parent / "environments.json").read_text())
"""Environments of a ring's hops, in ring order, by what is deployed."""

ENTRY = "handler.app.handle"
"""What a function is called by: the old name stands in the configuration with the new code."""

DEMANDS: Mapping[str, str] = {
    "RING_SOURCE_ID": "[0-9a-f]{8}",
    "RING_SOURCE_REGION": ".+",
    "RING_SOURCE_TABLE": ".+",
    "RING_TARGET_ID": "[0-9a-f]{8}",
    "RING_TARGET_REGION": ".+",
    "RING_TARGET_TABLE": ".+",
    "RING_EXPIRY": "own|delete",
    "RING_QUARANTINE": ".+",
    "RING_WRITES": "batched|single",
}
"""What had to be there, and what it could say."""

TOMBSTONES: Mapping[str, str] = {
    "RING_SOURCE_TOMBSTONES": ".+",
    "RING_TARGET_TOMBSTONES": ".+",
    "RING_RETENTION_DAYS": "[0-9]+",
}
"""The same where one of the tombstones' tables was named."""

UNDERSTOOD: Mapping[str, str] = {
    "RING_HEARTBEAT": r"\{.+\}",
    "RING_LOG_ITEMS": "yes",
    "RING_TARGET_ROLE": "arn:.+",
    "RING_TARGET_SECRET": "arn:.+",
}
"""What could be there, and how it was understood."""
