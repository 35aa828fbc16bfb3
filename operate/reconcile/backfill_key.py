"""One key that a member lacks, filled from another: at most one write, at its version.

What is put there names those members to the other side of it that have it already. So its hop
passes nothing on to them, and filling a table costs a write for each item, not a lap of the ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handler.model.image import PRESENT_AT, Image, Item, Key, Write, digest, replicated_write
from handler.model.version import Version
from handler.store.dynamodb import ConditionFailed, IfUnchanged, IfVersionOlder, Store, Written
from operate.reconcile.repair_key import KeyState, RepairTarget, newest_of, read_key_states, stamp


class BackfillOutcome(StrEnum):
    """What became of a key."""

    WRITTEN = "written"
    ALREADY_PRESENT = "there already"
    """It, or something newer, or a newer delete."""
    PENDING_RECORD = "left to its record"
    """An item without a version stands in the way, whose record will settle the key."""
    CONFLICT = "conflict"
    """Members have items without a version that differ, and nothing tells who is right."""


@dataclass(frozen=True)
class BackfillPath:
    """From whom to whom, the target's next members, and all others."""

    source: RepairTarget
    target: RepairTarget
    next: Sequence[RepairTarget]
    others: Sequence[RepairTarget]
    """All but source and target."""


async def backfill_key(way: BackfillPath, key: Key, item: Item) -> BackfillOutcome:
    """Fill a key whose item was just read at the source, which should be the one before the target.

    A delete that the target lost with its table, and the source does not know yet, is known to the
    next. Its tombstone is not brought to the target: it would tell that the delete was there, and
    one that is on its way would end there.
    """
    write = replicated_write(Image(item)) or await _version(way, key, item)
    if isinstance(write, BackfillOutcome):
        return write
    if write.is_delete:
        return BackfillOutcome.PENDING_RECORD
    standings = await read_key_states(way.next, key)
    deletes = [await way.target.store.get_tombstone(key), *(one.last_delete for one in standings)]
    if any(buried is not None and buried.version > write.version for buried in deletes):
        return BackfillOutcome.ALREADY_PRESENT
    return await _put(way.target.store, key, _known(way, standings, write))


async def _version(way: BackfillPath, key: Key, item: Item) -> Write | BackfillOutcome:
    """The write that an item without a version is to the others; what becomes of it, if none.

    A copy elsewhere tells its version, also where it is another write's: that is on its way here,
    or this is on its way there. If nobody else has anything, this was there before the ring.
    """
    standings = await read_key_states([way.target, *way.others], key)
    newest = newest_of(standings)
    if newest is not None:
        return newest
    contents = {digest(one.item) for one in standings if one.item is not None}
    if contents - {digest(item)}:
        return BackfillOutcome.CONFLICT
    return (
        BackfillOutcome.ALREADY_PRESENT
        if standings[0].item is not None
        else stamp(item, way.source.replica)
    )


def _known(way: BackfillPath, standings: Sequence[KeyState], write: Write) -> Item:
    """The item, with the ids of the next members that have it.

    Not of those that have something newer: if the target made that, and lost it with its table, its
    copy ends at the source, and only the target's hop, refused there, brings it back.
    """
    ids = [
        end.replica.id
        for end, standing in zip(way.next, standings, strict=True)
        if _has(standing, write)
    ]
    bare = {name: value for name, value in write.item.items() if name != PRESENT_AT}
    return {**bare, PRESENT_AT: {"SS": ids}} if ids else bare


def _has(standing: KeyState, write: Write) -> bool:
    if standing.is_dirty:
        return standing.has_content_of(write)
    return standing.newest is not None and standing.newest.version == write.version


async def _put(store: Store, key: Key, item: Item) -> BackfillOutcome:
    """Put it where nothing stands, or something older: never over an application's write."""
    version = Version(item["_repl_version"]["S"])
    outcome = await store.put(key, item, IfUnchanged(None))
    if isinstance(outcome, ConditionFailed) and _is_older(outcome.item, version):
        outcome = await store.put(key, item, IfVersionOlder(version))
    if isinstance(outcome, Written):
        return BackfillOutcome.WRITTEN
    standing = Image(outcome.item or {})
    return BackfillOutcome.ALREADY_PRESENT if standing.is_clean else BackfillOutcome.PENDING_RECORD


def _is_older(item: Item | None, version: Version) -> bool:
    image = Image(item or {})
    return image.version is not None and image.is_clean and image.version < version
