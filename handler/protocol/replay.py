"""A change that was set aside, done again after others that came later."""

from dataclasses import replace

from handler.model.image import Image, Item, Write
from handler.model.records import Change
from handler.model.version import Version
from handler.protocol.apply import ATTEMPTS, ContendedError, clear, restore
from handler.protocol.decide import LocalDelete, LocalWrite, local_write, read_as, versions_in
from handler.protocol.replicate import Hop, Outcome, before, came_later, replicate, send


async def replay(change: Change, hop: Hop) -> Outcome:
    """Do it again for a change that was left out, after others that came later.

    Those found nothing of it at the next member, and so passed by what must give way to it, or
    what it must give way to: the two ends are compared in any case.

    Raises:
        ContendedError: applications were faster, every time.
    """
    for _ in range(ATTEMPTS):
        standing = await hop.source.read(change.key)
        outcome = await _do(change, standing, hop)
        is_due = before(replace(change, sequence=change.sequence + 1), hop)
        await restore(hop.source, hop.target, change.key, None, is_due)
        if await hop.source.read(change.key) == standing:
            return outcome
    raise ContendedError("the item changes faster than what was set aside can be played again")


async def _do(change: Change, standing: Item | None, hop: Hop) -> Outcome:
    """Do what the change calls for, or what an application has since made of it here."""
    reading = read_as(change)
    if not isinstance(reading, LocalWrite | LocalDelete) or change.expired:
        return await replicate(change, hop)
    buried = await hop.source.tombstone(change.key)
    then = _what_followed(change, standing, buried, hop)
    own = local_write(change, reading, hop.here, versions_in(change)).version
    if then is None or await _has_followed(change, own, hop):
        return await replicate(change, hop)
    # Its own record may have been refused for want of this change, or have got an older version
    # than this would get now. So it is sent as if this change had left it, and above both.
    follows = [own] if buried is None else [own, buried.version]
    return await send(_made_of(change, then), then, hop, follows)


def _made_of(change: Change, then: LocalWrite | LocalDelete) -> Change:
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
    if buried is None or not came_later(buried.version, change, hop):
        return None
    return LocalDelete()


async def _has_followed(change: Change, own: Version, hop: Hop) -> bool:
    """Whether a later write of this member is at the next one, and above what this would get."""
    there = await clear(hop.target, change.key)
    if there is None or there.write.version < own:
        return False
    return came_later(there.write.version, change, hop)
