"""Whether the members are equal in a key, by marks and tombstones alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from handler.model.version import Version
from operate.reconcile.fingerprints import (
    fingerprint_digest,
    fingerprint_version,
    is_stub_fingerprint,
)


class MemberState(NamedTuple):
    """What a member has of a key: marks, as `operate.reconcile.fingerprints.mark_of` makes them."""

    item: str | None = None
    tombstone: str | None = None


class DifferenceKind(StrEnum):
    """In what the members differ."""

    STUB = "stub left over"
    OUTLIVED = "older than its tombstone"
    MISSING = "missing"
    STALE = "stale"
    DIFFERENT = "different"
    """In content, and an item without a version among them: versions cannot tell who is right."""
    FORGOTTEN = "tombstone missing"
    """A delete that a member does not know of: a late write could bring the item back there."""


def classify_difference(
    held: Sequence[MemberState], replicas: Sequence[str | None], since: float | None = None
) -> DifferenceKind | None:
    """In what members differ that hold this of a key; None: in nothing.

    `replicas` are their ids in versions. An item need not have its version at its origin: there its
    content decides. Deletes `since` when (in seconds since 1970) everybody should know of; None: it
    does not matter who does.
    """
    items = [one.item for one in held if one.item is not None]
    if any(map(is_stub_fingerprint, items)):
        return DifferenceKind.STUB
    buried = _buried(held)
    if any(version < buried for version in filter(None, map(fingerprint_version, items))):
        return DifferenceKind.OUTLIVED
    if not items:
        return (
            DifferenceKind.FORGOTTEN if since is not None and _is_forgotten(held, since) else None
        )
    return DifferenceKind.MISSING if len(items) < len(held) else _judge_copies(items, replicas)


def _judge_copies(items: Sequence[str], replicas: Sequence[str | None]) -> DifferenceKind | None:
    versions = [version for version in map(fingerprint_version, items) if version is not None]
    if len(set(map(fingerprint_digest, items))) > 1:
        return DifferenceKind.STALE if len(versions) == len(items) else DifferenceKind.DIFFERENT
    newest = max(versions, default=None)
    for item, replica in zip(items, replicas, strict=True):
        if fingerprint_version(item) not in (None, newest) and newest and replica != newest.replica:
            return DifferenceKind.STALE
    return None


def _is_forgotten(held: Sequence[MemberState], since: float) -> bool:
    """Whether the newest delete is not known everywhere, where nothing stands that is newer."""
    newest = Version.parse(_buried(held))
    if newest is None or newest.seconds < since:
        return False
    return any(
        one.tombstone is None or fingerprint_version(one.tombstone) != newest for one in held
    )


def _buried(held: Sequence[MemberState]) -> str:
    """The version of the key's newest delete, as a text; empty: none is known."""
    deletes = (fingerprint_version(one.tombstone) for one in held if one.tombstone)
    return max((version for version in deletes if version), default="")
