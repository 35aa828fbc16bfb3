"""Repair one key: apply its newest write at all members, with the operations of a hop.

Every write is conditional: a version replaces only an older one or none, and a delete leaves its
stub and tombstone. To hops and applications, a repair looks like a late hop.
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
from handler.model.version import OPERATOR_REPLICA_ID, Version
from handler.protocol.apply import Applied, ContendedError, Superseded, apply_delete, apply_write
from handler.protocol.decide import ReplicaId
from handler.store.dynamodb import Store
from operate.errors import InvalidRequestError
from operate.reconcile.members import MemberConnection

_ATTEMPTS = 5


@dataclass(frozen=True)
class RepairTarget:
    """A member to repair, and its store."""

    replica: ReplicaId
    store: Store
    keeps_tombstones: bool = True

    @property
    def for_operator(self) -> ReplicaId:
        """Origin stamped on a write chosen by an operator. Uses a reserved replica ID.

        So no member takes the write for its own: it travels the whole ring back to this member,
        whose item may have changed by then, and a redelivered record of this member does not treat
        it as an earlier write of its own. Without tombstones, such a write could circle ahead of a
        delete for ever, as only its origin ends its lap: there the member's own ID is used.
        """
        return (
            replace(self.replica, id=OPERATOR_REPLICA_ID) if self.keeps_tombstones else self.replica
        )


@dataclass(frozen=True)
class KeyState:
    """A member's item and newest delete of a key."""

    item: Item | None
    last_delete: Write | None

    @property
    def is_dirty(self) -> bool:
        """Whether an application wrote the item: it has no version of its own."""
        return self.item is not None and replicated_write(Image(self.item)) is None

    @property
    def newest(self) -> Write | None:
        """The newest write: the item, if a hop wrote it, or the last delete."""
        replicated = None if self.item is None else replicated_write(Image(self.item))
        writes = [write for write in (replicated, self.last_delete) if write is not None]
        return max(writes, key=lambda write: write.version, default=None)

    def has_content_of(self, write: Write) -> bool:
        """Return whether the item has the write's content, with or without its version."""
        return (
            not write.is_delete
            and self.item is not None
            and digest(self.item) == write.version.digest
        )

    def is_behind(self, write: Write, *, keeps_tombstones: bool) -> bool:
        """Return whether the newest write of all members has to be applied here."""
        if write.is_delete:
            deleted = None if self.last_delete is None else self.last_delete.version
            lacks_tombstone = keeps_tombstones and (deleted is None or deleted < write.version)
            return self.item is not None or lacks_tombstone
        return not self.is_dirty and (self.newest is None or self.newest.version < write.version)


@dataclass(frozen=True)
class KeyRepair:
    """Outcome of a repair, or of its dry run.

    `repaired` has the places of the members that got the newest write. `skipped_reason` says why
    something was left unrepaired; None: nothing was.
    """

    repaired: tuple[int, ...] = ()
    skipped_reason: str | None = None


async def read_key_states(targets: Sequence[RepairTarget], key: Key) -> list[KeyState]:
    """Read the key at each member, consistently."""
    return [
        KeyState(await target.store.read(key), await target.store.get_tombstone(key))
        for target in targets
    ]


def newest_of(states: Sequence[KeyState]) -> Write | None:
    """Return the newest write of the key at any member."""
    writes = [state.newest for state in states if state.newest is not None]
    return max(writes, key=lambda write: write.version, default=None)


def stamp(item: Item, at: ReplicaId, over: Version | None = None) -> Write:
    """Return an item or stub without a version as a write of a member.

    Its version comes just after `over`; without `over`, before that of any other write.
    """
    seconds, counter = (0, 0) if over is None else (over.seconds, over.counter + 1)
    return as_write(item, at, Version.make(seconds, counter, at.id, 0, digest(item)))


def as_write(item: Item, at: ReplicaId, version: Version) -> Write:
    """Return an item as a write of a member, under a version."""
    content = {
        **application_attributes(item),
        SOURCE_REGION: {"S": at.region},
        SOURCE_TABLE: {"S": at.table},
        VERSION: {"B": version},
    }
    return Write(version, content, is_delete=False)


async def repair_key(
    targets: Sequence[RepairTarget], key: Key, prefer: int | None = None
) -> KeyRepair:
    """Apply a key's newest write at all members that are behind.

    An item without a version whose content is not the newest write's is skipped: its record is
    still in the stream and will resolve it. `prefer`, a member's place, says that there is no such
    record: then that member's item wins if it has no version, else a version wins over none. A
    missing item has no say: where no member has a version, the item is copied to the members that
    lack it, if all the others agree.

    Raises:
        ContendedError: A newer write arrived during every attempt.
    """
    repaired: dict[int, None] = {}
    for _ in range(_ATTEMPTS):
        plan = _plan(targets, await read_key_states(targets, key), prefer)
        for place in plan.behind:
            assert plan.write is not None
            outcome = await _apply(targets[place].store, key, plan.write)
            if isinstance(outcome, Superseded) and outcome.version != plan.write.version:
                break  # a newer write has arrived: read again
            repaired[place] = None
        else:
            return KeyRepair(tuple(repaired), plan.skipped_reason)
    raise ContendedError("the key changes faster than it can be repaired")


@dataclass(frozen=True)
class _Plan:
    """A write, the places of the members to apply it at, and why a member is skipped."""

    write: Write | None
    behind: Sequence[int]
    skipped_reason: str | None = None


def _plan(targets: Sequence[RepairTarget], states: Sequence[KeyState], prefer: int | None) -> _Plan:
    newest = newest_of(states)
    unsent = [
        place
        for place, state in enumerate(states)
        if state.is_dirty and (newest is None or not state.has_content_of(newest))
    ]
    behind = [
        place
        for place, (target, state) in enumerate(zip(targets, states, strict=True))
        if newest is not None
        and not state.is_dirty
        and state.is_behind(newest, keeps_tombstones=target.keeps_tombstones)
    ]
    if not unsent:
        return _Plan(newest, behind)
    if prefer is None:
        return _Plan(
            newest, behind, "an item without a version: its stream record may still be pending"
        )
    highest = max(filter(None, map(_highest, states)), default=None)
    winner = prefer if prefer in unsent else _winner_without_preference(newest, states, unsent)
    if winner is not None:
        item = states[winner].item
        assert item is not None
        write = stamp(item, targets[winner].for_operator, highest)
        return _Plan(write, sorted(range(len(targets)), key=lambda place: place != winner))
    if newest is None:
        return _Plan(None, (), "members have different items without a version: prefer one of them")
    # An application's item may contain the newest version or a higher one: only a write with a
    # still higher version replaces it.
    newer = _restamp(newest, targets[prefer].for_operator, highest)
    return _Plan(newer, range(len(targets)))


def _restamp(write: Write, at: ReplicaId, over: Version | None) -> Write:
    """Return the write as a member's write with a version just after `over`."""
    stamped = stamp(write.item, at, over)
    if not write.is_delete:
        return stamped
    return replace(stamped, item={**stamped.item, DELETED: {"BOOL": True}}, is_delete=True)


def _highest(standing: KeyState) -> Version | None:
    """Return a member's highest version, including one left in an application's item."""
    in_item = None if standing.item is None else Image(standing.item).version
    newest = None if standing.newest is None else standing.newest.version
    return max(filter(None, (in_item, newest)), default=None)


def _winner_without_preference(
    newest: Write | None, states: Sequence[KeyState], unsent: Sequence[int]
) -> int | None:
    """Return the place of the item that wins if the preferred member has none without a version.

    If the newest write is a delete: an item written after it. (A member that recorded the delete
    also removed the item from before it.) If there is no versioned write: any item, if all are the
    same, since a missing item has no say.
    """
    if newest is None:
        items = (states[place].item for place in unsent)
        contents = {digest(item) for item in items if item is not None}
        return unsent[0] if len(contents) == 1 else None
    for place in unsent if newest.is_delete else ():
        deleted = states[place].last_delete
        if deleted is not None and deleted.version >= newest.version:
            return place
    return None


async def _apply(store: Store, key: Key, write: Write) -> Applied | Superseded:
    if write.is_delete:
        return await apply_delete(store, key, write, is_retried=False)
    return await apply_write(store, key, write, expected=True)


def repair_targets(
    members: Sequence[MemberConnection], stores: Sequence[Store]
) -> list[RepairTarget]:
    """Return the members as targets of a repair.

    Raises:
        InvalidRequestError: A member has no replica ID: no hop starts there.
    """
    for member in members:
        if member.replica is None:
            raise InvalidRequestError(
                f"{member.name} has no replica ID: no hop of this stack starts there. "
                "Use the stack that deploys its hop, or select the other members with --member."
            )
    return [
        RepairTarget(
            ReplicaId(member.replica or "", member.region, member.tables.table),
            store,
            keeps_tombstones=member.tables.tombstones is not None,
        )
        for member, store in zip(members, stores, strict=True)
    ]
