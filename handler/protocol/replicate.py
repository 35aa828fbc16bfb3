"""Replicate one change of a member's table to the next member.

``replicate`` classifies the change. A local write or delete gets a version and is sent
(``send_local_change``). A write that another hop applied keeps its version and is forwarded, until
its lap is complete (``_forward``). The conditional writes are those of ``protocol.apply``. If the
target has something newer, that wins, and both members are cleared of what their tombstones
supersede (``_yield_to_newer``).
"""

from collections.abc import Iterable
from dataclasses import replace

from handler.model.image import DELETED, KNOWN_AT, VERSION, Image, Item, Key, Write, digest
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import (
    Applied,
    Comparison,
    Superseded,
    apply_delete,
    apply_write,
    read_and_clear,
    restore_newer_write,
)
from handler.protocol.conflicts import (
    Conflicts,
    conflicts_of,
    conflicts_with_delete,
    conflicts_with_own_write,
    each_once,
)
from handler.protocol.decide import (
    Arrival,
    LocalDelete,
    LocalWrite,
    NoOp,
    StubRemoved,
    classify_change,
    image_versions,
    stamp_local_change,
)
from handler.protocol.expiry_delete import make_expiry_delete
from handler.protocol.hop import (
    Action,
    Conflict,
    Hop,
    Outcome,
    is_earlier_local_write,
    is_later_local_write,
    is_same_local_write,
)
from handler.store.dynamodb import IfUnchanged, Written


async def replicate(change: Change, hop: Hop) -> Outcome:
    """Do for the next member what a change of the source requires.

    Raises:
        ContendedError: others changed the item at every attempt.
        ItemTooLargeError: the item does not fit at the next member.
    """
    match classify_change(change):
        case NoOp():
            return Outcome(Action.IGNORED)
        case LocalDelete() if change.expired:
            return await _replicate_expiry(change, hop)
        case LocalDelete() as local if not hop.uses_tombstones:
            delete = stamp_local_change(change, local, hop.source_replica, image_versions(change))
            return await _delete_without_tombstone(change, delete, hop)
        case LocalWrite() | LocalDelete() as local:
            return await send_local_change(change, local, hop)
        case Arrival() as arrival:
            return await _forward(change, arrival, hop)
        case StubRemoved() as removed:
            return await _finish_delete(change, removed, hop)


async def send_local_change(
    change: Change, local: LocalWrite | LocalDelete, hop: Hop, known: Iterable[Version] = ()
) -> Outcome:
    """Version a local change, and apply it at the next member.

    Its version is above those of its images and of ``known``. If the next member has a write that
    this change was based on, it gets a version above that one, too, and is applied again.
    """
    follows = [*image_versions(change), *known]
    while True:
        write = stamp_local_change(change, local, hop.source_replica, follows)
        if write.is_delete:
            write = await _record_delete_at_source(change, write, hop)
        outcome = await _apply_write(change, write, hop)
        if _has_reached_target(outcome, write):
            break
        base = await _find_known_version(change, write, outcome, hop)
        if base is not None:
            follows.append(base)
        elif isinstance(outcome, Applied):
            break
        else:
            return await _yield_to_newer(change, hop, outcome, write)
    if isinstance(local, LocalWrite):
        await _remove_stub_mark(change.key, local.image.item, write, hop)
    return Outcome(
        Action.DELETED if write.is_delete else Action.REPLICATED, written_at=change.seconds
    )


async def _record_delete_at_source(change: Change, delete: Write, hop: Hop) -> Write:
    """Record a local delete's tombstone, above that of an earlier delete made at the source.

    Returns:
        The delete as it is recorded: an earlier delivery may have given it another version.
    """
    while True:
        kept = await hop.source.put_tombstone(change.key, delete)
        if kept is not None and is_earlier_local_write(kept.version, change, hop):
            delete = stamp_local_change(change, LocalDelete(), hop.source_replica, [kept.version])
        elif kept is not None and kept.version.is_same_write(delete.version):
            return kept
        else:
            return delete


async def _apply_write(change: Change, write: Write, hop: Hop) -> Applied | Superseded:
    if write.is_delete:
        return await apply_delete(hop.target, change.key, write)
    return await apply_write(hop.target, change.key, write, expected=change.old is not None)


def _has_reached_target(outcome: Applied | Superseded, write: Write) -> bool:
    """Return whether the target has the write, and it replaced nothing that may hide a delete.

    A retry may have given it another version there. That of an arrival never changes.
    """
    if isinstance(outcome, Applied):
        return not outcome.over_unversioned
    return outcome.version.is_same_write(write.version)


async def _find_known_version(
    change: Change, write: Write, outcome: Applied | Superseded, hop: Hop
) -> Version | None:
    """Find a version that a local change was based on and must be above; None: there is none."""
    if isinstance(outcome, Superseded):
        version = outcome.version
        is_known = any(version.is_same_write(known) for known in image_versions(change))
        if is_known or is_earlier_local_write(version, change, hop):
            return version
    # A delete whose tombstone is at the source has deleted what was written there before it. So an
    # item there that no hop wrote was written after the delete, whatever the clocks say. If it is
    # not the item that this change left, a later change left it, and that change's record settles
    # the key.
    tombstone = await hop.source.get_tombstone(change.key)
    if tombstone is None or tombstone.version <= write.version:
        return None
    if is_later_local_write(tombstone.version, change, hop):
        return None  # A later local delete: this change is delivered again, after it.
    current = await hop.source.read(change.key)
    if _is_still_current(change, current):
        return tombstone.version
    # The put may have replaced an item that hid the target's tombstone. The later change has to be
    # refused by that tombstone, to get a version above it: so clear the target.
    await read_and_clear(hop.target, change.key)
    return None


def _is_still_current(change: Change, current: Item | None) -> bool:
    """Return whether the item that an application left in a change is there, not a hop's copy."""
    if change.new is None or current is None or Image(current).is_clean:
        return False
    return digest(current) == digest(change.new.item)


async def _remove_stub_mark(key: Key, item: Item, write: Write, hop: Hop) -> None:
    """Remove the stub's mark from an item that an application made of a stub, by UpdateItem.

    Readers that filter out stubs would miss the item otherwise. It is read first, since a condition
    on the version does not see whether the application has updated it again.
    """
    if {DELETED, VERSION} <= item.keys() and await hop.source.read(key) == item:
        await hop.source.put(key, write.item, IfUnchanged(item))


async def _forward(change: Change, arrival: Arrival, hop: Hop) -> Outcome:
    """Forward a write that another hop applied at the source, until it is back at its origin."""
    write = arrival.write
    if arrival.created and not write.is_delete:
        tombstone = await hop.source.get_tombstone(change.key)
        if tombstone is not None and tombstone.version > write.version:
            # The delete came between the other hop's read of the tombstone and its put.
            return await _yield_to_newer(
                change, hop, Superseded(tombstone.version, tombstone.item), write
            )
    if write.version.replica == hop.target_replica.id or write.is_known_at(hop.target_replica.id):
        return await _complete_lap(change, arrival, hop)
    outcome = await _apply_write(change, write, hop)
    if isinstance(outcome, Applied) or outcome.version == write.version:
        return Outcome(
            Action.DELETED if write.is_delete else Action.REPLICATED, written_at=_written_at(write)
        )
    found = await _restore_newer_write(change, hop, write)
    conflicts = (
        *conflicts_of(change.key, outcome, write),
        *conflicts_with_own_write(change, hop, write, found),
    )
    return Outcome(Action.REFUSED, each_once(conflicts))


async def _complete_lap(change: Change, arrival: Arrival, hop: Hop) -> Outcome:
    """End a write's lap, and copy back what the next member has that is newer.

    That is looked for where it may be: the write has replaced an application's item here, or it is
    a delete that found nothing, maybe since an application deleted its stub (``protocol.apply``).
    """
    write = arrival.write
    conflicts: Conflicts = ()
    found_nothing = write.is_delete and arrival.created
    if arrival.replaced_dirty or (found_nothing and await hop.target.read(change.key) is not None):
        found = await _restore_newer_write(change, hop, write)
        conflicts = each_once(conflicts_with_own_write(change, hop, write, found))
    # A backfilled item made no lap, and its time may be years ago.
    written_at = None if KNOWN_AT in write.item else _written_at(write)
    return Outcome(Action.LAP_COMPLETED, conflicts, written_at=written_at)


def _written_at(write: Write) -> int | None:
    """Return when a write was made; None for items from before the ring, whose second is 0."""
    return write.version.seconds or None


async def _finish_delete(change: Change, removed: StubRemoved, hop: Hop) -> Outcome:
    """Ensure that a delete whose stub is gone has its tombstone at the source.

    The hop that applies a delete records the tombstone before it deletes the stub; but an
    application may delete the stub before that, and insert the item again. If an application had
    updated the stub and there is no tombstone yet, or that of this very change, the application
    deleted it; otherwise the hop deleted the update with it.
    """
    tombstone = await hop.source.get_tombstone(change.key)
    is_recorded = tombstone is not None and tombstone.version >= removed.delete.version
    if not removed.with_update:
        if not is_recorded:
            await hop.source.put_tombstone(change.key, removed.delete)
        return Outcome(Action.IGNORED)
    # An earlier delivery recorded it as the application's, and may have failed before it sent it.
    is_own = tombstone is not None and is_same_local_write(tombstone.version, change, hop)
    if is_own or not is_recorded:
        return await send_local_change(change, LocalDelete(), hop)
    await _restore_newer_write(change, hop, removed.delete)
    return Outcome(Action.IGNORED)


async def _replicate_expiry(change: Change, hop: Hop) -> Outcome:
    """Replicate an expiry by TTL as a delete, if members do not expire their items themselves."""
    if not hop.replicates_expiry:
        return Outcome(Action.IGNORED)
    delete = await make_expiry_delete(change, hop)
    if delete is None:
        return Outcome(Action.IGNORED)
    if not hop.uses_tombstones:
        return await _delete_without_tombstone(change, delete, hop)
    # Without the time of the record: above an earlier delete it is right behind that one, too.
    delete = await _record_delete_at_source(replace(change, seconds=0), delete, hop)
    outcome = await apply_delete(hop.target, change.key, delete)
    if isinstance(outcome, Applied):
        return Outcome(Action.DELETED, written_at=change.seconds)
    # What expired may have replaced a newer write of this member. By the time its own record was
    # read it was gone, so nothing was restored over it.
    await _restore_newer_write(change, hop, delete)
    return Outcome(Action.REFUSED)  # No application decided on the delete: it is no conflict.


async def _delete_without_tombstone(change: Change, delete: Write, hop: Hop) -> Outcome:
    """Delete without tombstone or stub: the delete ends at the first member without the item.

    An application may have deleted an item without a version here, while the next member's copy has
    a version above the delete's. If that is an earlier write of this member, the delete follows it.
    """
    while True:
        outcome = await hop.target.delete_if_older(change.key, delete.version)
        if isinstance(outcome, Written):
            return Outcome(Action.DELETED, written_at=change.seconds)
        won = None if outcome.item is None else Image(outcome.item).version
        if change.expired or won is None or not is_earlier_local_write(won, change, hop):
            break
        delete = stamp_local_change(change, LocalDelete(), hop.source_replica, [won])
    conflict = Conflict(change.key, won, delete.version, outcome.item, delete.item)
    return Outcome(Action.REFUSED, (conflict,))


async def _restore_newer_write(change: Change, hop: Hop, replaced_by: Write) -> Comparison:
    """Copy the target's newer write back to the source, over one that replaced it there.

    So too that same write under a higher version: while a member comes back, two hops read one
    stream, and each may give a write a version of its own. A later write of its member stays.
    """

    def must_restore(newer: Version, here: Version) -> bool:
        if newer.is_same_write(replaced_by.version):
            return not here.is_later_write(newer)
        return is_earlier_local_write(newer, change, hop)

    return await restore_newer_write(hop.source, hop.target, change.key, replaced_by, must_restore)


async def _yield_to_newer(change: Change, hop: Hop, won: Superseded, lost: Write) -> Outcome:
    deleted = await _clear_ends(change, hop, lost)
    return Outcome(Action.REFUSED, each_once((*conflicts_of(change.key, won, lost), *deleted)))


async def _clear_ends(change: Change, hop: Hop, lost: Write) -> Conflicts:
    """Delete what a tombstone supersedes at either member; return the conflicts of that."""
    at_source = conflicts_with_delete(
        change.key, await read_and_clear(hop.source, change.key, lost)
    )
    at_target = await read_and_clear(hop.target, change.key)
    return (*at_source, *conflicts_with_delete(change.key, at_target))
