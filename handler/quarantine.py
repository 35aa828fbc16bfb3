"""Where a record goes that no retry will help: kept whole, with the reason, for a redrive."""

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

from handler.model.records import Record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "quarantine/"
"""Where in a hop's bucket the handler's own objects are; Lambda's are beside it."""


@dataclass(frozen=True)
class QuarantinedRecord:
    """A record that cannot be applied, and why."""

    record: Record
    reason: str
    """In a word or two, one of a few; see ``handler.errors``."""
    error: str
    """What was said when it was tried."""


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
    """Where a hop's records are set aside."""

    bucket: str
    hop: str
    """Where they were going, for a person."""
    table: str
    """The table whose stream they come from."""
    owner: str | None = None
    """The account that the bucket must belong to, if that is known."""


class Quarantine(Protocol):
    """Keeps records that cannot be applied."""

    async def put(self, lost: QuarantinedRecord) -> None:
        """Keep the record. Keeping it twice is the same as once."""


class S3Quarantine:
    """A Quarantine in an S3 bucket: one JSON object a record.

    It is named by the record's number and content, so that none takes another's place: the bucket
    outlives the stream in which the number is the record's alone.
    """

    def __init__(
        self,
        connect: Callable[[], "S3Client"],
        pool: Executor,
        shelf: QuarantineLocation,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take what makes a client of the bucket's region: few hops ever need one.

        ``now`` is the time, in seconds since the epoch.
        """
        self._connected = cache(connect)
        self._pool = pool
        self._shelf = shelf
        self._now = now

    async def put(self, lost: QuarantinedRecord) -> None:
        """See Quarantine."""
        when = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        kept = {
            "table": self._shelf.table,
            "key": _in_stream(lost.record, "Keys"),
            "hop": self._shelf.hop,
            "time": when.replace("+00:00", "Z"),
            "reason": lost.reason,
            "error": lost.error,
            "record": lost.record,
        }
        call = partial(
            self._connected().put_object,
            **place_of(self._shelf.bucket, self._shelf.owner),
            Key=f"{PREFIX}{_name(lost.record)}.json",
            Body=json.dumps(kept, default=repr).encode(),
            ContentType="application/json",
        )
        await asyncio.get_running_loop().run_in_executor(self._pool, call)


def _name(record: Record) -> str:
    text = json.dumps(record, sort_keys=True, default=repr)
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    number = _in_stream(record, "SequenceNumber")
    if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) <= 40:
        return f"{number}-{digest}"
    return digest


def _in_stream(record: Any, name: str) -> Any:
    """A part of the record's change, where there is one."""
    stream = record.get("dynamodb") if isinstance(record, dict) else None
    return stream.get(name) if isinstance(stream, dict) else None
