"""What comparing whole tables takes: money, time and disk. Pure arithmetic.

Two ways are told beside each other: `sorted_here`, on this machine's disk, and `apart`, in segments
that know nothing of each other, in functions (docs/decisions/0011-segments-apart.md). Tombstones,
what is tried again and what is looked at again are left out: of a ring that is well they are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean

from operate.pricing.bill import BillLine
from operate.pricing.prices import Prices

MOST_AT_ONCE = 10_000
"""Of a Distributed Map: https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_VCPU = 1769  # MB
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_CALL = 900  # seconds
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
_UNIT = 4096  # bytes; read eventually consistently, half a unit
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.Pagination
_PAGE = 1024 * 1024  # bytes
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
_PARTITION_BYTES, _PARTITION_UNITS = 10 * 1024**3, 3_000
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
_TABLE_UNITS = 40_000  # a second, by default
_ROW = 100  # bytes of an item in a journal: docs/decisions/0006-a-journal-on-disk.md
_STEPS = 3  # of a call: the start of its run, the function, and the look whether it was the last
_MILLION, _GB = 1e6, 1e9


@dataclass(frozen=True)
class Tables:
    """Tables that are alike: `size` is of each, `item` of an item, in bytes.

    `rate` is how many items a second one process reads and compares, of all members together, if
    it waits for nothing.
    """

    members: int
    size: int
    item: int
    rate: float = 8_000.0

    @property
    def items(self) -> float:
        """How many items each has."""
        return self.size / self.item

    @property
    def scanned(self) -> float:
        """Read units of a scan of one table: what is read counts as a whole."""
        return self.size / _UNIT / 2

    @property
    def looked_up(self) -> float:
        """Read units of reading all of its items by their keys: each counts alone."""
        return self.items * ceil(self.item / _UNIT) / 2

    @property
    def partitions(self) -> int:
        """How many it has, at least."""
        return ceil(self.size / _PARTITION_BYTES)

    @property
    def work(self) -> float:
        """Seconds that one process is busy with all items of all members."""
        return self.members * self.items / self.rate


@dataclass(frozen=True)
class Takes:
    """Something that a check takes besides money, or a limit that it meets."""

    name: str
    quantity: float
    unit: str
    formula: str


@dataclass(frozen=True)
class Way:
    """A way to check: its bill, its times, of which the longest counts, and what else it takes."""

    bill: Sequence[BillLine]
    times: Sequence[Takes]
    needs: Sequence[Takes]

    @property
    def longest(self) -> Takes:
        """What decides how long it takes."""
        return max(self.times, key=lambda one: one.quantity)


def sorted_here(tables: Tables, prices: Sequence[Prices], megabits: float) -> Way:
    """All is read by one machine outside of AWS, at so many megabits a second, and sorted there."""
    n, read = tables.members, tables.members * tables.size
    sent = BillLine(
        "transfer", read / _GB, "GB", _mean(prices, "internet"), f"{n} x size, to outside"
    )
    line = _hours("network", read * 8 / megabits / _MILLION, f"{n} x size / {megabits:g} Mbit/s")
    busy = _hours("this machine", tables.work, f"{n} x items / {tables.rate:,.0f} a second")
    rows = 2 * n * tables.items * _ROW / _GB
    disk = Takes("disk", rows, "GB", f"{n} x items x {_ROW} B, twice while it sorts")
    reading = _reading(tables, tables.scanned, "scan")
    return Way([_scans(tables, prices), sent], [*reading, line, busy], [disk])


@dataclass(frozen=True)
class Functions:
    """Each table in so many segments, `at_once` of all tables' at a time, in the first region.

    `round_trip` is a call's to a member, in seconds.
    """

    segments: int
    at_once: int
    round_trip: float

    def work(self, tables: Tables) -> float:
        """Seconds that they run, all together: for each page they wait twice."""
        pages = tables.members * tables.size / _PAGE
        return tables.work + 2 * pages * self.round_trip


def apart(tables: Tables, prices: Sequence[Prices], functions: Functions) -> Way:
    """Each item is compared with the next member's, segment by segment, in functions."""
    n, segments, work = tables.members, functions.segments, functions.work(tables)
    each, at_once = work / (n * segments), min(functions.at_once, n * segments)
    busy = Takes("functions", work / at_once / 3600, "hours", f"Lambda time / {at_once:,} at once")
    reading = _reading(tables, tables.scanned + tables.looked_up, "scan and lookups")
    return Way(
        [
            _scans(tables, prices),
            _lookups(tables, prices),
            *_functions(work, prices[0], n * segments * ceil(each / _CALL), _formula(tables)),
            _crossing(tables, prices),
        ],
        [*reading, busy],
        [
            Takes("a segment", each / 60, "minutes", "Lambda time / segments; a call may take 15"),
            Takes(
                "functions that tables bear",
                work / (max(one.quantity for one in reading) * 3600),
                "at once",
                "Lambda time / the tables' longest",
            ),
        ],
    )


def _scans(tables: Tables, prices: Sequence[Prices]) -> BillLine:
    n = tables.members
    formula = f"{n} x size / 4 KB, half a unit each"
    return _read_units("scans", n * tables.scanned, prices, formula)


def _lookups(tables: Tables, prices: Sequence[Prices]) -> BillLine:
    n, blocks = tables.members, ceil(tables.item / _UNIT)
    formula = f"{n} x items x {blocks} x 4 KB, half a unit each"
    return _read_units("lookups", n * tables.looked_up, prices, formula)


def _read_units(name: str, units: float, prices: Sequence[Prices], formula: str) -> BillLine:
    return BillLine(name, units / _MILLION, "million RRU", _mean(prices, "read"), formula)


def _formula(tables: Tables) -> str:
    n, rate = tables.members, f"{tables.rate:,.0f}"
    return f"{n} x (items / {rate} a second + 2 round trips a MB) x {_VCPU} MB"


def _functions(work: float, price: Prices, calls: float, formula: str) -> Iterator[BillLine]:
    millions, time = calls / _MILLION, work * _VCPU / 1024 / _MILLION
    yield BillLine("Lambda time", time, "million GB-s", price.gb_seconds, formula)
    yield BillLine(
        "Lambda requests", millions, "million", price.requests, "a segment's, 15 min each"
    )
    steps = _STEPS * millions
    yield BillLine(
        "Step Functions", steps, "million", price.transitions, f"requests x {_STEPS} steps"
    )
    yield BillLine("results", millions, "million PUT", price.puts, "one a request")


def _crossing(tables: Tables, prices: Sequence[Prices]) -> BillLine:
    others = tables.members - 1
    sent = 2 * others * tables.size / _GB
    return BillLine(
        "transfer", sent, "GB", _mean(prices, "transfer"), f"{others} x size, read twice"
    )


def _reading(tables: Tables, units: float, whose: str) -> list[Takes]:
    """How long one table takes to give so many units; all are read at the same time."""
    quota, partitions = f"{_TABLE_UNITS:,} a second", f"{tables.partitions:,} partitions"
    most = tables.partitions * _PARTITION_UNITS
    return [
        _hours("a table's quota", units / _TABLE_UNITS, f"units of a {whose} / {quota}"),
        _hours("partitions", units / most, f"units / {partitions} / {_PARTITION_UNITS:,} a second"),
    ]


def _hours(name: str, seconds: float, formula: str) -> Takes:
    return Takes(name, seconds / 3600, "hours", formula)


def _mean(prices: Sequence[Prices], name: str) -> float:
    """Every member has an equal part in each item."""
    return mean(float(getattr(one, name)) for one in prices)
