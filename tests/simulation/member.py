"""A member in memory: table, tombstones, stream and clock, and the Store that hops see."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from handler.model.image import DELETED, VERSION, Image, Item, Key, Write, application_attributes
from handler.model.version import Version
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    IfOlder,
    IfUnchanged,
    IfVersionOlder,
    ItemTooLargeError,
    Written,
)
from tests.simulation.stream_json import as_json


@dataclass
class Member:
    """One table of the simulated ring. Keys are texts here, items what the handler sees."""

    replica: ReplicaId
    now: Callable[[], int]
    """This region's clock: seconds since the epoch, as its stream gives them."""
    items: dict[str, Item] = field(default_factory=dict)
    tombstones: dict[str, Write] = field(default_factory=dict)
    stream: list[dict[str, Any]] = field(default_factory=list)
    horizon: int = 0
    """How many records at the stream's beginning are too old to be read again."""
    writes: int = 0
    """Writes that DynamoDB would charge for, tombstones and refusals included."""
    reads: int = 0

    @property
    def name(self) -> str:
        """What a trace calls it."""
        return self.replica.region

    def contents(self) -> dict[str, Any]:
        """The table as an application sees it."""
        return {name: application_attributes(item) for name, item in self.items.items()}

    def empty(self) -> None:
        """Lose all items and tombstones, and all records in the stream."""
        self.items.clear()
        self.tombstones.clear()
        self.horizon = len(self.stream)

    def write(self, key: Key, item: Item | None, *, expired: bool = False) -> None:
        """Replace the item, or delete it for None; the change goes into the stream."""
        name = key["k"]["S"]
        old = self.items.get(name)
        self.writes += 1
        if old == item:
            return  # DynamoDB streams no record for what changes nothing.
        if item is None:
            del self.items[name]
        else:
            self.items[name] = item
        images = {"OldImage": old, "NewImage": item}
        place = f"{self.replica.region}:123456789012:table/{self.replica.table}"
        record: dict[str, Any] = {
            "eventName": "REMOVE" if item is None else "INSERT" if old is None else "MODIFY",
            "eventSource": "aws:dynamodb",
            "eventSourceARN": f"arn:aws:dynamodb:{place}/stream/2024-01-01T00:00:00.000",
            "dynamodb": {
                "StreamViewType": "NEW_AND_OLD_IMAGES",
                "Keys": key,
                "SequenceNumber": str(len(self.stream) + 1),
                "ApproximateCreationDateTime": self.now(),
                **{name: as_json(image) for name, image in images.items() if image is not None},
            },
        }
        if expired:
            record["userIdentity"] = {
                "type": "Service",
                "principalId": "dynamodb.amazonaws.com",
            }
        self.stream.append(record)


class Turn:
    """What a Store call awaits: the scheduler decides who goes on."""

    def __await__(self) -> Generator["Turn", None, None]:
        yield self


Trouble = Callable[[str], None]
Witness = Callable[[Member, Item | None, Item | None, Condition | None], None]


class SimulatedStore:
    """A Store over a Member.

    ``trouble`` may raise before a call's effect, or after it. ``fits`` returns whether an item is
    small enough for a table. ``witness`` is shown what each write replaced, by what, and
    on which condition (None: it took a stub away).
    """

    def __init__(
        self,
        member: Member,
        *,
        keeps_tombstones: bool,
        trouble: Trouble = lambda _: None,
        fits: Callable[[Item], bool] = lambda _: True,
        witness: Witness = lambda *_: None,
    ) -> None:
        self.member = member
        self._keeps_tombstones = keeps_tombstones
        self._trouble = trouble
        self._fits = fits
        self._witness = witness

    async def _begin(self) -> None:
        await Turn()
        self._trouble("before")

    async def read(self, key: Key) -> Item | None:
        await self._begin()
        self.member.reads += 1
        return self.member.items.get(key["k"]["S"])

    async def put(self, key: Key, item: Item, condition: Condition) -> Written | ConditionFailed:
        await self._begin()
        if not self._fits(item):
            raise ItemTooLargeError("Item size has exceeded the maximum allowed size")
        return self._write(key, item, condition)

    async def delete_stub(self, key: Key, version: Version) -> Written | ConditionFailed:
        await self._begin()
        standing = self.member.items.get(key["k"]["S"], {})
        is_stub = standing.get(VERSION) == {"B": version} and DELETED in standing
        outcome = self._replace(key, None, None, holds=is_stub)
        return Written(None) if isinstance(outcome, Written) else outcome

    async def delete_if_older(self, key: Key, version: Version) -> Written | ConditionFailed:
        await self._begin()
        return self._write(key, None, IfOlder(version))

    def _write(
        self, key: Key, item: Item | None, condition: Condition
    ) -> Written | ConditionFailed:
        standing = self.member.items.get(key["k"]["S"])
        return self._replace(key, item, condition, holds=_holds(condition, standing))

    def _replace(
        self, key: Key, item: Item | None, condition: Condition | None, *, holds: bool
    ) -> Written | ConditionFailed:
        standing = self.member.items.get(key["k"]["S"])
        if not holds:
            self.member.writes += 1
            return ConditionFailed(standing)
        self.member.write(key, item)
        self._witness(self.member, standing, item, condition)
        self._trouble("after")
        return Written(standing)

    async def get_tombstone(self, key: Key) -> Write | None:
        if not self._keeps_tombstones:
            return None
        await self._begin()
        self.member.reads += 1
        return self.member.tombstones.get(key["k"]["S"])

    async def put_tombstone(self, key: Key, delete: Write) -> Write | None:
        if not self._keeps_tombstones:
            return None
        await self._begin()
        self.member.writes += 1
        kept = self.member.tombstones.get(key["k"]["S"])
        if kept is not None and kept.version >= delete.version:
            return kept
        self.member.tombstones[key["k"]["S"]] = delete
        self._trouble("after")
        return None


def _holds(condition: Condition, standing: Item | None) -> bool:
    version = None if standing is None else standing.get(VERSION)
    match condition:
        case IfOlder(than, or_absent):
            if standing is None:
                return or_absent
            return version is None or _is_below(version, than)
        case IfVersionOlder(than):
            return version is not None and _is_below(version, than)
        case IfUnchanged(item):
            if item is None or standing is None:
                return item is standing
            return bool(version == item[VERSION])


def _is_below(version: Any, than: Version) -> bool:
    """Whether a version attribute is binary below that one; nothing else is below anything."""
    value = version.get("B")
    return value is not None and bool(value < than)


def is_raced(old: Item, new: Item | None, condition: Condition | None) -> bool:
    """Whether a write met what somebody updated since the hop looked, under the same version."""
    match condition:
        case IfUnchanged(item):
            return item != old
        case IfVersionOlder():
            return not Image(old).is_clean
        case _:  # a stub that was taken away, if nothing is new
            return new is None and not Image(old).is_stub


async def take_turn() -> None:
    """Let others run."""
    await Turn()
