"""One key brought to the newest version at all members, by what hops do themselves.

Nothing here writes blindly: a version takes the place of an older one or of none, a delete leaves
its stub and tombstone. So to hops and applications it is as if a late hop had come by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handler.carry import Blocker, Brought, ContendedError, bring, bring_delete
from handler.decide import Replica
from handler.image import (
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Image,
    Item,
    Key,
    Write,
    carried,
    digest,
    own_attributes,
)
from handler.store import Store
from handler.version import Version

_ATTEMPTS = 5


@dataclass(frozen=True)
class End:
    """A member, and what is done to it."""

    replica: Replica
    store: Store


@dataclass(frozen=True)
class Standing:
    """What a member has of a key."""

    item: Item | None
    buried: Write | None

    @property
    def is_open(self) -> bool:
        """Whether an item without a version of its own stands there: an application's write."""
        return self.item is not None and carried(Image(self.item)) is None

    @property
    def newest(self) -> Write | None:
        """The newest write that it has: the item, if a hop wrote it, or the last delete."""
        standing = None if self.item is None else carried(Image(self.item))
        writes = [write for write in (standing, self.buried) if write is not None]
        return max(writes, key=lambda write: write.version, default=None)

    def has_content_of(self, write: Write) -> bool:
        """Whether the item is that of the write, with or without its version."""
        return (
            not write.is_delete
            and self.item is not None
            and digest(self.item) == write.version.digest
        )

    def is_behind(self, write: Write) -> bool:
        """Whether a write that is the newest of all is to be brought here."""
        if write.is_delete:
            return self.item is not None
        return not self.is_open and (self.newest is None or self.newest.version < write.version)


@dataclass(frozen=True)
class Mended:
    """What was done, or would be: who was brought to the newest write, and what was left, and why.

    `brought` names members by their place.
    """

    brought: tuple[int, ...] = ()
    left: str | None = None


async def see(ends: Sequence[End], key: Key) -> list[Standing]:
    """What each member has, read consistently."""
    return [Standing(await end.store.read(key), await end.store.tombstone(key)) for end in ends]


def newest_of(standings: Sequence[Standing]) -> Write | None:
    """The newest write of all that members have."""
    writes = [one.newest for one in standings if one.newest is not None]
    return max(writes, key=lambda write: write.version, default=None)


def stamped(item: Item, at: Replica, over: Write | None = None) -> Write:
    """An item that nobody gave a version, as a write of the member where it stands.

    It comes just after `over`; where there is nothing, before all writes that ever were.
    """
    base = None if over is None else over.version
    seconds, counter = (0, 0) if base is None else (base.seconds, base.counter + 1)
    version = Version.make(seconds, counter, at.id, 0, digest(item))
    content = {
        **own_attributes(item),
        SOURCE_REGION: {"S": at.region},
        SOURCE_TABLE: {"S": at.table},
        VERSION: {"S": version},
    }
    return Write(version, content, is_delete=False)


async def mend(ends: Sequence[End], key: Key, prefer: int | None = None) -> Mended:
    """Bring a key's newest write to all who are behind.

    An item without a version that is not the newest write's own is left: its record is on its way,
    and will settle it. Unless one says, by `prefer`, that no record is: then what the member in
    that place has wins, if it has no version; else what has a version wins over what has none.

    Raises:
        ContendedError: others were faster, every time.
    """
    brought: dict[int, None] = {}
    for _ in range(_ATTEMPTS):
        task = _task(ends, await see(ends, key), prefer)
        for place in task.behind:
            assert task.write is not None
            if isinstance(await _bring(ends[place].store, key, task.write), Blocker):
                break  # something newer has come
            brought[place] = None
        else:
            return Mended(tuple(brought), task.left)
    raise ContendedError("the key changes faster than it can be mended")


@dataclass(frozen=True)
class _Task:
    """A write, the places of those to bring it to, and why something is left."""

    write: Write | None
    behind: Sequence[int]
    left: str | None = None


def _task(ends: Sequence[End], standings: Sequence[Standing], prefer: int | None) -> _Task:
    newest = newest_of(standings)
    unsent = [
        place
        for place, one in enumerate(standings)
        if one.is_open and (newest is None or not one.has_content_of(newest))
    ]
    behind = [
        place
        for place, one in enumerate(standings)
        if newest is not None and not one.is_open and one.is_behind(newest)
    ]
    if not unsent:
        return _Task(newest, behind)
    if prefer is None:
        return _Task(newest, behind, "an item without a version: its record may be on its way")
    chosen = standings[prefer].item
    if prefer in unsent and chosen is not None:
        write = stamped(chosen, ends[prefer].replica, newest)
        return _Task(write, [place for place in range(len(ends)) if place != prefer])
    if newest is None:
        return _Task(None, (), "no item has a version, and the preferred member has none at all")
    return _Task(newest, [*behind, *unsent])


async def _bring(store: Store, key: Key, write: Write) -> Brought | Blocker:
    if write.is_delete:
        return await bring_delete(store, key, write)
    return await bring(store, key, write, expected=True)
