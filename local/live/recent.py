"""The latest log lines of a ring's hops and the latest records that they delivered."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from handler.heartbeat import heartbeat_time
from handler.model.attribute_values import encode_binary
from handler.model.records import Change, UnreadableRecordError, read_change
from handler.protocol.decide import Arrival, LocalDelete, LocalWrite, classify_change
from local.lambda_emulator.batching import sequence_number
from local.lambda_emulator.mapping_stats import MappingObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.lambda_emulator.batching import Record

KEPT = 2_000
"""Lines and deliveries that are kept for readers; older ones are dropped."""
MOST_PER_SECOND = 60
"""Deliveries of one hop that are kept per second, about: at a higher rate a sample of the keys is.

Keys are sampled by their hash, so that a write is kept by all hops or by none."""


@dataclass(frozen=True)
class Delivery:
    """A record that a hop delivered. Times are in seconds since 1970.

    `origin` is the replica ID of the member where the write was made, None if that is the source
    itself; `action` is "insert", "update" or "delete". `read` is when the hop read the record from
    its source's stream, `at` when it had delivered it.
    """

    number: int
    source: str
    target: str
    key: str
    action: str
    origin: str | None
    read: float
    at: float


class Recent:
    """The latest lines and deliveries of a ring, numbered in their order. Thread-safe.

    `delivered` counts all deliveries, also those that are not kept; `heartbeats` has the time of
    each member's last heartbeat that its hop read.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.delivered = 0
        self.heartbeats: dict[str, float] = {}
        self.now = now
        self._lock = threading.Lock()
        self._number = 0
        self._lines: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._deliveries: deque[Delivery] = deque(maxlen=KEPT)

    def observer(self, source: str, target: str) -> MappingObserver:
        """Return an observer for the mapping of a hop."""
        return _Deliveries(self, source, target)

    def add_line(self, source: str, line: str) -> None:
        """Add a log line of the hop from a member."""
        with self._lock:
            self._number += 1
            self._lines.append({"number": self._number, "source": source, "line": line})

    def add_delivery(self, **fields: Any) -> None:
        """Add a delivery, with the fields of `Delivery`."""
        with self._lock:
            self._number += 1
            self._deliveries.append(Delivery(number=self._number, at=self.now(), **fields))

    def count(self, records: int) -> None:
        """Count deliveries."""
        with self._lock:
            self.delivered += records

    def after(self, number: int) -> dict[str, Any]:
        """Return the lines and deliveries with higher numbers, and the last number."""
        with self._lock:
            return {
                "last": self._number,
                "delivered": self.delivered,
                "lines": [line for line in self._lines if line["number"] > number],
                "deliveries": [
                    asdict(delivery) for delivery in self._deliveries if delivery.number > number
                ],
            }


class _Deliveries(MappingObserver):
    """Keep a sample of a hop's deliveries.

    A stream record has its time in whole seconds, too coarse for a ring on one machine: the time of
    its reading is kept, at most a polling interval later unless the mapping is behind.
    """

    def __init__(self, recent: Recent, source: str, target: str) -> None:
        self._recent = recent
        self._hop = {"source": source, "target": target}
        self._read: dict[str, float] = {}
        self._rate = _Rate(recent.now)

    def polled(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._rate.add(len(records))
        now = self._recent.now()
        for record in records:
            change = record["dynamodb"]
            if self._rate.samples(key_text(change["Keys"])):
                next_second = change["ApproximateCreationDateTime"].timestamp() + 1
                self._read[change["SequenceNumber"]] = min(now, next_second)

    def delivered(self, records: Sequence[Record]) -> None:
        self._recent.count(len(records))
        for record in records:
            read = self._read.pop(sequence_number(record), None)
            if read is not None:
                self._add(record, read)

    def discarded(self, records: Sequence[Record], *, delivered: bool) -> None:
        if delivered:
            for record in records:
                self._read.pop(sequence_number(record), None)

    def _add(self, record: Record, read: float) -> None:
        try:
            change = read_change(record)
        except UnreadableRecordError:
            return  # the hop quarantined it, as its log says
        fields = _described(change)
        if fields is None:
            return
        if heartbeat_time(change) is None:
            key = key_text(record["dynamodb"]["Keys"])
            self._recent.add_delivery(**self._hop, key=key, read=read, **fields)
        elif fields["origin"] is None:
            self._recent.heartbeats[self._hop["source"]] = read


def _described(change: Change) -> dict[str, Any] | None:
    """Return action and origin of a change; None: it is only a part of another one."""
    match classify_change(change):
        case LocalWrite():
            return {"action": "insert" if change.old is None else "update", "origin": None}
        case LocalDelete():
            return {"action": "delete", "origin": None}
        case Arrival(write=write, created=created):
            action = "delete" if write.is_delete else "insert" if created else "update"
            return {"action": action, "origin": write.version.replica}
    return None


def key_text(key: Mapping[str, Any]) -> str:
    """Return a key as deliveries have it: `customer=ada, order=1`, with binary as base64 text."""
    values = {name: next(iter(value.values())) for name, value in key.items()}
    return ", ".join(
        f"{name}={encode_binary(value) if isinstance(value, bytes) else value}"
        for name, value in values.items()
    )


class _Rate:
    """Share of the keys to keep, from the number of records in this second and the last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = 0
        self._count = 0
        self._before = 0

    def add(self, records: int) -> None:
        """Count records that were read."""
        second = int(self._now())
        if second != self._second:
            self._before = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0
        self._count += records

    def samples(self, key: str) -> bool:
        """Return whether the records of a key are kept."""
        rate = max(self._before, self._count)
        return rate <= MOST_PER_SECOND or crc32(key.encode()) * rate < MOST_PER_SECOND << 32
