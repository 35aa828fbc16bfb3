"""Classify how members differ in a key, by fingerprints and tombstones. Pure functions."""

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


class KeyFingerprints(NamedTuple):
    """Fingerprints of a member's item and tombstone of a key; see `fingerprints.fingerprint`."""

    item: str | None = None
    tombstone: str | None = None


class DifferenceKind(StrEnum):
    """How members differ in a key."""

    STUB = "stub left over"
    OUTLIVED = "older than its tombstone"
    MISSING = "missing"
    STALE = "stale"
    DIFFERENT = "different"
    """Different content, with an item without a version: versions cannot decide which is newer."""
    FORGOTTEN = "tombstone missing"
    """A member has no tombstone of a delete: a late write could restore the item there."""


def classify_difference(
    states: Sequence[KeyFingerprints], replicas: Sequence[str | None], since: float | None = None
) -> DifferenceKind | None:
    """Return how members with these states of a key differ; None: they are in sync.

    `replicas` are their replica IDs. At its origin an item may lack its version: there only the
    content is compared. Deletes after `since` (Unix time) need a tombstone at each member; None:
    missing tombstones are ignored.
    """
    items = [state.item for state in states if state.item is not None]
    if any(map(is_stub_fingerprint, items)):
        return DifferenceKind.STUB
    deleted = _newest_delete(states)
    versions = [version for version in map(fingerprint_version, items) if version is not None]
    if deleted is not None and any(version < deleted for version in versions):
        return DifferenceKind.OUTLIVED
    if not items:
        return (
            DifferenceKind.FORGOTTEN if since is not None and _is_forgotten(states, since) else None
        )
    return DifferenceKind.MISSING if len(items) < len(states) else _judge_copies(items, replicas)


def _judge_copies(items: Sequence[str], replicas: Sequence[str | None]) -> DifferenceKind | None:
    versions = [version for version in map(fingerprint_version, items) if version is not None]
    if len(set(map(fingerprint_digest, items))) > 1:
        return DifferenceKind.STALE if len(versions) == len(items) else DifferenceKind.DIFFERENT
    newest = max(versions, default=None)
    for item, replica in zip(items, replicas, strict=True):
        if fingerprint_version(item) not in (None, newest) and newest and replica != newest.replica:
            return DifferenceKind.STALE
    return None


def _is_forgotten(states: Sequence[KeyFingerprints], since: float) -> bool:
    """Return whether a member lacks the tombstone of the newest delete, made after `since`."""
    newest = _newest_delete(states)
    if newest is None or newest.seconds < since:
        return False
    return any(
        state.tombstone is None or fingerprint_version(state.tombstone) != newest
        for state in states
    )


def _newest_delete(states: Sequence[KeyFingerprints]) -> Version | None:
    """Return the version of the key's newest delete; None: there is none."""
    deletes = (fingerprint_version(state.tombstone) for state in states if state.tombstone)
    return max((version for version in deletes if version is not None), default=None)
