"""Apply a write or a delete at a member, and clear what is out of date from it.

Any prefix of these steps may have happened before: a record is delivered at least once, and
what is found done already is left as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from handler.model.image import VERSION, Image, Item, Key, Write, replicated_write
from handler.model.version import Version
from handler.protocol.decide import MemberState, member_state
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    IfOlder,
    IfUnchanged,
    IfVersionOlder,
    Store,
    Written,
)

# How often two ends are compared while others change what was read, before the record is given
# back to be delivered again.
MAX_ATTEMPTS = 10


class ContendedError(Exception):
    """An item changed between a hop's looks, again and again; a later try will find calm."""


@dataclass(frozen=True)
class Applied:
    """A write that is at the member now."""

    over_unversioned: bool = False
    """It took the place of an item without a version: one that an application put there."""


@dataclass(frozen=True)
class Superseded:
    """What stands in the way of a write: a newer item, or the tombstone of a newer delete."""

    version: Version
    item: Item
    """The item, or the stub that the tombstone keeps."""


async def apply_write(
    store: Store, key: Key, write: Write, *, expected: bool
) -> Applied | Superseded:
    """Bring a write to a member, unless something newer is in the way.

    ``expected`` says that the member should have the item already, as it has in most changes:
    then one conditional put does it. Where the item is absent, the key's tombstone is looked at
    before it is created.
    """
    if expected:
        outcome = await _put(store, key, write, IfOlder(write.version, or_absent=False))
        if isinstance(outcome, Written):
            return Applied(over_unversioned=_is_unversioned(outcome.replaced))
        if outcome.item is not None:
            return _superseded_by(outcome)
    buried = await store.get_tombstone(key)
    if buried is not None and buried.version > write.version:
        return Superseded(buried.version, buried.item)
    outcome = await _put(store, key, write, IfOlder(write.version))
    return Applied() if isinstance(outcome, Written) else _superseded_by(outcome)


async def apply_delete(store: Store, key: Key, delete: Write) -> Applied | Superseded:
    """Put a stub where the item was, record the tombstone, and take the stub away.

    The stub carries the delete's version into the table's stream, also where there was nothing
    to delete. The tombstone comes after it, so a tombstone tells that the stub has been there: a
    delete that is delivered again does not take away what was put there since. Until the stub
    goes, it keeps out what is older as well as a tombstone does.
    """
    buried = await store.get_tombstone(key)
    was_done = buried is not None and buried.version >= delete.version
    condition = IfVersionOlder(delete.version) if was_done else IfOlder(delete.version)
    outcome = await _put(store, key, delete, condition)
    if isinstance(outcome, ConditionFailed) and _is_unversioned(outcome.item):
        return Applied()
    stands = delete if isinstance(outcome, Written) else _left_by_a_crash(outcome, delete)
    if stands is not None:
        await store.put_tombstone(key, stands)
        await store.delete_stub(key, stands.version)
    return Applied() if isinstance(outcome, Written) else _superseded_by(outcome)


def _left_by_a_crash(refusal: ConditionFailed, delete: Write) -> Write | None:
    """The stub of the same delete, perhaps under another version, that was never taken away."""
    stands = None if refusal.item is None else replicated_write(Image(refusal.item))
    if stands is None or not stands.is_delete:
        return None
    return stands if stands.version.is_same_write(delete.version) else None


async def restore_taken_write(
    source: Store,
    target: Store,
    key: Key,
    taken_by: Write | None,
    is_due: Callable[[Version], bool],
) -> None:
    """Bring a newer write back to the source, in the place of an older one.

    A newer write gets to every member by its own records, and where an item is absent an
    application may have deleted it just now. So only two are brought back, by the hop that works
    on the record of the older one: what ``is_due``, and what is newer than ``taken_by`` as long as
    that still stands there, as when an application put an exact copy of an old item back.

    Args:
        source: the member that the hop starts at.
        target: the next member.
        key: the item's key.
        taken_by: the older write, which has arrived at the source; None: it is not known.
        is_due: tells the source's own writes that the older one has taken the place of. Their
            copies end their lap before they get back to it.

    Raises:
        ContendedError: others were faster, every time.
    """
    for _ in range(MAX_ATTEMPTS):
        here, there = await read_and_purge(source, key, taken_by), await read_and_purge(target, key)
        if here is None or there is None or there.write.version <= here.write.version:
            return
        if taken_by is not None and here.write.version < taken_by.version:
            return  # What took it was removed in turn, and the record of that is still to come.
        write, standing = there.write, None if here.is_absent else here.write
        stands_yet = standing is not None and standing == taken_by
        if write.is_delete or not (stands_yet or is_due(write.version)):
            return
        condition = IfUnchanged(None if standing is None else standing.item)
        if isinstance(await source.put(key, write.item, condition), Written):
            return
    raise ContendedError("both ends of the hop change faster than they can be compared")


async def read_and_purge(store: Store, key: Key, seen: Write | None = None) -> MemberState | None:
    """See what a member holds, and take away what its own tombstone has outlived."""
    item = await store.read(key)
    deletes = [
        await store.get_tombstone(key),
        seen if seen is not None and seen.is_delete else None,
    ]
    held = member_state(None if item is None else Image(item), deletes)
    if held is not None and held.is_stale:
        await apply_delete(store, key, held.write)
        return replace(held, is_absent=True)
    return held


async def _put(
    store: Store, key: Key, write: Write, condition: Condition
) -> Written | ConditionFailed:
    outcome = await store.put(key, write.item, condition)
    if (
        isinstance(outcome, ConditionFailed)
        and not _is_unversioned(outcome.item)
        and _version(outcome) is None
    ):
        # A made-up version, which counts as none but would win every comparison of texts.
        await store.put(key, write.item, IfUnchanged(outcome.item))
        outcome = await store.put(key, write.item, condition)
    return outcome


def _is_unversioned(item: Item | None) -> bool:
    """Whether nothing stands there, or an item that an application put."""
    return item is None or VERSION not in item


def _superseded_by(refusal: ConditionFailed) -> Superseded:
    version = _version(refusal)
    if version is None or refusal.item is None:
        raise ContendedError("the item at the next member changes faster than it can be replaced")
    return Superseded(version, refusal.item)


def _version(refusal: ConditionFailed) -> Version | None:
    return None if refusal.item is None else Image(refusal.item).version
