"""Backfill one key that a member lacks from another member: at most one write, at its version.

The item written lists the next members that have it already. So the target's hop forwards nothing
to them, and a backfill costs one write per item, not a lap of the ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handler.model.image import (
    KNOWN_AT,
    VERSION,
    Image,
    Item,
    Key,
    Write,
    digest,
    replicated_write,
)
from handler.model.version import Version
from handler.protocol.apply import MAX_ATTEMPTS
from handler.store.dynamodb import ConditionFailed, IfUnchanged, IfVersionOlder, Store, Written
from operate.reconcile.repair_key import (
    KeyState,
    RepairTarget,
    as_write,
    newest_of,
    read_key_states,
    stamp,
)


class BackfillOutcome(StrEnum):
    """Outcome of a key."""

    WRITTEN = "written"
    ALREADY_PRESENT = "there already"
    """The target has the item, a newer one, or a newer delete."""
    PENDING_RECORD = "left to its record"
    """The target has an item without a version, whose stream record will resolve the key."""
    CONFLICT = "conflict"
    """Members have different items without a version, and nothing decides between them."""


@dataclass(frozen=True)
class BackfillPath:
    """Source and target of a backfill, the target's next members, and all other members."""

    source: RepairTarget
    target: RepairTarget
    next: Sequence[RepairTarget]
    others: Sequence[RepairTarget]
    """All members except source and target."""


async def backfill_key(path: BackfillPath, key: Key, item: Item) -> BackfillOutcome:
    """Fill a key whose item was just read at the source, preferably the target's predecessor.

    The next members are asked as well: the target may have lost a write or delete of its own with
    its table that has reached them, but not the source. A write is taken from there, as its copies
    end their lap before the target. A tombstone is not copied: the same delete, arriving later,
    would be taken for applied and not be forwarded.
    """
    write = replicated_write(Image(item)) or await _find_version(path, key, item)
    if isinstance(write, BackfillOutcome):
        return write
    states = await read_key_states(path.next, key)
    newest = newest_of(states)
    if newest is not None and newest.version > write.version:
        write = newest
    tombstone = await path.target.store.get_tombstone(key)
    if write.is_delete or (tombstone is not None and tombstone.version > write.version):
        return BackfillOutcome.ALREADY_PRESENT
    return await _put(path.target.store, key, _with_present_at(path, states, write))


async def _find_version(path: BackfillPath, key: Key, item: Item) -> Write | BackfillOutcome:
    """Return the write for an item without a version, or the key's outcome if there is no write.

    The newest version at the other members counts, even if it is of another write: that write is
    still being replicated to the source, or the source's to them. If it is a delete that the source
    has, too, and the item is still there, the item was written after it. If no other member has the
    key, nor the source a tombstone, the item is older than the ring.
    """
    states = await read_key_states([path.target, *path.others], key)
    newest = newest_of(states)
    if newest is not None and not newest.is_delete:
        return newest
    if newest is None:
        contents = {digest(state.item) for state in states if state.item is not None}
        if contents - {digest(item)}:
            return BackfillOutcome.CONFLICT
        if states[0].item is not None:
            return BackfillOutcome.ALREADY_PRESENT
    delete = await path.source.store.get_tombstone(key)
    deleted = None if delete is None else delete.version
    is_older = newest is not None and (deleted is None or deleted < newest.version)
    if is_older or (deleted is not None and await path.source.store.read(key) != item):
        return BackfillOutcome.PENDING_RECORD
    return (
        stamp(item, path.source.replica) if deleted is None else _stamp_after(deleted, path, item)
    )


def _stamp_after(deleted: Version, path: BackfillPath, item: Item) -> Write:
    """Return an item of the source as its write, with the lowest version above a delete's.

    A later write of the source may have got to the target before: it is above any such version.
    """
    time, source = (deleted.seconds, deleted.counter), path.source.replica
    places = (*time, 0), (*time, deleted.sequence + 1), (deleted.seconds, deleted.counter + 1, 0)
    versions = (
        Version.make(seconds, counter, source.id, sequence, digest(item))
        for seconds, counter, sequence in places
    )
    return as_write(item, source, next(version for version in versions if version > deleted))


def _with_present_at(path: BackfillPath, states: Sequence[KeyState], write: Write) -> Item:
    """Return the item with the IDs of the next members that have it."""
    ids = [
        member.replica.id
        for member, state in zip(path.next, states, strict=True)
        if _has(state, write)
    ]
    item = {name: value for name, value in write.item.items() if name != KNOWN_AT}
    return {**item, KNOWN_AT: {"SS": ids}} if ids else item


def _has(state: KeyState, write: Write) -> bool:
    if state.is_dirty:
        return state.has_content_of(write)
    return state.newest is not None and state.newest.version == write.version


async def _put(store: Store, key: Key, item: Item) -> BackfillOutcome:
    """Put an item over none or an older one, never over an application's write."""
    version = Version(item[VERSION]["B"])
    for _ in range(MAX_ATTEMPTS):
        outcome = await store.put(key, item, IfUnchanged(None))
        if isinstance(outcome, ConditionFailed) and _is_older(outcome.item, version):
            outcome = await store.put(key, item, IfVersionOlder(version))
        if isinstance(outcome, Written):
            return BackfillOutcome.WRITTEN
        if outcome.item is not None:
            is_clean = Image(outcome.item).is_clean
            return BackfillOutcome.ALREADY_PRESENT if is_clean else BackfillOutcome.PENDING_RECORD
    return BackfillOutcome.PENDING_RECORD


def _is_older(item: Item | None, version: Version) -> bool:
    image = Image(item or {})
    return image.version is not None and image.is_clean and image.version < version
