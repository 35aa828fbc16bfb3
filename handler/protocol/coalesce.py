"""Coalesce consecutive local writes of one key into one change.

An application that writes a key many times leaves a record of each write in the stream, and each
would be a write at every other member. The last of consecutive local writes replaces all others, so
it alone is sent, as the change from the item before the first of them. A delete is never coalesced,
nor is what a hop applied: other members need their versions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from handler.model.records import Change, Record, UnreadableRecordError, read_change
from handler.protocol.decide import LocalWrite, classify_change, image_versions


@dataclass(frozen=True)
class CoalescedChange:
    """Consecutive records of one key, and the one change that they amount to."""

    records: Sequence[Record]
    change: Change | None
    """None: read it from the record, which may be unreadable."""


def coalesce(records: Sequence[Record]) -> Iterator[CoalescedChange]:
    """Coalesce the records of one key, as far as they can be, in their order."""
    if len(records) == 1:
        yield CoalescedChange(records, None)
        return
    current = CoalescedChange((), None)
    for record in records:
        change = _read(record)
        merged = _merge(current.change, change)
        if merged is not None:
            current = CoalescedChange((*current.records, record), merged)
            continue
        if current.records:
            yield current
        current = CoalescedChange((record,), change)
    if current.records:
        yield current


def _read(record: Record) -> Change | None:
    try:
        return read_change(record)
    except UnreadableRecordError:
        return None


def _merge(first: Change | None, then: Change | None) -> Change | None:
    """Merge two changes, if both are local writes and so is the merged one; None: they stay two."""
    if first is None or then is None or first.new is None or then.new is None:
        return None
    if then.old is None or first.new.item != then.old.item:
        return None  # A change between them is missing.
    merged = replace(then, old=first.old)
    if not set(image_versions(then)) <= set(image_versions(merged)):
        return None  # A version that the second was based on would be lost.
    changes = (first, then, merged)
    all_local = all(isinstance(classify_change(change), LocalWrite) for change in changes)
    return merged if all_local else None
