"""Entries in the quarantine of a hop."""

from __future__ import annotations

import json
import time
from typing import Any

from handler.store.dynamodb import ItemTooLargeError
from local.lambda_emulator.batching import AbandonedBatch, Batch
from local.lambda_emulator.events import FailurePlace, event_of, failure_key, failure_record
from operate.quarantine.bucket import Entry
from operate.quarantine.redrive import HopAccess, RedriveOptions
from tests.support.lambda_functions import (
    QUARANTINE,
    Ring,
)

LARGE = "x" * 404_950
"""With the ring's attributes it is too large for moto; without them it is not."""
PLAY, TRY = RedriveOptions(dry_run=False), RedriveOptions(dry_run=True)
PLACE = FailurePlace("11111111-2222-3333-4444-555555555555", "arn:f", "arn:stream", "shardId-1")


def item(value: str, key: str = "1") -> dict[str, Any]:
    return {"k": {"S": key}, "v": {"S": value}}


def quarantine_insert(ring: Ring, value: str = "lost", seconds: int = 0) -> Any:
    """Let the first hop quarantine the insert of an item, whatever it is; return the record.

    It was made so many seconds later than it was.
    """
    ring.members[0].put(item(value))
    ring.become(0)
    (lost,) = ring.members[0].new_records()
    lost["dynamodb"]["ApproximateCreationDateTime"] += seconds
    ring.calls.trouble["1"] = ItemTooLargeError("that day")
    ring.handle(event_of([lost]))
    ring.calls.trouble.clear()
    return lost


def give_up(ring: Ring, *records: Any, invocations: int = 7) -> str:
    """Put a batch where Lambda puts what it has given up, and return its name."""
    lost = AbandonedBatch(Batch(records, invocations=invocations), "RecordAgeExceeded")
    name = failure_key(PLACE, time.time())
    body = json.dumps(failure_record(lost, PLACE, time.time()))
    ring.s3.put_object(Bucket=QUARANTINE, Key=name, Body=body)
    return name


def listed(reach: HopAccess) -> list[Entry]:
    return list(reach.bucket.entries())
