"""Replicate one change of a member's table to the next member.

``replicate`` classifies the change. A local write or delete gets a version and is sent
(``protocol.local_change``). A write that another hop applied keeps its version and is forwarded,
until its lap is complete (``_forward``). The conditional writes are those of ``protocol.apply``. If
the target has something newer, that wins, and both members are cleared of what their tombstones
supersede (``yield_to_newer``).
"""

from dataclasses import replace

from handler.model.image import KNOWN_AT, Image, Write
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import (
    Applied,
    Comparison,
    ContendedError,
    Superseded,
    apply_change,
    apply_delete,
    read_and_clear,
    restore_newer_write,
)
from handler.protocol.conflicts import (
    Conflicts,
    conflicts_of,
    conflicts_with_own_write,
    each_once,
    yield_to_newer,
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
    is_same_local_write,
)
from handler.protocol.local_change import record_delete_at_source, send_local_change
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


async def _forward(change: Change, arrival: Arrival, hop: Hop) -> Outcome:
    """Forward a write that another hop applied at the source, until it is back at its origin."""
    write = arrival.write
    if arrival.created and not write.is_delete:
        tombstone = await hop.source.get_tombstone(change.key)
        if tombstone is not None and tombstone.version > write.version:
            # The delete came between the other hop's read of the tombstone and its put.
            return await yield_to_newer(
                change, hop, Superseded(tombstone.version, tombstone.item), write
            )
    if write.version.replica == hop.target_replica.id or write.is_known_at(hop.target_replica.id):
        return await _complete_lap(change, arrival, hop)
    outcome = await apply_change(hop.target, change, write)
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
    if write.version.replica == hop.target_replica.id:
        await _replace_older_at_origin(change, write, hop)
    # A backfilled item made no lap, and its time may be years ago.
    written_at = None if KNOWN_AT in write.item else _written_at(write)
    return Outcome(Action.LAP_COMPLETED, conflicts, written_at=written_at)


async def _replace_older_at_origin(change: Change, write: Write, hop: Hop) -> None:
    """Put a write whose lap is complete over an older one that stands at its origin.

    While a member comes back, two hops read the origin's stream. Each gave the write a version
    above what it met at its own target, so what lies between the two won at the origin over the
    lower, and lost elsewhere to the higher. Only a version with a counter was put above another.
    """
    if write.is_delete or not write.version.counter:
        return
    at_origin = await read_and_clear(hop.target, change.key)
    if at_origin is None or at_origin.is_absent:
        return
    there = at_origin.write.version
    if there >= write.version or there.is_later_write(write.version):
        return
    condition = IfUnchanged(at_origin.write.item)
    if not isinstance(await hop.target.put(change.key, write.item, condition), Written):
        raise ContendedError(
            "The item at its origin changed between read and write. The record is delivered again."
        )


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
    delete = await record_delete_at_source(replace(change, seconds=0), delete, hop)
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
