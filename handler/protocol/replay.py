"""Replicate a quarantined change, after others that were made later."""

from dataclasses import replace

from handler.model.image import Image, Item, Write
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import MAX_ATTEMPTS, ContendedError, read_and_clear, restore_newer_write
from handler.protocol.decide import (
    LocalDelete,
    LocalWrite,
    classify_change,
    image_versions,
    stamp_local_change,
)
from handler.protocol.hop import (
    Hop,
    Outcome,
    is_earlier_local_write,
    is_later_local_write,
    is_same_local_write,
)
from handler.protocol.local_change import send_local_change
from handler.protocol.replicate import replicate


async def replay(change: Change, hop: Hop) -> Outcome:
    """Replicate a change that was skipped when it was its turn.

    Later changes did not find it at the next member, so they were not compared with it: an older
    write may have got past it. So both members are compared in any case.

    Raises:
        ContendedError: applications changed the item at every attempt.
        ItemTooLargeError: the item does not fit at the next member.
    """

    def must_restore(version: Version, _here: Version) -> bool:
        return is_earlier_local_write(version, change, hop) or is_same_local_write(
            version, change, hop
        )

    for _ in range(MAX_ATTEMPTS):
        current = await hop.source.read(change.key)
        outcome = await _replicate(change, current, hop)
        await restore_newer_write(hop.source, hop.target, change.key, None, must_restore)
        if await hop.source.read(change.key) == current:
            return outcome
    raise ContendedError(
        f"Applications changed the item at the source during {MAX_ATTEMPTS} attempts to redrive an "
        "older change of it. Redrive it again when the item is written less often."
    )


async def _replicate(change: Change, current: Item | None, hop: Hop) -> Outcome:
    """Replicate a change, or an application's later local change of the same item in its place."""
    local = classify_change(change)
    if not isinstance(local, LocalWrite | LocalDelete) or change.expired:
        return await replicate(change, hop)
    tombstone = await hop.source.get_tombstone(change.key)
    later = _later_local_change(change, current, tombstone, hop)
    known = image_versions(change)
    if tombstone is not None and is_earlier_local_write(tombstone.version, change, hop):
        known.append(tombstone.version)  # `replicate` would put the change above that delete.
    own = stamp_local_change(change, local, hop.source_replica, known).version
    if later is None or await _is_later_at_target(change, own, hop):
        return await replicate(change, hop)
    # Its own record may have been refused because this change was missing, or have got an older
    # version than this change would get now. So it is sent as if this record were its own, with a
    # version above both.
    follows = [own] if tombstone is None else [own, tombstone.version]
    return await send_local_change(_with_result(change, later), later, hop, follows)


def _with_result(change: Change, later: LocalWrite | LocalDelete) -> Change:
    """Return a change as if it had left what a later one left."""
    if isinstance(later, LocalWrite):
        return replace(change, new=later.image)
    return replace(change, old=change.old or change.new, new=None)


def _later_local_change(
    change: Change, current: Item | None, tombstone: Write | None, hop: Hop
) -> LocalWrite | LocalDelete | None:
    """Return the last local change after this one; None: there is none, or a hop wrote since."""
    if current is not None:
        image = Image(current)
        return None if image.is_clean or image == change.new else LocalWrite(image)
    if tombstone is None or not is_later_local_write(tombstone.version, change, hop):
        return None
    return LocalDelete()


async def _is_later_at_target(change: Change, own: Version, hop: Hop) -> bool:
    """Return whether the target has a later local write, above the version of this change."""
    state = await read_and_clear(hop.target, change.key)
    if state is None or state.write.version < own:
        return False
    return is_later_local_write(state.write.version, change, hop)
