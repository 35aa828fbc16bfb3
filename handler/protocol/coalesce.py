"""Changes of one key that follow each other, as one: what the next member needs of them.

An application that writes a key again and again leaves a record of each write in the stream, and
each would be a write at every other member. Of local writes in a row the last replaces all that
the others did, so it alone is sent, as the change from what stood there before the first of them.
A delete is never left out, nor is what a hop brought: other members wait for their versions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from handler.model.records import Change, Record, UnreadableRecordError, read_change
from handler.protocol.decide import LocalWrite, classify_change, image_versions


@dataclass(frozen=True)
class CoalescedChange:
    """Records of one key that follow each other, and the one change that they come to."""

    records: Sequence[Record]
    change: Change | None
    """None where it must be read from the record, which may be unreadable."""


def coalesce(records: Sequence[Record]) -> Iterator[CoalescedChange]:
    """Take a key's records together as far as they can be, in their order."""
    if len(records) == 1:
        yield CoalescedChange(records, None)
        return
    run = CoalescedChange((), None)
    for record in records:
        change = _read(record)
        joined = _merge(run.change, change)
        if joined is not None:
            run = CoalescedChange((*run.records, record), joined)
            continue
        if run.records:
            yield run
        run = CoalescedChange((record,), change)
    if run.records:
        yield run


def _read(record: Record) -> Change | None:
    try:
        return read_change(record)
    except UnreadableRecordError:
        return None


def _merge(first: Change | None, then: Change | None) -> Change | None:
    """Two changes as one, if both are local writes and so is what they come to."""
    if first is None or then is None or first.new is None or then.new is None:
        return None
    if then.old is None or first.new.item != then.old.item:
        return None  # A change between them is missing here.
    joined = replace(then, old=first.old)
    if not set(image_versions(then)) <= set(image_versions(joined)):
        return None  # What it was made in knowledge of would be forgotten.
    all_local = all(isinstance(classify_change(one), LocalWrite) for one in (first, then, joined))
    return joined if all_local else None
