"""Apply a write or a delete at a member, and remove what the member's tombstone supersedes.

A record is delivered at least once, so any prefix of these steps may have run before: a step whose
work is done changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from handler.model.image import VERSION, Image, Item, Key, Write, replicated_write
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.decide import KeyState, member_state
from handler.store.dynamodb import (
    Condition,
    ConditionFailed,
    IfOlder,
    IfUnchanged,
    IfVersionOlder,
    Store,
    Written,
)

MAX_ATTEMPTS = 10
"""Comparisons of two members that others keep changing, before the record is left to be delivered
again."""


class ContendedError(Exception):
    """Others changed an item between a hop's reads and its write, at every attempt. Transient."""


@dataclass(frozen=True)
class Applied:
    """A write that the member has taken."""

    over_unversioned: bool = False
    """It replaced an item without a version: one that an application put there."""
    replaced: Item | None = None
    """The item that a delete has replaced."""


@dataclass(frozen=True)
class Superseded:
    """A newer item, or the tombstone of a newer delete, that refused a write."""

    version: Version
    item: Item
    """The item, or the stub that the tombstone keeps."""


@dataclass(frozen=True)
class Comparison:
    """The states in which a comparison of two members found them; None: undecided."""

    source: KeyState | None
    target: KeyState | None
    restored: bool = False
    """Whether the target's write has replaced that of the source."""


async def apply_change(store: Store, change: Change, write: Write) -> Applied | Superseded:
    """Apply a change at a member, as the write or delete that it is there.

    Raises:
        ContendedError: others replace the item faster than it can be written.
        ItemTooLargeError: the item does not fit.
    """
    if write.is_delete:
        return await apply_delete(store, change.key, write)
    return await apply_write(store, change.key, write, expected=change.old is not None)


async def apply_write(
    store: Store, key: Key, write: Write, *, expected: bool
) -> Applied | Superseded:
    """Put a write at a member, unless the member has something newer.

    Args:
        store: the member.
        key: the item's key.
        write: an item with its version, or a stub.
        expected: the member should have the item already, as in most changes. Then one conditional
            put does it. An absent item is only created after a read of the key's tombstone.

    Raises:
        ContendedError: others replace the item faster than it can be written.
        ItemTooLargeError: the item does not fit.
    """
    if expected:
        outcome = await _put(store, key, write, IfOlder(write.version, or_absent=False))
        if isinstance(outcome, Written):
            return Applied(over_unversioned=_is_unversioned(outcome.replaced))
        if outcome.item is not None:
            return _superseded_by(outcome)
    tombstone = await store.get_tombstone(key)
    if tombstone is not None and tombstone.version > write.version:
        return Superseded(tombstone.version, tombstone.item)
    outcome = await _put(store, key, write, IfOlder(write.version))
    return Applied() if isinstance(outcome, Written) else _superseded_by(outcome)


async def apply_delete(
    store: Store, key: Key, delete: Write, *, is_retried: bool = True
) -> Applied | Superseded:
    """Replace the item by a stub, record the tombstone, and delete the stub.

    The stub puts the delete's version into the table's stream, also where there was no item. The
    tombstone is written after it, so a tombstone proves that the stub was there: a delete that is
    delivered again leaves alone what was put there since. Until the stub is deleted, it refuses
    older writes as a tombstone does.

    Args:
        store: the member.
        key: the item's key.
        delete: the delete, as a stub.
        is_retried: it is done again if it fails, as a hop does with its record. Else no stub is put
            once more: nobody would delete it.

    Raises:
        ContendedError: others replace the item faster than it can be deleted.
    """
    tombstone = await store.get_tombstone(key)
    was_done = tombstone is not None and tombstone.version >= delete.version
    condition = IfVersionOlder(delete.version) if was_done else IfOlder(delete.version)
    outcome = await _put(store, key, delete, condition)
    if isinstance(outcome, ConditionFailed) and _is_unversioned(outcome.item):
        return Applied()
    stub = delete if isinstance(outcome, Written) else _left_by_a_crash(outcome, delete)
    if stub is not None:
        await store.put_tombstone(key, stub)
        await _remove_stub(store, key, stub, puts_again=is_retried and not was_done)
    if isinstance(outcome, Written):
        return Applied(replaced=outcome.replaced)
    return _superseded_by(outcome)


async def _remove_stub(store: Store, key: Key, stub: Write, *, puts_again: bool) -> None:
    """Delete the stub of a delete whose tombstone is recorded.

    An application may have deleted the stub before there was a tombstone. A hop that compared the
    member meanwhile found neither, and left the key to the record of that delete, which looks like
    this one's. So the stub is put once more: the next hop compares the members when it arrives at
    nothing.

    Args:
        store: the member.
        key: the item's key.
        stub: the delete.
        puts_again: put it once more; not where there was a tombstone of the delete all the time.
    """
    removed = await store.delete_stub(key, stub.version)
    if not puts_again or isinstance(removed, Written) or removed.item is not None:
        return
    if isinstance(await store.put(key, stub.item, IfUnchanged(None)), Written):
        await store.delete_stub(key, stub.version)


def _left_by_a_crash(failed: ConditionFailed, delete: Write) -> Write | None:
    """Return the stub of the same delete, perhaps under another version, that still stands."""
    stub = None if failed.item is None else replicated_write(Image(failed.item))
    if stub is None or not stub.is_delete:
        return None
    return stub if stub.version.is_same_write(delete.version) else None


async def restore_newer_write(
    source: Store,
    target: Store,
    key: Key,
    replaced_by: Write | None,
    must_restore: Callable[[Version, Version], bool],
) -> Comparison:
    """Copy the target's newer write back to the source, over an older one.

    As a rule the records of a newer write take it to every member, and an item that is absent may
    have been deleted by an application just now. So only what ``must_restore`` is copied back, by
    the hop that works on the record of the older write.

    Args:
        source: the member that the hop starts at.
        target: the next member.
        key: the item's key.
        replaced_by: the older write, which has arrived at the source; None: it is not known.
        must_restore: by the version at the target and that at the source; true for what no record
            delivers: the source's own writes that the older one has replaced, whose copies end
            their lap before they get back to the source; and the older one itself, under a higher
            version.

    Raises:
        ContendedError: others changed the item at every attempt.
    """
    for _ in range(MAX_ATTEMPTS):
        at_source = await read_and_clear(source, key, replaced_by)
        at_target = await read_and_clear(target, key)
        found = Comparison(at_source, at_target)
        if at_source is None or at_target is None:
            return found
        if at_target.write.version <= at_source.write.version:
            return found
        if replaced_by is not None and at_source.write.version < replaced_by.version:
            return found  # What replaced it was removed in turn; that record is still to come.
        write = at_target.write
        if write.is_delete or not must_restore(write.version, at_source.write.version):
            return found
        condition = IfUnchanged(None if at_source.is_absent else at_source.write.item)
        if isinstance(await source.put(key, write.item, condition), Written):
            return replace(found, restored=True)
    raise ContendedError(
        f"Both members of the hop changed the item between read and write, {MAX_ATTEMPTS} times in "
        "a row. The record is delivered again."
    )


async def read_and_clear(store: Store, key: Key, arrived: Write | None = None) -> KeyState | None:
    """Read what a member holds of a key, and delete an item that its tombstone supersedes.

    Args:
        store: the member.
        key: the item's key.
        arrived: a write that has arrived at the member. A delete counts as its tombstone, which may
            not be recorded yet.

    Returns:
        The state after that; None while a local change is in the stream and will settle the key.

    Raises:
        ContendedError: others replace the item faster than it can be deleted.
    """
    item = await store.read(key)
    deletes = [
        await store.get_tombstone(key),
        arrived if arrived is not None and arrived.is_delete else None,
    ]
    state = member_state(None if item is None else Image(item), deletes)
    if state is not None and state.is_stale:
        deleted = await apply_delete(store, key, state.write)
        # It may have replaced another item than the one that was read.
        item = deleted.replaced if isinstance(deleted, Applied) else None
        standing = None if item is None else replicated_write(Image(item))
        return replace(state, is_absent=True, standing=standing)
    return state


async def _put(
    store: Store, key: Key, write: Write, condition: Condition
) -> Written | ConditionFailed:
    outcome = await store.put(key, write.item, condition)
    if (
        isinstance(outcome, ConditionFailed)
        and not _is_unversioned(outcome.item)
        and _version(outcome) is None
    ):
        # A made-up version: it counts as none, but may win every comparison.
        await store.put(key, write.item, IfUnchanged(outcome.item))
        outcome = await store.put(key, write.item, condition)
    return outcome


def _is_unversioned(item: Item | None) -> bool:
    """Return whether there is no item, or one that an application put."""
    return item is None or VERSION not in item


def _superseded_by(failed: ConditionFailed) -> Superseded:
    version = _version(failed)
    if version is None or failed.item is None:
        raise ContendedError(
            "The item at the member changed between two writes. The record is delivered again."
        )
    return Superseded(version, failed.item)


def _version(failed: ConditionFailed) -> Version | None:
    return None if failed.item is None else Image(failed.item).version
