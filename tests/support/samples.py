"""Fakes for the tests of a local ring: records, streams, functions and a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from handler.model.attribute_values import encode_binary
from local.lambda_emulator.batching import AbandonedBatch, Record
from local.lambda_emulator.worker_process import FunctionError

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000"
NOON = 1_700_000_000.0
"""Creation time of most records."""


def in_base64(content: Any) -> Any:
    """Return a copy of a record that boto3 has read with its binary values as they travel."""
    if isinstance(content, dict):
        return {name: in_base64(part) for name, part in content.items()}
    if isinstance(content, list):
        return [in_base64(part) for part in content]
    return encode_binary(content) if isinstance(content, bytes) else content


def streamed(number: int, key: str = "a", created: float = NOON, **images: Any) -> dict[str, Any]:
    """Return a record as boto3 reads it from a stream."""
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime.fromtimestamp(created, UTC),
            "Keys": {"id": {"S": key}},
            "NewImage": {"id": {"S": key}},
            "SequenceNumber": str(number),
            "SizeBytes": 10,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
    }


def record(number: int, created: float = NOON, size: int = 10) -> Record:
    """Return the parts of an event's record that batching uses."""
    return {
        "dynamodb": {
            "SequenceNumber": str(number),
            "ApproximateCreationDateTime": created,
            "SizeBytes": size,
        }
    }


def numbers(records: Sequence[Record]) -> list[int]:
    """Return the sequence numbers of records."""
    return [int(record["dynamodb"]["SequenceNumber"]) for record in records]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> float:
        return self.time


class FakeStream:
    """A stream that a test writes to."""

    arn = STREAM
    partition_key = "id"

    def __init__(self, *records: Mapping[str, Any]) -> None:
        self.unread = list(records)

    def read(self) -> Sequence[Mapping[str, Any]]:
        records, self.unread = self.unread, []
        return records


class FakeFunction:
    """A function that records its calls.

    It fails for every record in `poison`: with the record in its response, or, with `raises`, with
    an error.
    """

    def __init__(self, *poison: int, raises: bool = False) -> None:
        self.poison = set(poison)
        self.raises = raises
        self.calls: list[list[int]] = []

    def __call__(self, event: Any) -> Any:
        batch = numbers(event["Records"])
        self.calls.append(batch)
        failed = [number for number in batch if number in self.poison]
        if failed and self.raises:
            raise FunctionError("ValueError", "poison")
        return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in failed]}


class FakeDestination:
    """Records discarded batches."""

    def __init__(self) -> None:
        self.taken: list[AbandonedBatch] = []

    def take(self, given_up: AbandonedBatch, now: float) -> None:
        self.taken.append(given_up)
