"""Where a mapping puts the batches that it gives up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from local.lambda_emulator.events import FailurePlace, failure_key, failure_record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from local.lambda_emulator.batching import AbandonedBatch


class FailureDestination(Protocol):
    """Takes the batches that are given up."""

    def take(self, given_up: AbandonedBatch, now: float) -> None:
        """Keep a batch that was given up at the time `now`."""


class S3Destination:
    """Keeps given-up batches in a bucket, whole, as Lambda does."""

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
