"""Read a quarantine bucket: records that hops quarantined, batches that Lambda abandoned."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from handler.quarantine import PREFIX, Place, place_of, stream_part
from operate.untrusted_json import MalformedJsonError, fields_of, read_json
from ring.text import counted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Record = Mapping[str, Any]

NOT_UNDERSTOOD = "not understood"
"""The reason of an entry without records; its error says more."""

_SHOWN = 100_000
"""Bytes that are kept of an object that cannot be understood."""

_LAMBDAS = "aws/lambda/"
_OWN = (PREFIX, _LAMBDAS)
"""Prefixes of the names of entries. Another object in the bucket is somebody's own."""
_AHEAD = 8
"""Objects that are read at the same time, and so are in memory as they are in the bucket."""
_LARGEST = 24_000_000
"""Bytes of an object. A batch of Lambda's has 6 MB at most, and more as text within JSON:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_NUMBER = 40
"""Digits of a record's sequence number."""
_OF_THE_OBJECT = ("InvalidObjectState", "InvalidRequest", "AccessDenied", "KMS.")
"""Prefixes of codes of errors about an object, not the bucket: it is archived, or encrypted with a
key that is not given, or may not be used. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


class NoSuchEntryError(Exception):
    """The entry is not in the quarantine (any more)."""


@dataclass(frozen=True)
class Entry:
    """An object in a quarantine: a record from the hop, or a batch that Lambda abandoned.

    Its `id` is the object's name. `records` is empty where the object cannot be understood, and
    `error` says why; such an entry is shown, and never redriven or removed. Anyone who may put
    objects there can have put it there (docs/how-to/troubleshoot.md).
    """

    id: str
    hop: str
    table: str
    reason: str
    error: str
    time: float | None
    """When it was stored, in seconds since the epoch, if that is known."""
    records: tuple[Record, ...]
    document: Any
    """All that the object holds, but for what is `missing`."""
    missing: str = ""
    """Why `document` is not all that the object holds; empty if it is."""

    @property
    def is_lambda_failure(self) -> bool:
        """Whether Lambda put it here, rather than the hop."""
        return self.id.startswith(_LAMBDAS)

    @property
    def keys(self) -> list[Any]:
        """The items' keys, each once, in the order of the records."""
        found = (stream_part(record, "Keys") for record in self.records)
        return list({json.dumps(key, sort_keys=True): key for key in found}.values())

    @property
    def written_at(self) -> float | None:
        """When the first of its changes was made, in seconds since the epoch, if it says so."""
        times = [stream_part(record, "ApproximateCreationDateTime") for record in self.records]
        return min((float(one) for one in times if isinstance(one, int | float)), default=None)

    @property
    def number(self) -> str:
        """Sequence number of its first record, padded so that texts sort as the numbers do."""
        numbers = [stream_part(record, "SequenceNumber") for record in self.records]
        valid = (text for text in numbers if isinstance(text, str) and len(text) <= _NUMBER)
        return min((text.zfill(_NUMBER) for text in valid), default="")

    def summary(self) -> dict[str, Any]:
        """Return the entry without its records, for scripts; times in seconds since 1970."""
        return {
            "id": self.id,
            "hop": self.hop,
            "table": self.table,
            "keys": self.keys,
            "records": len(self.records),
            "reason": self.reason,
            "error": self.error,
            "quarantined_at": self.time,
            "written": self.written_at,
        }


@dataclass(frozen=True)
class QuarantineBucket:
    """A hop's quarantine. `hop` and `table` are what its entries say where they do not themselves.

    `owner` is the account that it must belong to, if that is known. Every call raises botocore's
    ClientError where the bucket cannot be read.
    """

    client: S3Client
    name: str
    hop: str
    table: str
    owner: str | None = None

    @property
    def _place(self) -> Place:
        return place_of(self.name, self.owner)

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, by name. What somebody removes meanwhile is left out."""
        return self.read(self.names())

    def names(self) -> Iterator[str]:
        """Yield the IDs of all entries, in order: a thousand per request."""
        for page in self.client.get_paginator("list_objects_v2").paginate(**self._place):
            listed = (one["Key"] for one in page.get("Contents", ()))
            yield from (name for name in listed if name.startswith(_OWN))

    def read(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield the entries with these IDs, in that order; what is gone is left out.

        A few objects are fetched ahead, and parsed one at a time: an entry in memory may take many
        times the bytes of its object.
        """
        ahead: deque[Future[_Fetched | None]] = deque()
        with ThreadPoolExecutor(_AHEAD) as pool:
            for name in names:
                ahead.append(pool.submit(self._fetch, name))
                if len(ahead) == _AHEAD:
                    yield from self._found(ahead.popleft())
            while ahead:
                yield from self._found(ahead.popleft())

    def entry(self, name: str) -> Entry:
        """Return the entry with an ID.

        Raises:
            NoSuchEntryError: there is none.
        """
        fetched = self._fetch(name, is_there=False) if name.startswith(_OWN) else None
        if fetched is None:
            raise NoSuchEntryError(f"{name} is not in the quarantine of {self.hop}: list what is.")
        return self._entry(fetched)

    def remove(self, name: str) -> None:
        """Remove the entry with an ID; one that is gone stays gone."""
        self.client.delete_object(**self._place, Key=name)

    def _fetch(self, name: str, *, is_there: bool = True) -> _Fetched | None:
        """Get an object. Of one that need not be there, a denial says nothing of the object."""
        try:
            found = self.client.get_object(**self._place, Key=name)
        except self.client.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if not code.startswith(_OF_THE_OBJECT) or (code == "AccessDenied" and not is_there):
                raise
            return _Fetched(name, None, b"", str(error))
        text = b""
        with closing(found["Body"]) as body:
            while len(text) <= _LARGEST and (part := body.read(_LARGEST + 1 - len(text))):
                text += part
        when, size = found["LastModified"].timestamp(), found["ContentLength"]
        return _Fetched(name, when, text, size=size)

    def _found(self, fetched: Future[_Fetched | None]) -> Iterator[Entry]:
        found = fetched.result()
        if found is not None:
            yield self._entry(found)

    def _entry(self, fetched: _Fetched) -> Entry:
        document: Any = None
        try:
            fetched.check()
            document = read_json(fetched.text)
            parsed = (
                _parse_lambda_failure(document)
                if fetched.is_lambdas
                else _parse_handler_record(document)
            )
        except MalformedJsonError as error:
            parsed = {
                "reason": NOT_UNDERSTOOD,
                "error": str(error),
                "missing": fetched.missing,
            }
            document = fetched.text[:_SHOWN].decode(errors="replace")
        return Entry(
            **{
                "id": fetched.name,
                "hop": self.hop,
                "table": self.table,
                "time": fetched.time,
                "records": (),
                "document": document,
                **parsed,
            }
        )


class _Fetched(NamedTuple):
    """An object, and when it was put there. `error` is what S3 said instead of returning it.

    `size` is the object's, in bytes; of one that is too large, `text` is not all.
    """

    name: str
    time: float | None
    text: bytes
    error: str = ""
    size: int = 0

    @property
    def is_lambdas(self) -> bool:
        return self.name.startswith(_LAMBDAS)

    @property
    def missing(self) -> str:
        """Why it cannot be shown whole as text; empty if it can."""
        if self.error:
            return f"S3 does not return it: {self.error}"
        if self.size > _SHOWN:
            return f"it is cut after {_SHOWN:,} of its {self.size:,} bytes"
        try:
            self.text.decode()
        except UnicodeDecodeError:
            return f"its {self.size:,} bytes are not UTF-8, and those that are not are replaced"
        return ""

    def check(self) -> None:
        """Raise `MalformedJsonError` if it is not here, or not whole."""
        if self.error:
            raise MalformedJsonError(self.error)
        if len(self.text) > _LARGEST:
            raise MalformedJsonError(
                f"it is larger than {_LARGEST // 1_000_000} MB, which no hop puts here"
            )


def _parse_handler_record(document: Any) -> dict[str, Any]:
    """Parse what the handler stores of a record: see `handler.quarantine`."""
    hop, table, reason, error, time, record = fields_of(
        document, hop=str, table=str, reason=str, error=str, time=str, record=dict
    )
    about = {"hop": hop, "table": table, "reason": reason, "error": error}
    return {**about, "time": _seconds(time), "records": (record,)}


def _parse_lambda_failure(document: Any) -> dict[str, Any]:
    """Parse what Lambda stores of a batch.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    context, timestamp = fields_of(document, requestContext=dict, timestamp=str)
    condition, count = fields_of(context, condition=str, approximateInvokeCount=int)
    payload = document.get("payload")
    event = read_json(payload) if isinstance(payload, str) else payload
    (records,) = fields_of(event, Records=list)
    for record in records:
        fields_of(record)
    return {
        "reason": condition,
        "error": f"given up after {counted(count, 'invocation')}",
        "time": _seconds(timestamp),
        "records": tuple(records),
    }


def _seconds(time: str) -> float:
    try:
        return datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError) as error:
        raise MalformedJsonError(f"its time is none: {error}") from error
