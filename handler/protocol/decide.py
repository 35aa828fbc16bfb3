"""Classify stream changes, version them, and derive a member's state. Pure: no store, no clock.

The rules are those of docs/explanation/protocol.md. The simulation in tests/simulation runs them
against each other, and tests/mutation shows for each rule what happens without it.
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
    """Identity of a member, as items and versions name it."""

    id: str
    region: str
    table: str


@dataclass(frozen=True)
class NoOp:
    """The images are equal: nothing to replicate."""


@dataclass(frozen=True)
class Arrival:
    """A write or a delete of another member that a hop applied at this one."""

    write: Write
    created: bool
    """There was no item before it, or the stub of a delete."""
    replaced_dirty: bool
    """It replaced an item that an application had just written at this member."""


@dataclass(frozen=True)
class StubRemoved:
    """The stub of an arrived delete was deleted: the second half of that delete."""

    delete: Write
    with_update: bool
    """An application had updated the stub, and its update was deleted with it."""


@dataclass(frozen=True)
class LocalWrite:
    """An item that an application wrote at this member."""

    image: Image


@dataclass(frozen=True)
class LocalDelete:
    """An item that an application, or DynamoDB by its TTL, deleted at this member."""


ChangeKind = NoOp | Arrival | StubRemoved | LocalWrite | LocalDelete


def classify_change(change: Change) -> ChangeKind:
    """Distinguish an application's changes at this member from what a hop applied."""
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
    """Return the stub that an item was made of, perhaps by an application's UpdateItem.

    UpdateItem leaves the stub's mark and version in place. A condition on them does not see it, so
    a hop that deletes a stub may delete such an update with it.
    """
    reserved = {name: value for name, value in image.item.items() if name.startswith(RESERVED)}
    stub = replicated_write(Image({**key, **reserved}))
    return stub if stub is not None and stub.is_delete else None


def _is_rollback(old: Image | None, version: Version) -> bool:
    """Return whether an older copy was put back: a hop replaces a version only by a newer one."""
    return old is not None and old.version is not None and old.version >= version


def stamp_local_change(
    change: Change,
    local: LocalWrite | LocalDelete,
    replica: ReplicaId,
    follows: Iterable[Version],
) -> Write:
    """Make the write, or the stub, that a local change is to the other members.

    Args:
        change: the record's change.
        local: its item, or that it is a delete.
        replica: the member where it was made.
        follows: versions that the new one must be above. It is not before the change's own time.
    """
    content = local.image.item if isinstance(local, LocalWrite) else change.key
    base = max(follows, default=None)
    if base is not None and base.seconds >= change.seconds:
        seconds, counter = base.seconds, base.counter + 1
    else:
        seconds, counter = change.seconds, 0
    version = Version.make(seconds, counter, replica.id, change.sequence, digest(content))
    item = {
        **application_attributes(content),
        SOURCE_REGION: {"S": replica.region},
        SOURCE_TABLE: {"S": replica.table},
        VERSION: {"B": version},
    }
    if isinstance(local, LocalDelete):
        return Write(version, {**item, DELETED: {"BOOL": True}}, is_delete=True)
    return Write(version, item, is_delete=False)


def image_versions(change: Change) -> list[Version]:
    """Return the versions of a change's images: those its writer knew or replaced."""
    images = (change.old, change.new)
    return [image.version for image in images if image is not None and image.version is not None]


@dataclass(frozen=True)
class KeyState:
    """The newest write of a key that a member has."""

    write: Write
    is_absent: bool
    """Whether the table has no item, not even one that its tombstone supersedes."""
    standing: Write | None = None
    """The item that the table has, or had until it was deleted as stale."""

    @property
    def superseded(self) -> Write | None:
        """The item that the newest delete supersedes; None: there is none."""
        if not self.write.is_delete or self.standing is None or self.standing.is_delete:
            return None
        return self.standing

    @property
    def is_stale(self) -> bool:
        """Whether the table has an item that should be deleted, or a stub that was left."""
        return self.write.is_delete and not self.is_absent


def member_state(image: Image | None, deletes: Iterable[Write | None]) -> KeyState | None:
    """Derive a member's state from its item and its known deletes; None while that is undecided.

    A dirty item's change is still in the stream, and so is the delete of an item that is absent
    without a tombstone: that record will settle the key, with the version that it gets.
    """
    standing = None if image is None else replicated_write(image)
    if image is not None and standing is None:
        return None
    writes = [write for write in (standing, *deletes) if write is not None]
    if not writes:
        return None
    newest = max(writes, key=lambda write: write.version)
    return KeyState(newest, is_absent=image is None, standing=standing)
