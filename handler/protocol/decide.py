"""What a change calls for, and who is right when two members differ. Pure: no store, no clock.

The rules are those of docs/protocol.md; the simulation in tests/simulation runs them against
each other, and each has a mutant there that shows what happens without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from handler.model.image import (
    DELETED,
    RESERVED,
    SOURCE_REGION,
    SOURCE_TABLE,
    VERSION,
    Image,
    Key,
    Write,
    application_attributes,
    digest,
    replicated_write,
)
from handler.model.records import Change
from handler.model.version import Version


@dataclass(frozen=True)
class ReplicaId:
    """A member of the ring, as items and versions name it."""

    id: str
    region: str
    table: str


@dataclass(frozen=True)
class NoOp:
    """The change is not one, or another change's record will do what this one calls for."""


@dataclass(frozen=True)
class Arrival:
    """A hop wrote this: a write or a delete made elsewhere has arrived here."""

    write: Write
    created: bool
    """Nothing stood here before it, or the stub of a delete."""
    replaced_dirty: bool
    """It took the place of an item that an application had just written here."""


@dataclass(frozen=True)
class StubRemoved:
    """The stub of an arrived delete was taken away: the second half of that delete."""

    delete: Write
    with_update: bool
    """An application had updated the stub, and what it wrote went with it."""


@dataclass(frozen=True)
class LocalWrite:
    """An application wrote the item here."""

    image: Image


@dataclass(frozen=True)
class LocalDelete:
    """An application deleted the item here."""


ChangeKind = NoOp | Arrival | StubRemoved | LocalWrite | LocalDelete


def classify_change(change: Change) -> ChangeKind:
    """Tell apart what an application did here and what a hop brought."""
    old, new = change.old, change.new
    if new is None:
        stub = None if old is None else _stub_under(old, change.key)
        if old is None or stub is None:
            return LocalDelete()
        return StubRemoved(stub, with_update=not old.is_stub)
    if old is not None and old.item == new.item:
        return NoOp()
    write = replicated_write(new)
    if write is None or _is_rollback(old, write.version):
        return LocalWrite(new)
    return Arrival(
        write,
        created=old is None or old.is_stub,
        replaced_dirty=old is not None and not old.is_clean,
    )


def _stub_under(image: Image, key: Key) -> Write | None:
    """The stub that stood there, perhaps with what an application wrote on it.

    A condition cannot tell whether somebody updated a stub, so a hop that takes one away may take
    such an update along. UpdateItem leaves the mark and the version standing.
    """
    ring = {name: value for name, value in image.item.items() if name.startswith(RESERVED)}
    stub = replicated_write(Image({**key, **ring}))
    return stub if stub is not None and stub.is_delete else None


def _is_rollback(old: Image | None, version: Version) -> bool:
    """Whether an older copy was put back: hops only ever replace a version by a newer one."""
    return old is not None and old.version is not None and old.version >= version


def stamp_local_change(
    change: Change, reading: LocalWrite | LocalDelete, here: ReplicaId, follows: Iterable[Version]
) -> Write:
    """The write that a local change is to the other members.

    Its version is above all that it follows, and not before its own time.
    """
    content = reading.image.item if isinstance(reading, LocalWrite) else change.key
    base = max(follows, default=None)
    if base is not None and base.seconds >= change.seconds:
        seconds, counter = base.seconds, base.counter + 1
    else:
        seconds, counter = change.seconds, 0
    version = Version.make(seconds, counter, here.id, change.sequence, digest(content))
    item = {
        **application_attributes(content),
        SOURCE_REGION: {"S": here.region},
        SOURCE_TABLE: {"S": here.table},
        VERSION: {"S": version},
    }
    if isinstance(reading, LocalDelete):
        return Write(version, {**item, DELETED: {"BOOL": True}}, is_delete=True)
    return Write(version, item, is_delete=False)


def image_versions(change: Change) -> list[Version]:
    """The versions that a change's images carry: what its writer knew, or wrote over."""
    images = (change.old, change.new)
    return [image.version for image in images if image is not None and image.version is not None]


@dataclass(frozen=True)
class MemberState:
    """The newest write of a key that a member holds."""

    write: Write
    is_absent: bool
    """Whether nothing stands in the table, not even an item that its tombstone has outlived."""

    @property
    def is_stale(self) -> bool:
        """Whether what stands in the table should be deleted, or is a stub left standing."""
        return self.write.is_delete and not self.is_absent


def member_state(image: Image | None, deletes: Iterable[Write | None]) -> MemberState | None:
    """What a member holds, by its item and known deletes; None while a local change is unread.

    A dirty item's change is still in the stream, and so is the delete of an item that is absent
    without a tombstone: its own record will settle the key, with the version that it is due.
    """
    standing = None if image is None else replicated_write(image)
    if image is not None and standing is None:
        return None
    writes = [write for write in (standing, *deletes) if write is not None]
    if not writes:
        return None
    return MemberState(max(writes, key=lambda write: write.version), is_absent=image is None)
