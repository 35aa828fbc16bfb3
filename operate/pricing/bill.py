"""A bill: what is paid for, and what decides how much. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean

from operate.pricing.prices import Prices

MONTH = 730 * 3600
"""Seconds."""


@dataclass(frozen=True)
class Load:
    """What applications write: `writes` a second, at all members together, of `size` bytes.

    `deletes` and `inserts` are shares of them; the rest changes items that are there. Global
    indexes that do not project all have `projected` bytes of an item.
    """

    writes: float
    size: int
    deletes: float = 0.0
    inserts: float = 0.0
    projected: int = 200

    @property
    def updates(self) -> float:
        """The share that changes items that are there."""
        return 1 - self.deletes - self.inserts


@dataclass(frozen=True)
class Index:
    """A global index, and what it projects: ALL, KEYS_ONLY or INCLUDE."""

    name: str
    projection: str


@dataclass(frozen=True)
class RingProfile:
    """What of a ring decides its cost. `round_trip` is a call's to the next member, in seconds.

    `crossing` is how many of the hops lead to another region. `dashboards` is 0 where nothing is
    watched. `beat_minutes` are those between two heartbeats of a member; 0: there are none.
    """

    members: int
    crossing: int
    tombstones: bool = True
    memory: int = 512
    batch_size: int = 500
    window: float = 0.0
    shards: int = 1
    round_trip: float = 0.1
    indexes: tuple[Index, ...] = ()
    dashboards: int = 0
    beat_minutes: int = 0


@dataclass(frozen=True)
class BillLine:
    """One item of the bill, for a month."""

    name: str
    quantity: float
    unit: str
    price: float
    """US dollars a unit."""
    formula: str

    @property
    def dollars(self) -> float:
        """What it comes to."""
        return self.quantity * self.price


def total(lines: Sequence[BillLine]) -> float:
    """Dollars a month."""
    return sum(line.dollars for line in lines)


def units(size: int) -> int:
    """Write request units of an item: one for each KB that it begins."""
    return max(1, ceil(size / 1024))


def mean_price(prices: Sequence[Prices], name: str) -> float:
    """Every member has an equal part in each item."""
    return mean(float(getattr(one, name)) for one in prices)
