"""One hop's work on one change: what ``protocol.decide`` says of it, carried out at both ends."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from handler.model.image import DELETED, PRESENT_AT, VERSION, Image, Item, Key, Write, digest
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import (
    Applied,
    Superseded,
    apply_delete,
    apply_write,
    read_and_purge,
    restore_taken_write,
)
from handler.protocol.decide import (
    Arrival,
    LocalDelete,
    LocalWrite,
    NoOp,
    ReplicaId,
    StubRemoved,
    classify_change,
    image_versions,
    stamp_local_change,
)
from handler.store.dynamodb import IfUnchanged, Store, Written


@dataclass(frozen=True)
class Hop:
    """From one member of the ring to the next."""

    source_replica: ReplicaId
    target_replica: ReplicaId
    source: Store
    target: Store
    uses_tombstones: bool
    replicates_expiry: bool
    """Whether an expiry by TTL is a delete for all, rather than each member's own affair."""


class Action(StrEnum):
    """What became of a change; the values are the counters of the log line."""

    IGNORED = "ignored"
    REPLICATED = "replicated"
    DELETED = "deletes"
    LAP_COMPLETED = "laps"
    REJECTED = "refused"


@dataclass(frozen=True)
class Conflict:
    """Two writes of one key, neither made in knowledge of the other; or a late copy of one."""

    key: Key
    won: Version | None
    """None: what won carries no version yet."""
    lost: Version
    winner: Item | None
    """What stands at the next member, ring's attributes and all; None: nothing."""
    loser: Item
    """What would have been written there."""


@dataclass(frozen=True)
class Outcome:
    """What became of one change."""

    action: Action
    conflict: Conflict | None = None
    written_at: int | None = None
    """When the write was made at its origin, in seconds since the epoch, if it came on its way."""


async def replicate(change: Change, hop: Hop) -> Outcome:
    """Do for the next member what the change calls for."""
    match classify_change(change):
        case NoOp():
            return Outcome(Action.IGNORED)
        case StubRemoved() as gone:
            return await _finish_delete(change, gone, hop)
        case LocalDelete() if change.expired:
            return await _replicate_expiry(change, hop)
        case LocalDelete() as reading if not hop.uses_tombstones:
            delete = stamp_local_change(change, reading, hop.source_replica, image_versions(change))
            return await _delete_without_tombstone(change, delete, hop)
        case LocalWrite() | LocalDelete() as reading:
            return await send_local_change(change, reading, hop)
        case Arrival() as arrival:
            return await _forward(change, arrival, hop)


async def _forward(change: Change, arrival: Arrival, hop: Hop) -> Outcome:
    """Pass on what a hop brought here, until it is back where it was made."""
    write = arrival.write
    if arrival.created and not write.is_delete:
        buried = await hop.source.get_tombstone(change.key)
        if buried is not None and buried.version > write.version:
            # It slipped in behind the delete, between a hop's look and its put.
            return await _yield_to_newer(
                change, hop, Superseded(buried.version, buried.item), write
            )
    # Second 0 is that of what was there before the ring: nobody knows when it was made.
    made = write.version.seconds or None
    if write.version.replica == hop.target_replica.id or write.is_present_at(hop.target_replica.id):
        if arrival.replaced_dirty:
            await restore_taken_write(
                hop.source, hop.target, change.key, write, highest_version_before(change, hop)
            )
        # What a backfill put here made no lap, and would tell of one that took years.
        return Outcome(Action.LAP_COMPLETED, written_at=None if PRESENT_AT in write.item else made)
    outcome = await _apply_write(change, write, hop)
    if isinstance(outcome, Applied) or outcome.version == write.version:
        return Outcome(Action.DELETED if write.is_delete else Action.REPLICATED, written_at=made)
    await restore_taken_write(
        hop.source, hop.target, change.key, write, highest_version_before(change, hop)
    )
    return _rejected(change, outcome, write)


def highest_version_before(change: Change, hop: Hop) -> Callable[[Version], bool]:
    """Tell the writes that were made here before a change."""
    here, sequence = hop.source_replica.id, change.sequence
    return lambda version: version.replica == here and version.sequence < sequence


async def _finish_delete(change: Change, gone: StubRemoved, hop: Hop) -> Outcome:
    """See that a delete whose stub is gone has its tombstone here.

    The hop that brings a delete records it before it takes the stub away; but an application may
    delete the stub before that, and insert the item again. If an application had updated the stub
    and there is no tombstone yet, it was the application that deleted it; otherwise the hop took
    the update away with it.
    """
    buried = await hop.source.get_tombstone(change.key)
    is_recorded = buried is not None and buried.version >= gone.delete.version
    if not gone.with_update:
        if not is_recorded:
            await hop.source.put_tombstone(change.key, gone.delete)
        return Outcome(Action.IGNORED)
    if not is_recorded:
        return await send_local_change(change, LocalDelete(), hop)
    await restore_taken_write(
        hop.source, hop.target, change.key, gone.delete, highest_version_before(change, hop)
    )
    return Outcome(Action.IGNORED)


async def send_local_change(
    change: Change, reading: LocalWrite | LocalDelete, hop: Hop, known: Iterable[Version] = ()
) -> Outcome:
    """Send a local change on its way, with the version that it is due.

    It comes after what its images carry, and after what else was ``known``.
    """
    follows = [*image_versions(change), *known]
    while True:
        write = stamp_local_change(change, reading, hop.source_replica, follows)
        if write.is_delete:
            write = await _record_delete_at_source(change, write, hop)
        outcome = await _apply_write(change, write, hop)
        if _has_reached_target(outcome, write):
            break
        base = await _find_known_write(change, write, outcome, hop)
        if base is not None:
            follows.append(base)
        elif isinstance(outcome, Applied):
            break
        else:
            return await _yield_to_newer(change, hop, outcome, write)
    if isinstance(reading, LocalWrite):
        await _remove_known_mark(change.key, reading.image.item, write, hop)
    return Outcome(
        Action.DELETED if write.is_delete else Action.REPLICATED, written_at=change.seconds
    )


async def _remove_known_mark(key: Key, item: Item, write: Write, hop: Hop) -> None:
    """Take the stub's mark off an item that an application made of a stub, by UpdateItem.

    Those who leave stubs out of what they read would not see it otherwise. It is read first, since
    a condition on the version cannot tell whether the application has updated it again.
    """
    if {DELETED, VERSION} <= item.keys() and await hop.source.read(key) == item:
        await hop.source.put(key, write.item, IfUnchanged(item))


async def _replicate_expiry(change: Change, hop: Hop) -> Outcome:
    """Pass an expiry on, as a delete that comes right after the write of what expired.

    It is DynamoDB that deleted the item, not an application that knew what else had been written
    to it: a renewal that this member has not seen yet is newer, however late DynamoDB was.
    """
    if not hop.replicates_expiry:
        return Outcome(Action.IGNORED)
    delete = await _expiry_version(change, hop)
    if delete is None:
        return Outcome(Action.IGNORED)
    if not hop.uses_tombstones:
        return await _delete_without_tombstone(change, delete, hop)
    delete = await _record_delete_at_source(change, delete, hop)
    outcome = await apply_delete(hop.target, change.key, delete)
    if isinstance(outcome, Applied):
        return Outcome(Action.DELETED, written_at=change.seconds)
    await _clear_ends(change, hop, delete)
    return Outcome(Action.REJECTED)  # Nobody decided on a delete, so nobody's decision lost.


async def _expiry_version(change: Change, hop: Hop) -> Write | None:
    """The delete that an expiry is to the other members; None: theirs is another item by now.

    What was written here carries no version, but the next member's copy of it does. Where that is
    gone, or was replaced, the records of what did so settle the key.
    """
    expired = change.old
    if expired is None:
        return None
    if not expired.is_clean:
        begun = await hop.source.get_tombstone(change.key)
        if begun is not None and _is_own_version(change, begun.version, hop):
            return begun
        copy = await hop.target.read(change.key)
        if copy is None or not _is_copy(Image(copy), expired, hop):
            return None
        expired = Image(copy)
    follows = [version for version in (expired.version,) if version is not None]
    dated = replace(change, seconds=0)
    return stamp_local_change(dated, LocalDelete(), hop.source_replica, follows)


def _is_own_version(change: Change, version: Version, hop: Hop) -> bool:
    """Whether a version was made for this change."""
    return version.replica == hop.source_replica.id and version.sequence == change.sequence


def _is_copy(copy: Image, original: Image, hop: Hop) -> bool:
    """Whether a hop made this of what was written here."""
    if copy.version is None or copy.version.replica != hop.source_replica.id:
        return False
    return copy.version.digest == digest(copy.item) == digest(original.item)


async def _record_delete_at_source(change: Change, delete: Write, hop: Hop) -> Write:
    """Record a local delete, above an earlier one of this member.

    If an earlier try gave it another version, that one is taken up.
    """
    while True:
        kept = await hop.source.put_tombstone(change.key, delete)
        if kept is not None and highest_version_before(change, hop)(kept.version):
            delete = stamp_local_change(change, LocalDelete(), hop.source_replica, [kept.version])
        elif kept is not None and kept.version.is_same_write(delete.version):
            return kept
        else:
            return delete


def _has_reached_target(outcome: Applied | Superseded, write: Write) -> bool:
    """Whether the write has arrived, and over nothing that could have hidden a newer delete."""
    if isinstance(outcome, Applied):
        return not outcome.over_unversioned
    return outcome.version.is_same_write(write.version)


async def _find_known_write(
    change: Change, write: Write, outcome: Applied | Superseded, hop: Hop
) -> Version | None:
    """What a local change was made in knowledge of, and must come after; None: nothing."""
    if isinstance(outcome, Superseded):
        version = outcome.version
        if highest_version_before(change, hop)(version):
            return version
    # A delete that is known here has taken away what was written before it; so what stands here,
    # unless a hop brought it, was written after the delete, however the clocks go. If it is not
    # what this change left, a later change left it, whose own record will see to it.
    buried = await hop.source.get_tombstone(change.key)
    if buried is None or buried.version <= write.version:
        return None
    if is_later_local_write(buried.version, change, hop):
        return None  # A later delete made here: this change is delivered again, behind it.
    standing = await hop.source.read(change.key)
    if _is_still_current(change, standing):
        return buried.version
    # What was put there may have taken the place of an item and hidden the delete from the later
    # change, which would then pass for one that nothing stands against.
    await read_and_purge(hop.target, change.key)
    return None


def is_later_local_write(version: Version, change: Change, hop: Hop) -> bool:
    """Whether a write was made here after this change."""
    return version.replica == hop.source_replica.id and version.sequence > change.sequence


def _is_still_current(change: Change, standing: Item | None) -> bool:
    """Whether what an application left in a change is there yet, and not a hop's copy of it."""
    if change.new is None or standing is None or Image(standing).is_clean:
        return False
    return digest(standing) == digest(change.new.item)


async def _apply_write(change: Change, write: Write, hop: Hop) -> Applied | Superseded:
    if write.is_delete:
        return await apply_delete(hop.target, change.key, write)
    return await apply_write(hop.target, change.key, write, expected=change.old is not None)


async def _delete_without_tombstone(change: Change, delete: Write, hop: Hop) -> Outcome:
    """Pass a delete on without tombstone or stub: it ends where nothing is left to delete."""
    outcome = await hop.target.delete_if_older(change.key, delete.version)
    if isinstance(outcome, Written):
        return Outcome(Action.DELETED, written_at=change.seconds)
    won = None if outcome.item is None else Image(outcome.item).version
    conflict = Conflict(change.key, won, delete.version, outcome.item, delete.item)
    return Outcome(Action.REJECTED, conflict)


async def _yield_to_newer(change: Change, hop: Hop, won: Superseded, lost: Write) -> Outcome:
    await _clear_ends(change, hop, lost)
    return _rejected(change, won, lost)


async def _clear_ends(change: Change, hop: Hop, lost: Write) -> None:
    """Take away what a tombstone has outlived at either end."""
    await read_and_purge(hop.source, change.key, lost)
    await read_and_purge(hop.target, change.key)


def _rejected(change: Change, won: Superseded, lost: Write) -> Outcome:
    if won.version.replica == lost.version.replica:
        return Outcome(Action.REJECTED)  # The later of two writes of one member is no conflict.
    conflict = Conflict(change.key, won.version, lost.version, won.item, lost.item)
    return Outcome(Action.REJECTED, conflict)
