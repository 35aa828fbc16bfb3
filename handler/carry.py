"""Bringing a write to a member, and the two ends of a hop to agreement.

Any prefix of these steps may have happened before: a record is delivered at least once, and
what is found done already is left as it is.
"""

from dataclasses import dataclass, replace

from handler.decide import Holding, holding
from handler.image import VERSION, Image, Item, Key, Write, carried
from handler.store import Condition, Older, Refusal, Same, Store, Versioned, Written
from handler.version import Version

# How often agreement is sought while others change what was read, before the record is given
# back to be delivered again.
ATTEMPTS = 10


class ContendedError(Exception):
    """An item changed between a hop's looks, again and again; a later try will find calm."""


@dataclass(frozen=True)
class Brought:
    """A write that is at the member now."""

    over_unversioned: bool = False
    """It took the place of an item without a version: one that an application put there."""


@dataclass(frozen=True)
class Blocker:
    """What stands in the way of a write: a newer item, or the tombstone of a newer delete."""

    version: Version
    item: Item
    """The item, or the stub that the tombstone keeps."""


async def bring(store: Store, key: Key, write: Write, *, expected: bool) -> Brought | Blocker:
    """Bring a write to a member, unless something newer is in the way.

    ``expected`` says that the member should have the item already, as it has in most changes:
    then one conditional put does it. Where the item is absent, the key's tombstone is looked at
    before it is created.
    """
    if expected:
        outcome = await _put(store, key, write, Older(write.version, or_absent=False))
        if isinstance(outcome, Written):
            return Brought(over_unversioned=_is_unversioned(outcome.over))
        if outcome.item is not None:
            return _blocker(outcome)
    buried = await store.tombstone(key)
    if buried is not None and buried.version > write.version:
        return Blocker(buried.version, buried.item)
    outcome = await _put(store, key, write, Older(write.version))
    return Brought() if isinstance(outcome, Written) else _blocker(outcome)


async def bring_delete(store: Store, key: Key, delete: Write) -> Brought | Blocker:
    """Put a stub where the item was, record the tombstone, and take the stub away.

    The stub carries the delete's version into the table's stream, also where there was nothing
    to delete. The tombstone comes after it, so a tombstone tells that the stub has been there: a
    delete that is delivered again does not take away what was put there since. Until the stub
    goes, it keeps out what is older as well as a tombstone does.
    """
    buried = await store.tombstone(key)
    was_done = buried is not None and buried.version >= delete.version
    condition = Versioned(delete.version) if was_done else Older(delete.version)
    outcome = await _put(store, key, delete, condition)
    if isinstance(outcome, Refusal) and _is_unversioned(outcome.item):
        return Brought()
    stands = delete if isinstance(outcome, Written) else _left_by_a_crash(outcome, delete)
    if stands is not None:
        await store.bury(key, stands)
        await store.remove_stub(key, stands.version)
    return Brought() if isinstance(outcome, Written) else _blocker(outcome)


def _left_by_a_crash(refusal: Refusal, delete: Write) -> Write | None:
    """The stub of the same delete, perhaps under another version, that was never taken away."""
    stands = None if refusal.item is None else carried(Image(refusal.item))
    if stands is None or not stands.is_delete:
        return None
    return stands if stands.version.is_same_write(delete.version) else None


async def agree(source: Store, target: Store, key: Key, seen: Write | None = None) -> None:
    """Bring the end of a hop that holds the older write up to the newer one.

    ``seen`` is a write that has arrived at the source; if it is a delete, its tombstone may not
    have been recorded yet.

    Raises:
        ContendedError: others were faster, every time.
    """
    for _ in range(ATTEMPTS):
        here, there = await clear(source, key, seen), await clear(target, key)
        if here is None or there is None:
            return  # A local change is still in its stream, and its record will see to it.
        if here.write.version == there.write.version:
            return
        older, behind, newer = (
            (here, source, there.write)
            if here.write.version < there.write.version
            else (there, target, here.write)
        )
        if newer.is_delete:
            await bring_delete(behind, key, newer)
            return
        condition = Older(newer.version, or_absent=older.is_gone)
        if isinstance(await behind.put(key, newer.item, condition), Written):
            return
    raise ContendedError("both ends of the hop change faster than they can be compared")


async def clear(store: Store, key: Key, seen: Write | None = None) -> Holding | None:
    """See what a member holds, and take away what its own tombstone has outlived."""
    item = await store.read(key)
    deletes = [await store.tombstone(key), seen if seen is not None and seen.is_delete else None]
    held = holding(None if item is None else Image(item), deletes)
    if held is not None and held.is_debris:
        await bring_delete(store, key, held.write)
        return replace(held, is_gone=True)
    return held


async def _put(store: Store, key: Key, write: Write, condition: Condition) -> Written | Refusal:
    outcome = await store.put(key, write.item, condition)
    if (
        isinstance(outcome, Refusal)
        and not _is_unversioned(outcome.item)
        and _version(outcome) is None
    ):
        # A made-up version, which counts as none but would win every comparison of texts.
        await store.put(key, write.item, Same(outcome.item))
        outcome = await store.put(key, write.item, condition)
    return outcome


def _is_unversioned(item: Item | None) -> bool:
    """Whether nothing stands there, or an item that an application put."""
    return item is None or VERSION not in item


def _blocker(refusal: Refusal) -> Blocker:
    version = _version(refusal)
    if version is None or refusal.item is None:
        raise ContendedError("the item at the next member changes faster than it can be replaced")
    return Blocker(version, refusal.item)


def _version(refusal: Refusal) -> Version | None:
    return None if refusal.item is None else Image(refusal.item).version
