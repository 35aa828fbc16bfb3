"""Compare a page of a segment with the same keys at other members.

A page depends on no other segment and keeps no state, so that segments can be compared anywhere, in
any order. Each member's items are compared only with the next member's. That is enough: around the
ring, at most one member can have another version than all others, and it is the version's origin
(docs/decisions/0011-segments-apart.md).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from handler.model.expiry import will_be_deleted
from operate.reconcile.difference_kinds import KeyFingerprints, classify_difference
from operate.reconcile.fingerprints import (
    fingerprint,
    fingerprint_digest,
    fingerprint_version,
    fingerprints,
    is_stub_fingerprint,
    key_of,
    key_text,
)
from operate.reconcile.members import MemberConnection
from operate.reconcile.parallel_scan import Page, ScanSegment, read_page

_MAX_BATCH_KEYS = 100
"""Keys per request: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
_PARALLEL_REQUESTS = 10  # per page: about enough for 1 MB of small items
_MAX_BACKOFF = 5.0  # seconds


@dataclass(frozen=True)
class ComparedPage(Page):
    """A page without expired items, and its keys (as texts) in which members may differ."""

    suspects: Sequence[str] = ()


def compare_page(
    members: Sequence[MemberConnection], part: ScanSegment, since: float | None = None
) -> ComparedPage:
    """Read a segment's next page and compare it. Sources are numbered as in `table_segments`.

    `since` is as in `classify_difference`. Reads are eventually consistent: recheck the suspects.

    Raises:
        StoppedError: A stop was requested. Checked before each request.
    """
    place, is_tombstones = divmod(part.source, 2)
    member = members[place]
    page = read_page(member.client, part.segment, part.position, consistent=False)
    # Expired tombstones need no filter: they are dropped by the tombstone table's own TTL.
    ttl_attribute = None if is_tombstones else member.ttl_attribute
    rows = dict(fingerprints(page.items, member.keys, ttl_attribute))
    if is_tombstones:
        suspects = _tombstone_suspects(members, place, rows, since)
    else:
        suspects = _item_suspects(members, place, rows)
    live = [item for item in page.items if key_text(item, member.keys) in rows]
    return ComparedPage(live, page.position, suspects=suspects)


def matches(marks: tuple[str, str | None], replicas: tuple[str | None, str | None]) -> bool:
    """Return whether two neighbours agree on an item, by its fingerprints and their replica IDs.

    Contents must be equal, and versions too, except that at the version's origin the item may have
    no version or an older one.
    """
    first, second = marks
    if (
        second is None
        or is_stub_fingerprint(first)
        or is_stub_fingerprint(second)
        or fingerprint_digest(first) != fingerprint_digest(second)
    ):
        return False
    versions = (fingerprint_version(first), fingerprint_version(second))
    if versions[0] == versions[1]:
        return True
    newest = max(filter(None, versions))
    return replicas[versions.index(newest) ^ 1] == newest.replica


def _item_suspects(
    members: Sequence[MemberConnection], place: int, rows: Mapping[str, str]
) -> list[str]:
    neighbour = members[(place + 1) % len(members)]
    replicas = (members[place].replica, neighbour.replica)
    others = _item_fingerprints(neighbour, list(rows))
    return [key for key, mark in rows.items() if not matches((mark, others.get(key)), replicas)]


def _tombstone_suspects(
    members: Sequence[MemberConnection], place: int, rows: Mapping[str, str], since: float | None
) -> list[str]:
    """Return the keys with a tombstone for which some member still holds a stale item.

    With `since`, also those for which some member has no tombstone.
    """
    keys, replicas = list(rows), [member.replica for member in members]
    items = [_item_fingerprints(member, keys) for member in members]
    tombstones = [
        rows if at == place else {} if since is None else _tombstone_fingerprints(member, keys)
        for at, member in enumerate(members)
    ]

    def states(key: str) -> list[KeyFingerprints]:
        pairs = zip(items, tombstones, strict=True)
        return [KeyFingerprints(item.get(key), tombstone.get(key)) for item, tombstone in pairs]

    return [key for key in rows if classify_difference(states(key), replicas, since) is not None]


def _item_fingerprints(member: MemberConnection, keys: Sequence[str]) -> dict[str, str]:
    """Return the fingerprints of a member's items, by key."""
    now = time.time()
    return {
        key_text(item, member.keys): fingerprint(item)
        for item in _items(member, member.tables.table, keys)
        if not will_be_deleted(item, member.ttl_attribute, now)
    }


def _tombstone_fingerprints(member: MemberConnection, keys: Sequence[str]) -> dict[str, str]:
    """Return the fingerprints of a member's tombstones, by key."""
    table = member.tables.tombstones
    found = () if table is None else _items(member, table, keys)
    return {key_text(item, member.keys): fingerprint(item) for item in found}


def _items(
    member: MemberConnection, table: str, keys: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    requests = [
        keys[first : first + _MAX_BATCH_KEYS] for first in range(0, len(keys), _MAX_BATCH_KEYS)
    ]
    with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
        for items in pool.map(lambda batch: list(_batch_get(member, table, batch)), requests):
            yield from items


def _batch_get(
    member: MemberConnection, table: str, keys: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    pending: Sequence[Any] = [key_of(text, member.keys) for text in keys]
    attempts = 0
    while pending:
        member.stop.check()
        found = member.client.batch_get_item(RequestItems={table: {"Keys": pending}})
        yield from found["Responses"].get(table, [])
        # Throttled keys, and those that exceed a response's size, are returned unprocessed.
        pending = found["UnprocessedKeys"].get(table, {"Keys": []})["Keys"]
        if pending:
            attempts += 1
            member.stop.sleep(random.random() * min(_MAX_BACKOFF, 0.05 * 2**attempts))
