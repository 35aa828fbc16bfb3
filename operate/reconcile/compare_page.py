"""A page of a segment, compared with what other members have of its keys.

It knows of no other segment and keeps nothing, so that segments can be compared anywhere, in any
order. Each member's items are compared with the next member's alone. That is enough: going around
the ring, at most one member is left that has not what all others have, and it is where that was
written (docs/decisions/0011-segments-apart.md).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from handler.model.expiry import will_be_deleted
from operate.reconcile.compare import MemberState, classify_difference
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

_MOST = 100
"""Keys in a request: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
_REQUESTS = 10  # at a time, for a page: about what 1 MB of small items takes
_LONGEST = 5.0  # seconds between two tries


@dataclass(frozen=True)
class ComparedPage(Page):
    """A page without what is to expire, and its keys in which members may differ, as texts."""

    suspects: Sequence[str] = ()


def compare_page(
    members: Sequence[MemberConnection], part: ScanSegment, since: float | None = None
) -> ComparedPage:
    """Read a page of a part, whose source is as `reconcile.check` numbers them, and compare it.

    `since` is as in `operate.reconcile.compare`. Nothing is read consistently: what seems to differ
    must be looked at again. Raises `StoppedError` between two requests, once a stop is asked for.
    """
    place, buried = divmod(part.source, 2)
    member = members[place]
    page = read_page(member.client, part.segment, part.position, consistent=False)
    # A tombstone's own end is its table's affair.
    rows = dict(fingerprints(page.items, member.keys, None if buried else member.ttl_attribute))
    suspects = _outlived(members, place, rows, since) if buried else _unlike(members, place, rows)
    live = [item for item in page.items if key_text(item, member.keys) in rows]
    return ComparedPage(live, page.position, suspects=suspects)


def matches(marks: tuple[str, str | None], replicas: tuple[str | None, str | None]) -> bool:
    """Whether two neighbours agree on an item, by its marks and by their ids in versions.

    The contents are equal, and so are the versions: but at the version's own origin the item may
    have none, or an older one.
    """
    one, other = marks
    if (
        other is None
        or is_stub_fingerprint(one)
        or is_stub_fingerprint(other)
        or fingerprint_digest(one) != fingerprint_digest(other)
    ):
        return False
    versions = (fingerprint_version(one), fingerprint_version(other))
    if versions[0] == versions[1]:
        return True
    newest = max(filter(None, versions))
    return replicas[versions.index(newest) ^ 1] == newest.replica


def _unlike(members: Sequence[MemberConnection], place: int, rows: Mapping[str, str]) -> list[str]:
    after = members[(place + 1) % len(members)]
    replicas = (members[place].replica, after.replica)
    there = _marks(after, list(rows))
    return [key for key, mark in rows.items() if not matches((mark, there.get(key)), replicas)]


def _outlived(
    members: Sequence[MemberConnection], place: int, rows: Mapping[str, str], since: float | None
) -> list[str]:
    """Keys of tombstones of which some member still has something, and not what it should.

    Or, where deletes are to be known everywhere, of which some member has no tombstone.
    """
    replicas = [member.replica for member in members]
    items = [_marks(member, list(rows)) for member in members]
    known = [
        rows if at == place else {} if since is None else _tombstones(member, list(rows))
        for at, member in enumerate(members)
    ]

    def held(key: str) -> list[MemberState]:
        pairs = zip(items, known, strict=True)
        return [MemberState(item.get(key), tombstone.get(key)) for item, tombstone in pairs]

    return [key for key in rows if classify_difference(held(key), replicas, since) is not None]


def _marks(member: MemberConnection, keys: Sequence[str]) -> dict[str, str]:
    """The marks of the items that a member has, by their keys."""
    now = time.time()
    return {
        key_text(item, member.keys): fingerprint(item)
        for item in _items(member, member.tables.table, keys)
        if not will_be_deleted(item, member.ttl_attribute, now)
    }


def _tombstones(member: MemberConnection, keys: Sequence[str]) -> dict[str, str]:
    """The marks of the tombstones that a member has, by their keys."""
    table = member.tables.tombstones
    found = () if table is None else _items(member, table, keys)
    return {key_text(item, member.keys): fingerprint(item) for item in found}


def _items(
    member: MemberConnection, table: str, keys: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    requests = [keys[first : first + _MOST] for first in range(0, len(keys), _MOST)]
    with ThreadPoolExecutor(_REQUESTS) as pool:
        for items in pool.map(lambda some: list(_asked(member, table, some)), requests):
            yield from items


def _asked(
    member: MemberConnection, table: str, keys: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    wanted: Sequence[Any] = [key_of(text, member.keys) for text in keys]
    tries = 0
    while wanted:
        member.stop.check()
        found = member.client.batch_get_item(RequestItems={table: {"Keys": wanted}})
        yield from found["Responses"].get(table, [])
        # What a table cannot bear or an answer cannot hold comes back to be asked again.
        wanted = found["UnprocessedKeys"].get(table, {"Keys": []})["Keys"]
        if wanted:
            tries += 1
            member.stop.sleep(random.random() * min(_LONGEST, 0.05 * 2**tries))
