"""Show how many copies take a write unit more than their items, for the ring's attributes.

A write takes a unit for each KB or part of one. So of items whose sizes are spread evenly over some
KB, as many as the attributes have bytes of a KB take one more; of smaller items, fewer.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html

No source says how large items are that people keep in DynamoDB. The spreads here are logarithmic
normal, as sizes of records in stores usually are: most are near the median, and few are many times
as large. Two in three lie between half and twice the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, erf, log, sqrt

from benchmarks.screen import Screen
from handler.model.image import Image, application_attributes
from handler.model.records import Change
from handler.protocol.decide import LocalWrite, ReplicaId, stamp_local_change
from local.data.item_size import item_size

MEDIANS = (200, 500, 1_000, 2_000, 5_000, 20_000)
"""Bytes."""
MEMBER = ReplicaId("0a1b2c3d", "eu-west-1", "customer-orders-prod")
WITH_TEXT = 163
"""Bytes with a version of 84 characters, for the same member."""
_UNIT, _LARGEST = 1_024, 400 * 1_024


def bytes_of_attributes(member: ReplicaId = MEMBER, digits: int = 24) -> int:
    """Return by how many bytes a copy is larger than its item: the longest number of `digits`."""
    key = {"k": {"S": "1"}}
    change = Change(key, None, Image(key), 10**digits - 1, 1_700_000_000, expired=False)
    copy = stamp_local_change(change, LocalWrite(Image(key)), member, ()).item
    return item_size(copy) - item_size(application_attributes(copy))


def spread(median: int) -> list[float]:
    """Return the share of items of each size, by size in bytes; the median is as given."""
    below = [0.0, *(_below(size / median) for size in range(1, _LARGEST + 1))]
    return [0.0, *(after - before for before, after in pairwise(below))]


def _below(times: float) -> float:
    """Return the share of items below so many times the median."""
    return (1 + erf(log(times) / log(2) / sqrt(2))) / 2


def share_with_more(shares: Sequence[float], more: int) -> float:
    """Return the share of copies that take a unit more than their items."""
    return sum(
        share
        for size, share in enumerate(shares)
        if ceil((size + more) / _UNIT) > ceil(size / _UNIT)
    )


def units(shares: Sequence[float], more: int = 0) -> float:
    """Return the mean write units of items, or of copies that are larger by so many bytes."""
    return sum(share * ceil((size + more) / _UNIT) for size, share in enumerate(shares))


def run(screen: Screen, _: float) -> None:
    """Print the shares and the units for each median."""
    now = bytes_of_attributes()
    rows = []
    for median in MEDIANS:
        shares = spread(median)
        rows.append(
            [
                f"{median:,} bytes",
                f"{share_with_more(shares, WITH_TEXT):.1%}",
                f"{share_with_more(shares, now):.1%}",
                f"{units(shares):.2f}",
                f"{units(shares, WITH_TEXT):.2f}",
                f"{units(shares, now):.2f}",
            ]
        )
    columns = ["median", "text", "binary", "units of an item", "copy, text", "copy, binary"]
    title = (
        f"Copies that take a write unit more, of {WITH_TEXT} bytes (a version as text) and of {now}"
    )
    screen.table(title, columns, rows)
