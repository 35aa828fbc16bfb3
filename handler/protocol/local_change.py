"""Send a local change, a write or delete of an application, to the next member.

It gets a version, and the conditional writes of ``protocol.apply`` take it there. What refuses it
may be what it was based on: then it gets a version above that.
"""

from collections.abc import Iterable

from handler.model.image import DELETED, VERSION, Image, Item, Write, digest
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import Applied, Superseded, apply_change, read_and_clear
from handler.protocol.conflicts import yield_to_newer
from handler.protocol.decide import LocalDelete, LocalWrite, image_versions, stamp_local_change
from handler.protocol.hop import (
    Action,
    Hop,
    Outcome,
    is_earlier_local_write,
    is_later_local_write,
)
from handler.store.dynamodb import IfUnchanged


async def send_local_change(
    change: Change, local: LocalWrite | LocalDelete, hop: Hop, known: Iterable[Version] = ()
) -> Outcome:
    """Version a local change, and apply it at the next member.

    Its version is above those of its images and of ``known``. If the next member has a write that
    this change was based on, it gets a version above that one, too, and is applied again.

    Raises:
        ContendedError: others changed the item at every attempt.
        ItemTooLargeError: the item does not fit at the next member.
    """
    follows = [*image_versions(change), *known]
    while True:
        write = stamp_local_change(change, local, hop.source_replica, follows)
        if write.is_delete:
            write = await record_delete_at_source(change, write, hop)
        outcome = await apply_change(hop.target, change, write)
        if _has_reached_target(outcome, write):
            break
        base = await _find_known_version(change, write, outcome, hop)
        if base is not None:
            follows.append(base)
        elif isinstance(outcome, Applied):
            break
        else:
            return await yield_to_newer(change, hop, outcome, write)
    await _remove_stub_mark(change, write, hop)
    return Outcome(
        Action.DELETED if write.is_delete else Action.REPLICATED, written_at=change.seconds
    )


async def record_delete_at_source(change: Change, delete: Write, hop: Hop) -> Write:
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


async def _remove_stub_mark(change: Change, write: Write, hop: Hop) -> None:
    """Remove the stub's mark from an item that an application made of a stub, by UpdateItem.

    Readers that filter out stubs would miss the item otherwise. It is read first, since a condition
    on the version does not see whether the application has updated it again.
    """
    item = {} if change.new is None else change.new.item
    if {DELETED, VERSION} <= item.keys() and await hop.source.read(change.key) == item:
        await hop.source.put(change.key, write.item, IfUnchanged(item))
