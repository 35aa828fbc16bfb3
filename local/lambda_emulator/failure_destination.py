"""Failure destination of an event source mapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from local.lambda_emulator.events import FailurePlace, failure_key, failure_record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from local.lambda_emulator.batching import AbandonedBatch


class FailureDestination(Protocol):
    """Receives discarded batches."""

    def take(self, given_up: AbandonedBatch, now: float) -> None:
        """Store a batch that was discarded at the time `now`."""


class S3Destination:
    """Store discarded batches in a bucket, with their records, as Lambda does."""

    def __init__(self, client: S3Client, bucket: str, place: FailurePlace) -> None:
        self._client = client
        self._bucket = bucket
        self._place = place

    def take(self, given_up: AbandonedBatch, now: float) -> None:
        """Put the invocation record of a batch into the bucket."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=failure_key(self._place, now),
            Body=json.dumps(failure_record(given_up, self._place, now)).encode(),
            ContentType="application/json",
        )
