"""One key brought to the newest version at all members, by what hops do themselves.

Nothing here writes blindly: a version takes the place of an older one or of none, a delete leaves
its stub and tombstone. So to hops and applications it is as if a late hop had come by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handler.model.image import (
    DELETED,
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Image,
    Item,
    Key,
    Write,
    application_attributes,
    digest,
    replicated_write,
)
from handler.model.version import Version
from handler.protocol.apply import Applied, ContendedError, Superseded, apply_delete, apply_write
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import Store
from operate.errors import InvalidRequestError
from operate.reconcile.members import MemberConnection

OPERATOR_REPLICA_ID = "ffffffff"
"""Who wrote what an operator decides, in versions: no member."""

_ATTEMPTS = 5


@dataclass(frozen=True)
class RepairTarget:
    """A member, and what is done to it."""

    replica: ReplicaId
    store: Store
    keeps_tombstones: bool = True

    @property
    def for_operator(self) -> ReplicaId:
        """The member, as the origin of what an operator decides: it is no write of that member's.

        So it goes around the whole ring, and back there, where something else may stand by then.
        And a record of that member that is delivered again does not take it for an earlier write of
        its own. But where a delete leaves no tombstone, it would go around before one for ever:
        only its origin stops it there.
        """
        return (
            replace(self.replica, id=OPERATOR_REPLICA_ID) if self.keeps_tombstones else self.replica
        )


@dataclass(frozen=True)
class KeyState:
    """What a member has of a key."""

    item: Item | None
    buried: Write | None

    @property
    def is_open(self) -> bool:
        """Whether an item without a version of its own stands there: an application's write."""
        return self.item is not None and replicated_write(Image(self.item)) is None

    @property
    def newest(self) -> Write | None:
        """The newest write that it has: the item, if a hop wrote it, or the last delete."""
        standing = None if self.item is None else replicated_write(Image(self.item))
        writes = [write for write in (standing, self.buried) if write is not None]
        return max(writes, key=lambda write: write.version, default=None)

    def has_content_of(self, write: Write) -> bool:
        """Whether the item is that of the write, with or without its version."""
        return (
            not write.is_delete
            and self.item is not None
            and digest(self.item) == write.version.digest
        )

    def is_behind(self, write: Write, *, keeps_tombstones: bool) -> bool:
        """Whether a write that is the newest of all is to be brought here."""
        if write.is_delete:
            buried = None if self.buried is None else self.buried.version
            forgot = keeps_tombstones and (buried is None or buried < write.version)
            return self.item is not None or forgot
        return not self.is_open and (self.newest is None or self.newest.version < write.version)


@dataclass(frozen=True)
class KeyRepair:
    """What was done, or would be: who was brought to the newest write, and what was left, and why.

    `brought` names members by their place.
    """

    repaired: tuple[int, ...] = ()
    skipped_reason: str | None = None


async def read_key_states(ends: Sequence[RepairTarget], key: Key) -> list[KeyState]:
    """What each member has, read consistently."""
    return [KeyState(await end.store.read(key), await end.store.get_tombstone(key)) for end in ends]


def newest_of(standings: Sequence[KeyState]) -> Write | None:
    """The newest write of all that members have."""
    writes = [one.newest for one in standings if one.newest is not None]
    return max(writes, key=lambda write: write.version, default=None)


def stamp(item: Item, at: ReplicaId, over: Version | None = None) -> Write:
    """An item or a stub as a write of a member that nobody gave a version.

    It comes just after `over`; where there is nothing, before all writes that ever were.
    """
    seconds, counter = (0, 0) if over is None else (over.seconds, over.counter + 1)
    version = Version.make(seconds, counter, at.id, 0, digest(item))
    content = {
        **application_attributes(item),
        SOURCE_REGION: {"S": at.region},
        SOURCE_TABLE: {"S": at.table},
        VERSION: {"S": version},
    }
    return Write(version, content, is_delete=False)


async def repair_key(
    ends: Sequence[RepairTarget], key: Key, prefer: int | None = None
) -> KeyRepair:
    """Bring a key's newest write to all who are behind.

    An item without a version that is not the newest write's own is left: its record is on its way,
    and will settle it. Unless one says, by `prefer`, that no record is: then what the member in
    that place has wins, if it has no version; else what has a version wins over what has none. To
    have nothing says nothing: where nobody has a version, an item is brought to those who lack the
    key, if all who have it have the same.

    Raises:
        ContendedError: others were faster, every time.
    """
    brought: dict[int, None] = {}
    for _ in range(_ATTEMPTS):
        task = _task(ends, await read_key_states(ends, key), prefer)
        for place in task.behind:
            assert task.write is not None
            outcome = await _bring(ends[place].store, key, task.write)
            if isinstance(outcome, Superseded) and outcome.version != task.write.version:
                break  # something newer has come
            brought[place] = None
        else:
            return KeyRepair(tuple(brought), task.left)
    raise ContendedError("the key changes faster than it can be mended")


@dataclass(frozen=True)
class _Task:
    """A write, the places of those to bring it to, and why something is left."""

    write: Write | None
    behind: Sequence[int]
    left: str | None = None


def _task(ends: Sequence[RepairTarget], standings: Sequence[KeyState], prefer: int | None) -> _Task:
    newest = newest_of(standings)
    unsent = [
        place
        for place, one in enumerate(standings)
        if one.is_open and (newest is None or not one.has_content_of(newest))
    ]
    behind = [
        place
        for place, (end, one) in enumerate(zip(ends, standings, strict=True))
        if newest is not None
        and not one.is_open
        and one.is_behind(newest, keeps_tombstones=end.keeps_tombstones)
    ]
    if not unsent:
        return _Task(newest, behind)
    if prefer is None:
        return _Task(newest, behind, "an item without a version: its record may be on its way")
    highest = max(filter(None, map(_highest, standings)), default=None)
    winner = prefer if prefer in unsent else _by_what_is_known(newest, standings, unsent)
    if winner is not None:
        item = standings[winner].item
        assert item is not None
        write = stamp(item, ends[winner].for_operator, highest)
        return _Task(write, sorted(range(len(ends)), key=lambda place: place != winner))
    if newest is None:
        return _Task(None, (), "members have different items without a version: prefer one of them")
    # Over an item that carries the newest version along, or a higher one, only a higher one goes.
    again = _again(newest, ends[prefer].for_operator, highest)
    return _Task(again, range(len(ends)))


def _again(write: Write, at: ReplicaId, over: Version | None) -> Write:
    """The write, as one of a member that comes just after `over`."""
    again = stamp(write.item, at, over)
    if not write.is_delete:
        return again
    return replace(again, item={**again.item, DELETED: {"BOOL": True}}, is_delete=True)


def _highest(standing: KeyState) -> Version | None:
    """The highest version at a member, also one that an application's item carries along."""
    carried_along = None if standing.item is None else Image(standing.item).version
    newest = None if standing.newest is None else standing.newest.version
    return max(filter(None, (carried_along, newest)), default=None)


def _by_what_is_known(
    newest: Write | None, standings: Sequence[KeyState], unsent: Sequence[int]
) -> int | None:
    """The place of the item that wins where the preferred member has none without a version.

    If the newest write is a delete: one that was written after it. A delete that is recorded at a
    member has taken away what stood there before it. If there is no write at all: any, where all
    are the same, since to have nothing says nothing.
    """
    if newest is None:
        items = (standings[place].item for place in unsent)
        contents = {digest(item) for item in items if item is not None}
        return unsent[0] if len(contents) == 1 else None
    for place in unsent if newest.is_delete else ():
        buried = standings[place].buried
        if buried is not None and buried.version >= newest.version:
            return place
    return None


async def _bring(store: Store, key: Key, write: Write) -> Applied | Superseded:
    if write.is_delete:
        return await apply_delete(store, key, write)
    return await apply_write(store, key, write, expected=True)


def repair_targets(
    members: Sequence[MemberConnection], stores: Sequence[Store]
) -> list[RepairTarget]:
    """Return the members as targets of a repair. Raises InvalidRequestError where no hop starts."""
    for member in members:
        if member.replica is None:
            raise InvalidRequestError(
                f"{member.name} has no id in versions, since no hop of this stack starts there. "
                "Use the stack that deploys its hop, or leave it out by --member."
            )
    return [
        RepairTarget(
            ReplicaId(member.replica or "", member.region, member.tables.table),
            store,
            keeps_tombstones=member.tables.tombstones is not None,
        )
        for member, store in zip(members, stores, strict=True)
    ]
