"""One hop's work on one change: what ``protocol.decide`` says of it, carried out at both ends."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from handler.model.image import DELETED, KNOWN, VERSION, Image, Item, Key, Write, digest
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import Blocker, Brought, bring, bring_delete, clear, restore
from handler.protocol.decide import (
    Arrival,
    LocalDelete,
    LocalWrite,
    Nothing,
    Replica,
    StubGone,
    local_write,
    read_as,
    versions_in,
)
from handler.store.dynamodb import Same, Store, Written


@dataclass(frozen=True)
class Hop:
    """From one member of the ring to the next."""

    here: Replica
    there: Replica
    source: Store
    target: Store
    keeps_tombstones: bool
    passes_expiry_on: bool
    """Whether an expiry by TTL is a delete for all, rather than each member's own affair."""


class Did(StrEnum):
    """What became of a change; the values are the counters of the log line."""

    NOTHING = "ignored"
    WROTE = "replicated"
    DELETED = "deletes"
    LAP = "laps"
    REFUSED = "refused"


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

    did: Did
    conflict: Conflict | None = None
    made: int | None = None
    """When the write was made at its origin, in seconds since the epoch, if it came on its way."""


async def replicate(change: Change, hop: Hop) -> Outcome:
    """Do for the next member what the change calls for."""
    match read_as(change):
        case Nothing():
            return Outcome(Did.NOTHING)
        case StubGone() as gone:
            return await _end_delete(change, gone, hop)
        case LocalDelete() if change.expired:
            return await _expire(change, hop) if hop.passes_expiry_on else Outcome(Did.NOTHING)
        case LocalDelete() as reading if not hop.keeps_tombstones:
            delete = local_write(change, reading, hop.here, versions_in(change))
            return await _delete_plainly(change, delete, hop)
        case LocalWrite() | LocalDelete() as reading:
            return await send(change, reading, hop)
        case Arrival() as arrival:
            return await _pass_on(change, arrival, hop)


async def _pass_on(change: Change, arrival: Arrival, hop: Hop) -> Outcome:
    """Pass on what a hop brought here, until it is back where it was made."""
    write = arrival.write
    if arrival.created and not write.is_delete:
        buried = await hop.source.tombstone(change.key)
        if buried is not None and buried.version > write.version:
            # It slipped in behind the delete, between a hop's look and its put.
            return await _give_way(change, hop, Blocker(buried.version, buried.item), write)
    # Second 0 is that of what was there before the ring: nobody knows when it was made.
    made = write.version.seconds or None
    if write.version.replica == hop.there.id or write.is_known_at(hop.there.id):
        if arrival.replaced_dirty:
            await restore(hop.source, hop.target, change.key, write, before(change, hop))
        # What a backfill put here made no lap, and would tell of one that took years.
        return Outcome(Did.LAP, made=None if KNOWN in write.item else made)
    outcome = await _bring(change, write, hop)
    if isinstance(outcome, Brought) or outcome.version == write.version:
        return Outcome(Did.DELETED if write.is_delete else Did.WROTE, made=made)
    await restore(hop.source, hop.target, change.key, write, before(change, hop))
    return _refused(change, outcome, write)


def before(change: Change, hop: Hop) -> Callable[[Version], bool]:
    """Tell the writes that were made here before a change."""
    here, sequence = hop.here.id, change.sequence
    return lambda version: version.replica == here and version.sequence < sequence


async def _end_delete(change: Change, gone: StubGone, hop: Hop) -> Outcome:
    """See that a delete whose stub is gone has its tombstone here.

    The hop that brings a delete records it before it takes the stub away; but an application may
    delete the stub before that, and insert the item again. If an application had updated the stub
    and there is no tombstone yet, it was the application that deleted it; otherwise the hop took
    the update away with it.
    """
    buried = await hop.source.tombstone(change.key)
    is_recorded = buried is not None and buried.version >= gone.delete.version
    if not gone.with_update:
        if not is_recorded:
            await hop.source.bury(change.key, gone.delete)
        return Outcome(Did.NOTHING)
    if not is_recorded:
        return await send(change, LocalDelete(), hop)
    await restore(hop.source, hop.target, change.key, gone.delete, before(change, hop))
    return Outcome(Did.NOTHING)


async def send(
    change: Change, reading: LocalWrite | LocalDelete, hop: Hop, known: Iterable[Version] = ()
) -> Outcome:
    """Send a local change on its way, with the version that it is due.

    It comes after what its images carry, and after what else was ``known``.
    """
    follows = [*versions_in(change), *known]
    while True:
        write = local_write(change, reading, hop.here, follows)
        if write.is_delete:
            write = await _bury_here(change, write, hop)
        outcome = await _bring(change, write, hop)
        if _is_there(outcome, write):
            break
        base = await _known_before(change, write, outcome, hop)
        if base is not None:
            follows.append(base)
        elif isinstance(outcome, Brought):
            break
        else:
            return await _give_way(change, hop, outcome, write)
    if isinstance(reading, LocalWrite):
        await _unmark(change.key, reading.image.item, write, hop)
    return Outcome(Did.DELETED if write.is_delete else Did.WROTE, made=change.seconds)


async def _unmark(key: Key, item: Item, write: Write, hop: Hop) -> None:
    """Take the stub's mark off an item that an application made of a stub, by UpdateItem.

    Those who leave stubs out of what they read would not see it otherwise. It is read first, since
    a condition on the version cannot tell whether the application has updated it again.
    """
    if {DELETED, VERSION} <= item.keys() and await hop.source.read(key) == item:
        await hop.source.put(key, write.item, Same(item))


async def _expire(change: Change, hop: Hop) -> Outcome:
    """Pass an expiry on, as a delete that comes right after the write of what expired.

    It is DynamoDB that deleted the item, not an application that knew what else had been written
    to it: a renewal that this member has not seen yet is newer, however late DynamoDB was.
    """
    delete = await _expiry(change, hop)
    if delete is None:
        return Outcome(Did.NOTHING)
    if not hop.keeps_tombstones:
        return await _delete_plainly(change, delete, hop)
    delete = await _bury_here(change, delete, hop)
    outcome = await bring_delete(hop.target, change.key, delete)
    if isinstance(outcome, Brought):
        return Outcome(Did.DELETED, made=change.seconds)
    await _clear_ends(change, hop, delete)
    return Outcome(Did.REFUSED)  # Nobody decided on a delete, so nobody's decision lost.


async def _expiry(change: Change, hop: Hop) -> Write | None:
    """The delete that an expiry is to the other members; None: theirs is another item by now.

    What was written here carries no version, but the next member's copy of it does. Where that is
    gone, or was replaced, the records of what did so settle the key.
    """
    expired = change.old
    if expired is None:
        return None
    if not expired.is_clean:
        begun = await hop.source.tombstone(change.key)
        if begun is not None and _is_of(change, begun.version, hop):
            return begun
        copy = await hop.target.read(change.key)
        if copy is None or not _is_copy(Image(copy), expired, hop):
            return None
        expired = Image(copy)
    follows = [version for version in (expired.version,) if version is not None]
    return local_write(replace(change, seconds=0), LocalDelete(), hop.here, follows)


def _is_of(change: Change, version: Version, hop: Hop) -> bool:
    """Whether a version was made for this change."""
    return version.replica == hop.here.id and version.sequence == change.sequence


def _is_copy(copy: Image, original: Image, hop: Hop) -> bool:
    """Whether a hop made this of what was written here."""
    if copy.version is None or copy.version.replica != hop.here.id:
        return False
    return copy.version.digest == digest(copy.item) == digest(original.item)


async def _bury_here(change: Change, delete: Write, hop: Hop) -> Write:
    """Record a local delete, above an earlier one of this member.

    If an earlier try gave it another version, that one is taken up.
    """
    while True:
        kept = await hop.source.bury(change.key, delete)
        if kept is not None and before(change, hop)(kept.version):
            delete = local_write(change, LocalDelete(), hop.here, [kept.version])
        elif kept is not None and kept.version.is_same_write(delete.version):
            return kept
        else:
            return delete


def _is_there(outcome: Brought | Blocker, write: Write) -> bool:
    """Whether the write has arrived, and over nothing that could have hidden a newer delete."""
    if isinstance(outcome, Brought):
        return not outcome.over_unversioned
    return outcome.version.is_same_write(write.version)


async def _known_before(
    change: Change, write: Write, outcome: Brought | Blocker, hop: Hop
) -> Version | None:
    """What a local change was made in knowledge of, and must come after; None: nothing."""
    if isinstance(outcome, Blocker):
        version = outcome.version
        if before(change, hop)(version):
            return version
    # A delete that is known here has taken away what was written before it; so what stands here,
    # unless a hop brought it, was written after the delete, however the clocks go. If it is not
    # what this change left, a later change left it, whose own record will see to it.
    buried = await hop.source.tombstone(change.key)
    if buried is None or buried.version <= write.version:
        return None
    if came_later(buried.version, change, hop):
        return None  # A later delete made here: this change is delivered again, behind it.
    standing = await hop.source.read(change.key)
    if _still_stands(change, standing):
        return buried.version
    # What was put there may have taken the place of an item and hidden the delete from the later
    # change, which would then pass for one that nothing stands against.
    await clear(hop.target, change.key)
    return None


def came_later(version: Version, change: Change, hop: Hop) -> bool:
    """Whether a write was made here after this change."""
    return version.replica == hop.here.id and version.sequence > change.sequence


def _still_stands(change: Change, standing: Item | None) -> bool:
    """Whether what an application left in a change is there yet, and not a hop's copy of it."""
    if change.new is None or standing is None or Image(standing).is_clean:
        return False
    return digest(standing) == digest(change.new.item)


async def _bring(change: Change, write: Write, hop: Hop) -> Brought | Blocker:
    if write.is_delete:
        return await bring_delete(hop.target, change.key, write)
    return await bring(hop.target, change.key, write, expected=change.old is not None)


async def _delete_plainly(change: Change, delete: Write, hop: Hop) -> Outcome:
    """Pass a delete on without tombstone or stub: it ends where nothing is left to delete."""
    outcome = await hop.target.remove_older(change.key, delete.version)
    if isinstance(outcome, Written):
        return Outcome(Did.DELETED, made=change.seconds)
    won = None if outcome.item is None else Image(outcome.item).version
    conflict = Conflict(change.key, won, delete.version, outcome.item, delete.item)
    return Outcome(Did.REFUSED, conflict)


async def _give_way(change: Change, hop: Hop, won: Blocker, lost: Write) -> Outcome:
    await _clear_ends(change, hop, lost)
    return _refused(change, won, lost)


async def _clear_ends(change: Change, hop: Hop, lost: Write) -> None:
    """Take away what a tombstone has outlived at either end."""
    await clear(hop.source, change.key, lost)
    await clear(hop.target, change.key)


def _refused(change: Change, won: Blocker, lost: Write) -> Outcome:
    if won.version.replica == lost.version.replica:
        return Outcome(Did.REFUSED)  # The later of two writes of one member is no conflict.
    conflict = Conflict(change.key, won.version, lost.version, won.item, lost.item)
    return Outcome(Did.REFUSED, conflict)
