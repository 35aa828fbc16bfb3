"""What hops have set aside and what Lambda has given up, as it lies in a hop's bucket."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handler.quarantine import PREFIX

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Record = Mapping[str, Any]

_LAMBDAS = "aws/lambda/"
_AHEAD = 8
"""How many entries are read at the same time, and so may be in memory: each has up to 6 MB."""


class NoSuchEntryError(Exception):
    """What was asked for is not in the quarantine (any more)."""


@dataclass(frozen=True)
class Entry:
    """One object of a quarantine: a record that the hop set aside, or a batch that Lambda gave up.

    Its `id` is the object's name. `records` is empty where the object cannot be understood, and
    `error` says why; such an entry is shown, and never played or removed.
    """

    id: str
    hop: str
    table: str
    reason: str
    error: str
    time: float
    """When it came here, in seconds since the epoch."""
    records: tuple[Record, ...]
    document: Any
    """All that the object holds."""

    @property
    def is_lambdas(self) -> bool:
        """Whether Lambda put it here, rather than the hop."""
        return self.id.startswith(_LAMBDAS)

    @property
    def keys(self) -> list[Any]:
        """The items' keys, each once, in the order of the records."""
        found = [_part(record, "Keys") for record in self.records]
        return [key for place, key in enumerate(found) if key not in found[:place]]

    @property
    def made(self) -> float | None:
        """When the first of its changes was made, in seconds since the epoch, if it says so."""
        times = [_part(record, "ApproximateCreationDateTime") for record in self.records]
        return min((float(one) for one in times if isinstance(one, int | float)), default=None)

    @property
    def number(self) -> str:
        """The number of the first of its records, as it sorts as text among those of a stream."""
        numbers = [_part(record, "SequenceNumber") for record in self.records]
        return min((one.zfill(40) for one in numbers if isinstance(one, str)), default="")

    def about(self) -> dict[str, Any]:
        """All but its records, for scripts; times in seconds since 1970."""
        return {
            "id": self.id,
            "hop": self.hop,
            "table": self.table,
            "keys": self.keys,
            "records": len(self.records),
            "reason": self.reason,
            "error": self.error,
            "set_aside": self.time,
            "written": self.made,
        }


@dataclass(frozen=True)
class Bucket:
    """A hop's quarantine. `hop` and `table` are what its entries say where they do not themselves.

    Every call raises botocore's ClientError where the bucket cannot be read.
    """

    client: S3Client
    name: str
    hop: str
    table: str

    def entries(self) -> Iterator[Entry]:
        """All that lies there, by name. What somebody removes meanwhile is left out."""
        return self.read(self.names())

    def names(self) -> Iterator[str]:
        """The ids of all that lies there, in their order: a thousand to a request."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            listed = (one["Key"] for one in page.get("Contents", ()))
            yield from (name for name in listed if name.startswith((PREFIX, _LAMBDAS)))

    def read(self, names: Iterable[str]) -> Iterator[Entry]:
        """The entries of these ids, in that order, a few ahead; what is gone is left out."""
        ahead: deque[Future[Entry | None]] = deque()
        with ThreadPoolExecutor(_AHEAD) as pool:
            for name in names:
                ahead.append(pool.submit(self._entry, name))
                if len(ahead) == _AHEAD:
                    yield from _found(ahead.popleft())
            while ahead:
                yield from _found(ahead.popleft())

    def entry(self, name: str) -> Entry:
        """The entry of that id.

        Raises:
            NoSuchEntryError: there is none.
        """
        entry = self._entry(name)
        if entry is None:
            raise NoSuchEntryError(f"{name} is not in the quarantine of {self.hop}: list what is.")
        return entry

    def remove(self, entry: Entry) -> None:
        """Remove an entry; one that is gone stays gone."""
        self.client.delete_object(Bucket=self.name, Key=entry.id)

    def _entry(self, name: str) -> Entry | None:
        try:
            found = self.client.get_object(Bucket=self.name, Key=name)
        except self.client.exceptions.NoSuchKey:
            return None
        text = found["Body"].read()
        try:
            document = json.loads(text)
            told = _given_up(document) if name.startswith(_LAMBDAS) else _set_aside(document)
        except (ValueError, KeyError, TypeError) as error:
            document = text.decode(errors="replace")
            told = {"reason": "not understood", "error": f"{type(error).__name__}: {error}"}
        return Entry(
            **{
                "id": name,
                "hop": self.hop,
                "table": self.table,
                "time": found["LastModified"].timestamp(),
                "records": (),
                "document": document,
                **told,
            }
        )


def _found(entry: Future[Entry | None]) -> Iterator[Entry]:
    found = entry.result()
    if found is not None:
        yield found


def _set_aside(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the handler says of a record: see `handler.quarantine`."""
    return {
        "hop": document["hop"],
        "table": document["table"],
        "reason": document["reason"],
        "error": document["error"],
        "time": datetime.fromisoformat(document["time"]).timestamp(),
        "records": (document["record"],),
    }


def _given_up(document: Mapping[str, Any]) -> dict[str, Any]:
    """What Lambda says of a batch.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    payload = document["payload"]
    event = json.loads(payload) if isinstance(payload, str) else payload
    records: Sequence[Record] = event["Records"]
    context = document["requestContext"]
    return {
        "reason": context["condition"],
        "error": f"given up after {context['approximateInvokeCount']} invocations",
        "time": datetime.fromisoformat(document["timestamp"]).timestamp(),
        "records": tuple(records),
    }


def _part(record: Any, name: str) -> Any:
    stream = record.get("dynamodb") if isinstance(record, dict) else None
    return stream.get(name) if isinstance(stream, dict) else None
