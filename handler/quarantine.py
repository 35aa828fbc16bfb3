"""Quarantine for records that no retry helps: stored whole, with the reason, for a redrive."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from botocore.exceptions import HTTPClientError

from handler.model.records import Record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "quarantine/"
"""Prefix of the handler's objects in a hop's bucket, which has Lambda's failed batches, too."""


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record that cannot be applied, and why."""

    record: Record
    reason: str
    """One of those of ``handler.errors.quarantine_reason``."""
    error: str
    """Type and message of the error."""


class Place(TypedDict, total=False):
    """The arguments of a call of S3 that name a bucket."""

    Bucket: str
    ExpectedBucketOwner: str


def place_of(bucket: str, owner: str | None) -> Place:
    """Name a bucket to S3, which refuses the call if another account owns it.

    Names of buckets are everybody's: one that was deleted may be somebody else's by now.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    return {"Bucket": bucket, "ExpectedBucketOwner": owner} if owner else {"Bucket": bucket}


@dataclass(frozen=True)
class QuarantineLocation:
    """Bucket of a hop's quarantine, and the hop's names in its objects."""

    bucket: str
    hop: str
    """Name of the hop, as in log lines."""
    table: str
    """Table whose stream the records are from."""
    owner: str | None = None
    """Account that the bucket must belong to, if it is known."""


class Quarantine(Protocol):
    """Storage of records that cannot be applied."""

    async def put(self, quarantined: QuarantinedRecord) -> None:
        """Store a record. To store it twice is the same as once."""


class S3Quarantine:
    """Quarantine in an S3 bucket: one JSON object for each record.

    The object's name has the sequence number and a digest of the record, so that no record replaces
    another: sequence numbers are unique in one stream, and the bucket outlives the stream.
    """

    def __init__(
        self,
        connect: Callable[[], "S3Client"],
        pool: Executor,
        location: QuarantineLocation,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make the quarantine of a hop.

        Args:
            connect: makes a client in the bucket's region. It is called at the first record, since
                few hops ever need one.
            pool: where calls are made.
            location: the bucket, and the hop's names.
            now: returns the time, in seconds since the epoch.
        """
        self._client = cache(connect)
        self._pool = pool
        self._location = location
        self._now = now

    async def put(self, quarantined: QuarantinedRecord) -> None:
        """See Quarantine."""
        when = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        document = {
            "table": self._location.table,
            "key": stream_part(quarantined.record, "Keys"),
            "hop": self._location.hop,
            "time": when.replace("+00:00", "Z"),
            "reason": quarantined.reason,
            "error": quarantined.error,
            "record": quarantined.record,
        }
        call = partial(
            self._client().put_object,
            **place_of(self._location.bucket, self._location.owner),
            Key=f"{PREFIX}{_name(quarantined.record)}.json",
            Body=json.dumps(document, default=repr).encode(),
            ContentType="application/json",
        )
        response = await asyncio.get_running_loop().run_in_executor(self._pool, call)
        # To botocore any response with status 200 is a success, a proxy's page too.
        if not response.get("ETag"):
            raise HTTPClientError(error="the response is not S3's: it names no ETag")


def _name(record: Record) -> str:
    text = json.dumps(record, sort_keys=True, default=repr)
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    number = stream_part(record, "SequenceNumber")
    if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) <= 40:
        return f"{number}-{digest}"
    return digest


def stream_part(record: Any, name: str) -> Any:
    """Return a part of a record, which may be malformed; None: it is not there."""
    stream = record.get("dynamodb") if isinstance(record, dict) else None
    return stream.get(name) if isinstance(stream, dict) else None
