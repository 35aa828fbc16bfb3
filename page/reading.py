"""What is read from a ring at one moment, whether it runs on AWS or on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from local.live.recent import Delivery


@dataclass(frozen=True)
class MemberReading:
    """A member. `heartbeat` is when its last heartbeat was written, in seconds since 1970.

    `items` is by DescribeTable: on AWS some hours old. `keys` are name and type of its key
    attributes. None: not known.
    """

    name: str
    region: str
    table: str
    items: int | None = None
    heartbeat: float | None = None
    keys: tuple[tuple[str, str], ...] = ()
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True)
class HopReading:
    """A hop. `state` is "running", "paused" or another state of its mapping.

    `waiting` counts records that were read and not delivered; the oldest of those, or the last
    record of the latest batch, was written `age` seconds ago. `alarms` are those in state ALARM.
    None: not known.
    """

    source: str
    target: str
    state: str
    waiting: int | None = None
    age: float | None = None
    quarantined: int | None = None
    alarms: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True)
class FaultReading:
    """A fault that was started on a local ring, in words; it ends in `remaining` seconds."""

    id: str
    text: str
    remaining: float


@dataclass(frozen=True)
class LogLine:
    """A line of the log of the hop from `source`. `when` is in seconds since 1970."""

    source: str
    when: float
    text: str


@dataclass(frozen=True)
class Reading:
    """A ring at `now`, in seconds since 1970, and what its hops did since the last reading.

    `deliveries` are a sample, None where they are not known. `faults` are those of a local ring.
    `replicas` are the members' names by their replica IDs. `note` says why something is missing.
    """

    now: float
    members: tuple[MemberReading, ...] = ()
    hops: tuple[HopReading, ...] = ()
    lines: tuple[LogLine, ...] = ()
    deliveries: tuple[Delivery, ...] | None = None
    faults: tuple[FaultReading, ...] = ()
    replicas: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class Source(Protocol):
    """Where readings come from. `seconds` is the interval between two."""

    label: str
    is_local: bool
    seconds: float

    def read(self) -> Reading:
        """Read the ring. An error is a reading with a note."""

    def close(self) -> None:
        """End what runs in the background."""
