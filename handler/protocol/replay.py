"""A change that was set aside, done again after others that came later."""

from dataclasses import replace

from handler.model.image import Image, Item, Write
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import MAX_ATTEMPTS, ContendedError, read_and_purge, restore_taken_write
from handler.protocol.decide import (
    LocalDelete,
    LocalWrite,
    classify_change,
    image_versions,
    stamp_local_change,
)
from handler.protocol.replicate import (
    Hop,
    Outcome,
    highest_version_before,
    is_later_local_write,
    replicate,
    send_local_change,
)


async def replay(change: Change, hop: Hop) -> Outcome:
    """Do it again for a change that was left out, after others that came later.

    Those found nothing of it at the next member, and so passed by what must give way to it, or
    what it must give way to: the two ends are compared in any case.

    Raises:
        ContendedError: applications were faster, every time.
    """
    for _ in range(MAX_ATTEMPTS):
        standing = await hop.source.read(change.key)
        outcome = await _apply(change, standing, hop)
        is_due = highest_version_before(replace(change, sequence=change.sequence + 1), hop)
        await restore_taken_write(hop.source, hop.target, change.key, None, is_due)
        if await hop.source.read(change.key) == standing:
            return outcome
    raise ContendedError("the item changes faster than what was set aside can be played again")


async def _apply(change: Change, standing: Item | None, hop: Hop) -> Outcome:
    """Do what the change calls for, or what an application has since made of it here."""
    reading = classify_change(change)
    if not isinstance(reading, LocalWrite | LocalDelete) or change.expired:
        return await replicate(change, hop)
    buried = await hop.source.get_tombstone(change.key)
    then = _what_followed(change, standing, buried, hop)
    own = stamp_local_change(change, reading, hop.source_replica, image_versions(change)).version
    if then is None or await _has_followed(change, own, hop):
        return await replicate(change, hop)
    # Its own record may have been refused for want of this change, or have got an older version
    # than this would get now. So it is sent as if this change had left it, and above both.
    follows = [own] if buried is None else [own, buried.version]
    return await send_local_change(_superseded_write(change, then), then, hop, follows)


def _superseded_write(change: Change, then: LocalWrite | LocalDelete) -> Change:
    """The change as if it had left what stands here now."""
    if isinstance(then, LocalWrite):
        return replace(change, new=then.image)
    return replace(change, old=change.old or change.new, new=None)


def _what_followed(
    change: Change, standing: Item | None, buried: Write | None, hop: Hop
) -> LocalWrite | LocalDelete | None:
    """What an application made of the change here, last; None: nothing, or a hop was here since."""
    if standing is not None:
        image = Image(standing)
        return None if image.is_clean or image == change.new else LocalWrite(image)
    if buried is None or not is_later_local_write(buried.version, change, hop):
        return None
    return LocalDelete()


async def _has_followed(change: Change, own: Version, hop: Hop) -> bool:
    """Whether a later write of this member is at the next one, and above what this would get."""
    there = await read_and_purge(hop.target, change.key)
    if there is None or there.write.version < own:
        return False
    return is_later_local_write(there.write.version, change, hop)
