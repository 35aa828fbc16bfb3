"""Version the delete that an expiry by TTL is to the other members."""

from dataclasses import replace

from handler.model.image import Image, Write, digest, replicated_write
from handler.model.records import Change
from handler.protocol.decide import LocalDelete, stamp_local_change
from handler.protocol.hop import Hop, is_same_local_write


async def make_expiry_delete(change: Change, hop: Hop) -> Write | None:
    """Make the delete that comes right after the write of the item that expired.

    DynamoDB deleted the item, not an application that knew what else had been written to it: a
    renewal that this member has not received yet is newer, however late DynamoDB deletes. An item
    that was written at this member has no version here, but the copy at the next member has one.

    Returns:
        The delete; None where the next member has another item or none, since the records of what
        replaced or deleted the copy settle the key. If the delete's own stub is there, an earlier
        delivery left it, and the delete is to be finished.
    """
    expired = change.old
    if expired is None:
        return None
    if not expired.is_clean:
        tombstone = await hop.source.get_tombstone(change.key)
        if tombstone is not None and is_same_local_write(tombstone.version, change, hop):
            return tombstone  # An earlier delivery made it.
        found = await hop.target.read(change.key)
        if found is None:
            return None
        copy = Image(found)
        stub = replicated_write(copy)
        if stub is not None and stub.is_delete and is_same_local_write(stub.version, change, hop):
            return stub
        if not _is_copy(copy, expired, hop):
            return None
        expired = copy
    follows = [version for version in (expired.version,) if version is not None]
    dated = replace(change, seconds=0)
    return stamp_local_change(dated, LocalDelete(), hop.source_replica, follows)


def _is_copy(copy: Image, original: Image, hop: Hop) -> bool:
    """Return whether a hop made this item of one that was written at the source."""
    if copy.version is None or copy.version.replica != hop.source_replica.id:
        return False
    return copy.version.digest == digest(copy.item) == digest(original.item)
