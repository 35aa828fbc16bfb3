"""What a ring costs a month beside Global Tables, item by item. Pure arithmetic.

Counted is what comes on top of the tables themselves: storage, backups and the applications' reads
cost the same in both. A ring is taken to be quiet (no conflicts, nothing tried again), on demand,
without global indexes, and written to in equal parts at all members.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import mean

from handler.clients import CONCURRENCY
from handler.telling import METRICS
from operate.prices import Prices

MONTH = 730 * 3600
"""Seconds."""
_MILLION = 1e6
_GB = 1e9
_ATTRIBUTES = len("_repl_source_region_repl_source_table_repl_version") + 84 + 40
"""Bytes that a copy is larger than its item: names, a version, a region's and a table's name."""
_STUB = 300  # bytes, key and all
_LINES = 1_500  # bytes that an invocation logs: the line of the batch, and Lambda's own three
_POLLS = (
    4  # a second and shard, at most: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
)


@dataclass(frozen=True)
class Load:
    """What applications write: `writes` a second, at all members together, of `size` bytes.

    `deletes` and `inserts` are shares of them; the rest changes items that are there.
    """

    writes: float
    size: int
    deletes: float = 0.0
    inserts: float = 0.0

    @property
    def updates(self) -> float:
        """The share that changes items that are there."""
        return 1 - self.deletes - self.inserts


@dataclass(frozen=True)
class Shape:
    """What of a ring decides its cost. `round_trip` is a call's to the next member, in seconds.

    `crossing` is how many of the hops lead to another region.
    """

    members: int
    crossing: int
    tombstones: bool = True
    memory: int = 512
    batch_size: int = 500
    window: float = 0.0
    shards: int = 1
    round_trip: float = 0.1


@dataclass(frozen=True)
class Line:
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


def ring(load: Load, shape: Shape, prices: Sequence[Prices]) -> list[Line]:
    """What a ring costs; `prices` are those of its members' regions."""
    return [*_tables(load, shape, prices), *_functions(load, shape, prices)]


def global_tables(load: Load, shape: Shape, prices: Sequence[Prices]) -> list[Line]:
    """What the same writes cost with Global Tables in as many regions.

    Each write is billed in replicated units in every region, its own included:
    https://aws.amazon.com/dynamodb/pricing/on-demand/
    """
    n, month = shape.members, load.writes * MONTH
    units = month * _units(load.size) * n
    sent = month * (n - 1) * load.size * (1 - load.deletes)
    return [
        Line(
            "replicated writes",
            units / _MILLION,
            "million rWRU",
            _mean(prices, "replicated_write"),
            f"writes x {n} members x {_units(load.size)} units",
        ),
        Line(
            "transfer",
            sent / _GB,
            "GB",
            _mean(prices, "transfer"),
            f"(puts and updates) x {n - 1} x {load.size} B",
        ),
    ]


def total(lines: Sequence[Line]) -> float:
    """Dollars a month."""
    return sum(line.dollars for line in lines)


def _tables(load: Load, shape: Shape, prices: Sequence[Prices]) -> Iterator[Line]:
    n, month = shape.members, load.writes * MONTH
    own, copy = _units(load.size), _units(load.size + _ATTRIBUTES)
    puts, deletes = month * (load.updates + load.inserts), month * load.deletes
    write, read = _mean(prices, "write"), _mean(prices, "read")
    yield Line(
        "applications' writes",
        month * own / _MILLION,
        "million WRU",
        write,
        f"writes x {own} units",
    )
    yield Line(
        "hops' writes",
        puts * (n - 1) * copy / _MILLION,
        "million WRU",
        write,
        f"(puts and updates) x {n - 1} x {copy} units",
    )
    if not shape.tombstones:
        yield Line(
            "hops' deletes",
            deletes * ((n - 1) * copy + 1) / _MILLION,
            "million WRU",
            write,
            f"deletes x ({n - 1} x {copy} units + 1 that finds nothing)",
        )
        return
    yield Line(
        "hops' deletes",
        deletes * (n + (n - 1) * (copy + 1)) / _MILLION,
        "million WRU",
        write,
        f"deletes x ({n} tombstones + {n - 1} stubs of {copy} units + {n - 1} removals)",
    )
    yield Line(
        "reads of tombstones",
        month * (load.inserts + load.deletes) * 2 * (n - 1) / _MILLION,
        "million RRU",
        read,
        f"(inserts + deletes) x {2 * (n - 1)}",
    )


def _functions(load: Load, shape: Shape, prices: Sequence[Prices]) -> Iterator[Line]:
    n = shape.members
    records = load.writes * _records(load, shape) / n
    called = _calls_a_second(records, shape)
    seconds = _seconds(load, shape, records / called) if called else 0.0
    calls = called * n * MONTH
    yield Line("stream reads", 0, "million", 0.0, "free for Lambda")
    yield Line(
        "Lambda requests",
        calls / _MILLION,
        "million",
        _mean(prices, "requests"),
        f"{n} hops x {called:.3g} a second, of {records / called if called else 0:.3g} records",
    )
    yield Line(
        "Lambda time",
        calls * seconds * shape.memory / 1024 / _MILLION,
        "million GB-s",
        _mean(prices, "gb_seconds"),
        f"requests x {seconds:.3g} s x {shape.memory} MB",
    )
    sent = load.writes * MONTH * _bytes(load, shape) * shape.crossing / n
    yield Line(
        "transfer",
        sent / _GB,
        "GB",
        _mean(prices, "transfer"),
        f"copies there, what they replace back; {shape.crossing} of {n} hops cross regions",
    )
    yield Line(
        "logs",
        calls * _LINES / _GB,
        "GB",
        _mean(prices, "logs"),
        f"requests x {_LINES} B",
    )
    yield Line(
        "metrics",
        n * len(METRICS),
        "metrics",
        _mean(prices, "metrics"),
        f"{n} hops x {len(METRICS)}",
    )


def _units(size: int) -> int:
    """Write request units of an item: one for each KB that it begins."""
    return max(1, ceil(size / 1024))


def _mean(prices: Sequence[Prices], name: str) -> float:
    """Every member has an equal part in each item."""
    return mean(float(getattr(one, name)) for one in prices)


def _records(load: Load, shape: Shape) -> float:
    """How many records of streams a write makes: a delete makes two where its stub stood."""
    n = shape.members
    return n * (1 - load.deletes) + load.deletes * (2 * n - 1 if shape.tombstones else n)


def _calls_a_second(records: float, shape: Shape) -> float:
    """Invocations of a hop: one a record, or as often as Lambda looks, or as full as they get."""
    looks = float(_POLLS * shape.shards)
    if shape.window:
        looks = min(looks, shape.shards / shape.window)
    return max(min(records, looks), records / shape.batch_size)


def _seconds(load: Load, shape: Shape, records: float) -> float:
    """How long an invocation takes: the calls of a record follow each other, its keys do not."""
    calls = load.updates + 2 * load.inserts + (5 if shape.tombstones else 1) * load.deletes
    return 0.01 + shape.round_trip * calls * ceil(records / CONCURRENCY)


def _bytes(load: Load, shape: Shape) -> float:
    """Bytes between members for a write: copies go there, and what they replace comes back."""
    copy = load.size + _ATTRIBUTES
    there = (load.updates + load.inserts) * copy + load.deletes * 3 * _STUB
    back = (load.updates + load.deletes) * copy
    return (shape.members - 1) * (there + back)
