"""What a ring costs a month beside Global Tables, item by item. Pure arithmetic.

Counted is what comes on top of the tables themselves: storage, backups and the applications' reads
cost the same in both. A ring is taken to be quiet (no conflicts, nothing tried again), on demand,
and written to in equal parts at all members; and what changes an item, to leave the keys of its
indexes as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from handler.aws.clients import MAX_CONCURRENCY
from handler.metrics import METRICS
from handler.retry import INITIAL_CONCURRENCY
from operate.pricing.bill import MONTH, BillLine, Load, RingProfile, mean_price, units
from operate.pricing.prices import Prices
from ring.hop_metrics import HopMetrics
from ring.monitoring.alarms import hop_alarms, quarantine_bucket_alarm
from ring.settings.members import Member

_MILLION = 1e6
_GB = 1e9
ATTRIBUTES = len("_repl_source_region_repl_source_table_repl_version") + 30 + 30
"""Bytes that a copy is larger than its item: names, a version, a region's and a table's name."""
_STUB = 300  # bytes, key and all
_LINES = 1_500  # bytes that an invocation logs: the line of the batch, and Lambda's own three
_POLLS = (
    4  # a second and shard, at most: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
)


def ring(load: Load, shape: RingProfile, prices: Sequence[Prices]) -> list[BillLine]:
    """What a ring costs; `prices` are those of its members' regions."""
    return [
        *_tables(load, shape, prices),
        *_indexes(load, shape, prices, ATTRIBUTES),
        *_functions(load, shape, prices),
        *_heartbeats(shape, prices),
        *_watch(shape, prices),
    ]


def global_tables(load: Load, shape: RingProfile, prices: Sequence[Prices]) -> list[BillLine]:
    """What the same writes cost with Global Tables in as many regions.

    Each write is billed in replicated units in every region, its own included:
    https://aws.amazon.com/dynamodb/pricing/on-demand/
    """
    n, month = shape.members, load.writes * MONTH
    written = month * units(load.size) * n
    sent = month * (n - 1) * load.size * (1 - load.deletes)
    return [
        BillLine(
            "replicated writes",
            written / _MILLION,
            "million rWRU",
            mean_price(prices, "replicated_write"),
            f"writes x {n} members x {units(load.size)} units",
        ),
        BillLine(
            "transfer",
            sent / _GB,
            "GB",
            mean_price(prices, "transfer"),
            f"(puts and updates) x {n - 1} x {load.size} B",
        ),
        *_indexes(load, shape, prices, 0),
    ]


def _tables(load: Load, shape: RingProfile, prices: Sequence[Prices]) -> Iterator[BillLine]:
    n, month = shape.members, load.writes * MONTH
    own, copy = units(load.size), units(load.size + ATTRIBUTES)
    puts, deletes = month * (load.updates + load.inserts), month * load.deletes
    write, read = mean_price(prices, "write"), mean_price(prices, "read")
    yield BillLine(
        "applications' writes",
        month * own / _MILLION,
        "million WRU",
        write,
        f"writes x {own} units",
    )
    yield BillLine(
        "hops' writes",
        puts * (n - 1) * copy / _MILLION,
        "million WRU",
        write,
        f"(puts and updates) x {n - 1} x {copy} units",
    )
    if not shape.tombstones:
        yield BillLine(
            "hops' deletes",
            deletes * ((n - 1) * copy + 1) / _MILLION,
            "million WRU",
            write,
            f"deletes x ({n - 1} x {copy} units + 1 that finds nothing)",
        )
        return
    yield BillLine(
        "hops' deletes",
        deletes * (n + (n - 1) * (copy + 1)) / _MILLION,
        "million WRU",
        write,
        f"deletes x ({n} tombstones + {n - 1} stubs of {copy} units + {n - 1} removals)",
    )
    yield BillLine(
        "reads of tombstones",
        month * (load.inserts + load.deletes) * 2 * (n - 1) / _MILLION,
        "million RRU",
        read,
        f"(inserts + deletes) x {2 * (n - 1)}",
    )


def _indexes(
    load: Load, shape: RingProfile, prices: Sequence[Prices], more: int
) -> Iterator[BillLine]:
    """What each global index takes at all members, whose copies are larger by so many bytes.

    A write takes units of an index if it changes what is projected, by the size of that; of a
    delete the stub takes the entry away. With Global Tables, too, they are units of the usual kind:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/global-tables-billing.html
    """
    n, month = shape.members, load.writes * MONTH
    for index in shape.indexes:
        whole = index.projection == "ALL"
        own = units(load.size if whole else load.projected)
        copy = units(load.size + more if whole else load.projected)
        keys_only = index.projection == "KEYS_ONLY"
        share = load.inserts + load.deletes if keys_only else 1.0
        which = "(inserts + deletes)" if keys_only else "writes"
        yield BillLine(
            f"index {index.name}",
            month * share * (own + (n - 1) * copy) / _MILLION,
            "million WRU",
            mean_price(prices, "write"),
            f"{which} x ({own} units + {n - 1} x {copy} units)",
        )


def _watch(shape: RingProfile, prices: Sequence[Prices]) -> Iterator[BillLine]:
    """The alarms, which are paid by the metrics that they look at, and the dashboards."""
    if not shape.dashboards:
        return
    nobody = Member("", "", "")
    hop = HopMetrics(nobody, nobody, function="", mapping="")
    alarms = [*hop_alarms(hop, max_lag_seconds=0), quarantine_bucket_alarm("")]
    metrics = sum(len(alarm.metrics) for alarm in alarms)
    yield BillLine(
        "alarms",
        shape.members * metrics,
        "metrics",
        mean_price(prices, "alarms"),
        f"{shape.members} hops x {len(alarms)} alarms over {metrics} metrics",
    )
    yield BillLine(
        "dashboards",
        shape.dashboards,
        "dashboards",
        mean_price(prices, "dashboards"),
        "one for each account; an account's first three are free",
    )


def _functions(load: Load, shape: RingProfile, prices: Sequence[Prices]) -> Iterator[BillLine]:
    n = shape.members
    records = load.writes * _records(load, shape) / n
    called = _calls_a_second(records, shape)
    seconds = _seconds(load, shape, records / called) if called else 0.0
    calls = called * n * MONTH
    yield BillLine("stream reads", 0, "million", 0.0, "free for Lambda")
    how = f"{n} hops x {called:.3g} a second, of {records / called if called else 0:.3g} records"
    yield from _invocations(
        "Lambda", calls, how, seconds=seconds, memory=shape.memory, prices=prices
    )
    sent = load.writes * MONTH * _bytes(load, shape) * shape.crossing / n
    yield BillLine(
        "transfer",
        sent / _GB,
        "GB",
        mean_price(prices, "transfer"),
        f"copies there, what they replace back; {shape.crossing} of {n} hops cross regions",
    )
    yield _logs("logs", calls, prices)
    yield BillLine(
        "metrics",
        n * len(METRICS),
        "metrics",
        mean_price(prices, "metrics"),
        f"{n} hops x {len(METRICS)}",
    )


def _heartbeats(shape: RingProfile, prices: Sequence[Prices]) -> Iterator[BillLine]:
    """What heartbeats add in a quiet ring; in a busy one they share invocations, and add less.

    Each is a write of a unit at every member, and an invocation that makes it, besides one for its
    record at each hop. A schedule that invokes it is free:
    https://aws.amazon.com/eventbridge/pricing/
    """
    if not shape.beat_minutes:
        return
    n = shape.members
    beats = n * MONTH / (shape.beat_minutes * 60)
    calls, seconds = beats * (n + 1), 0.01 + shape.round_trip
    often = f"{n} members, every {shape.beat_minutes} min"
    yield BillLine(
        "heartbeats' writes",
        beats * n / _MILLION,
        "million WRU",
        mean_price(prices, "write"),
        f"{often}, x {n} writes",
    )
    how = f"{often}, x {n + 1} invocations"
    yield from _invocations(
        "heartbeats'", calls, how, seconds=seconds, memory=shape.memory, prices=prices
    )
    yield _logs("heartbeats' logs", calls, prices)


def _invocations(  # noqa: PLR0913 - the terms of two formulas
    whose: str,
    calls: float,
    how: str,
    *,
    seconds: float,
    memory: int,
    prices: Sequence[Prices],
) -> Iterator[BillLine]:
    """Yield the lines of a function's requests and time: so many calls of so many seconds."""
    yield BillLine(
        f"{whose} requests", calls / _MILLION, "million", mean_price(prices, "requests"), how
    )
    yield BillLine(
        f"{whose} time",
        calls * seconds * memory / 1024 / _MILLION,
        "million GB-s",
        mean_price(prices, "gb_seconds"),
        f"requests x {seconds:.3g} s x {memory} MB",
    )


def _logs(name: str, calls: float, prices: Sequence[Prices]) -> BillLine:
    how = f"requests x {_LINES} B"
    return BillLine(name, calls * _LINES / _GB, "GB", mean_price(prices, "logs"), how)


def _records(load: Load, shape: RingProfile) -> float:
    """How many records of streams a write makes: a delete makes two where its stub stood."""
    n = shape.members
    return n * (1 - load.deletes) + load.deletes * (2 * n - 1 if shape.tombstones else n)


def _calls_a_second(records: float, shape: RingProfile) -> float:
    """Invocations of a hop: one a record, or as often as Lambda looks, or as full as they get."""
    looks = float(_POLLS * shape.shards)
    if shape.window:
        looks = min(looks, shape.shards / shape.window)
    return max(min(records, looks), records / shape.batch_size)


def _seconds(load: Load, shape: RingProfile, records: float) -> float:
    """How long an invocation takes: the calls of a record follow each other, its keys do not."""
    calls = load.updates + 2 * load.inserts + (5 if shape.tombstones else 1) * load.deletes
    return 0.01 + shape.round_trip * calls * _round_trips(ceil(records))


def _round_trips(requests: int) -> int:
    """Return how many one after the other: each lets twice as many be in progress next."""
    trips, at_once = 0, INITIAL_CONCURRENCY
    while requests > 0:
        requests -= at_once
        at_once = min(2 * at_once, MAX_CONCURRENCY)
        trips += 1
    return trips


def _bytes(load: Load, shape: RingProfile) -> float:
    """Bytes between members for a write: copies go there, and what they replace comes back."""
    copy = load.size + ATTRIBUTES
    there = (load.updates + load.inserts) * copy + load.deletes * 3 * _STUB
    back = (load.updates + load.deletes) * copy
    return (shape.members - 1) * (there + back)
