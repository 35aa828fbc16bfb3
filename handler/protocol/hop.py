"""A hop of the ring, and the outcome of a change that it replicates."""

from dataclasses import dataclass
from enum import StrEnum

from handler.model.image import Item, Key
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import Store


@dataclass(frozen=True)
class Hop:
    """Two neighbours in the ring: changes of the source are replicated to the target."""

    source_replica: ReplicaId
    target_replica: ReplicaId
    source: Store
    target: Store
    uses_tombstones: bool
    replicates_expiry: bool
    """Whether an expiry by TTL is replicated as a delete; otherwise each member expires its own
    items."""


class Action(StrEnum):
    """What a hop did for a change. The values are the counters of the log line."""

    IGNORED = "ignored"
    REPLICATED = "replicated"
    DELETED = "deletes"
    LAP_COMPLETED = "laps"
    REFUSED = "refused"


@dataclass(frozen=True)
class Conflict:
    """Two writes of one key, neither based on the other; or a late copy of an older write."""

    key: Key
    won: Version | None
    """None: the winner has no version yet."""
    lost: Version
    winner: Item | None
    """The item at the next member, the ring's attributes included; None: there is none."""
    loser: Item
    """The item that was not written there."""


@dataclass(frozen=True)
class Outcome:
    """What a hop did for one change."""

    action: Action
    conflicts: tuple[Conflict, ...] = ()
    written_at: int | None = None
    """Seconds since the epoch at which the write was made at its origin; None: it did not get to
    the next member, or its time is not known."""


def is_earlier_local_write(version: Version, change: Change, hop: Hop) -> bool:
    """Return whether a version is that of a write made at the source before a change."""
    return version.replica == hop.source_replica.id and version.sequence < change.sequence


def is_same_local_write(version: Version, change: Change, hop: Hop) -> bool:
    """Return whether a version was made for a change of the source."""
    return version.replica == hop.source_replica.id and version.sequence == change.sequence


def is_later_local_write(version: Version, change: Change, hop: Hop) -> bool:
    """Return whether a version is that of a write made at the source after a change."""
    return version.replica == hop.source_replica.id and version.sequence > change.sequence
