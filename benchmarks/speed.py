"""Measure records per second and processor time per record, of a hop and other contenders."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmarks.contenders import Contender, contenders
from benchmarks.records import Load, Record
from benchmarks.screen import Screen, number, times
from benchmarks.target import Conduct, target

_WARM_UP = 2_000
"""Number of records that a contender replicates before it is measured."""
_SECONDS = 2.0
"""Time limit for (a), which gets only as many of a batch's records."""


_USUAL = Conduct(round_trip=20)


@dataclass(frozen=True)
class Speed:
    """What a contender reached."""

    rate: float
    """Records per second."""
    cpu: float
    """Processor time of the client per record, in milliseconds."""


@dataclass(frozen=True)
class Case:
    """A row of a table."""

    name: str
    load: Load
    conduct: Conduct = _USUAL


@dataclass(frozen=True)
class Part:
    """A table with a title and rows."""

    title: str
    cases: Sequence[Case]

    def run(self, screen: Screen, scale: float) -> None:
        """Measure and print the table; a scale below 1 makes smaller batches."""
        rows: list[list[str]] = []
        for case in screen.progress(self.title, self.cases):
            load = replace(case.load, count=max(1, int(case.load.count * scale)))
            rows.append([case.name, *_cells(measure(load, case.conduct))])
        screen.table(self.title + ("" if scale == 1 else f" (batches x {scale:g})"), _COLUMNS, rows)
        screen.say(LEGEND)


_COLUMNS = (
    *("", "(a) records/s", "(a) CPU ms"),
    *("(b) records/s", "(b) CPU", "(c) records/s", "(c) CPU"),
    *("hop records/s", "hop CPU ms", "hop records/s", "hop CPU"),
)
LEGEND = (
    "CPU: the client's processor time for each record, on one core; x and 1/: of (a)'s.\n"
    "(a) one conditional PutItem after the other, boto3; (b) the same in 32 threads; (c) "
    "BatchWriteItem of each key's last image, in 32 threads, unconditional and so not safe."
)


def _cells(speeds: Sequence[Speed]) -> list[str]:
    first, *others, last = speeds
    return [
        number(first.rate),
        number(first.cpu),
        *(text for speed in others for text in _ratios(speed, first)),
        number(last.rate),
        number(last.cpu),
        *_ratios(last, first),
    ]


def _ratios(one: Speed, other: Speed) -> tuple[str, str]:
    return times(one.rate / other.rate), f"1/{number(other.cpu / one.cpu)}"


def measure(load: Load, conduct: Conduct) -> list[Speed]:
    """Bring a load by each contender to a target that behaves so; (a) is the first."""
    records = load.records()
    with target(conduct) as endpoint, contenders(endpoint) as all_contenders, one_core():
        few = max(10, min(len(records), int(_SECONDS * 1000 / (conduct.round_trip + 2))))
        given = [records[:few], *[records] * (len(all_contenders) - 1)]
        return [
            speed_of(contender, part) for contender, part in zip(all_contenders, given, strict=True)
        ]


@contextmanager
def one_core() -> Iterator[None]:
    """Limit this process to one core, if the system can: Lambda gives one at 1,769 MB.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def speed_of(contender: Contender, records: Sequence[Record]) -> Speed:
    """Measure a contender once it is warm, as in a busy function's second batch.

    Before, it makes its connections, of which a hop has more the longer a batch takes, and meets
    its code for the first time.
    """
    contender.replicate(records[:_WARM_UP])
    gc.collect()
    wall, cpu = _timed(lambda: contender.replicate(records))
    return Speed(len(records) / wall, cpu / len(records) * 1000)


def _timed(what: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor time of this process, in seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - cpu


ROUND_TRIP = Part(
    "By round trip: 10,000 inserts of 200 bytes in one invocation",
    [Case(f"{ms} ms", Load(), Conduct(ms)) for ms in (0, 20, 80, 200)],
)
SIZE = Part(
    "By item size: inserts, 20 ms",
    [
        Case("200 B", Load(size=200, count=5_000)),
        Case("2 KB", Load(size=2_000, count=2_000)),
        Case("50 KB", Load(size=50_000, count=200)),
    ],
)
KIND = Part(
    "By kind of change: 2,000 records of 200 bytes, 20 ms",
    [
        Case(kind, Load(kind, count=2_000))
        for kind in ("inserts", "inserts, arrived", "updates", "deletes", "mixed", "hot keys")
    ],
)
TLS = Part(
    "Over TLS, by kind and round trip: 2,000 records of 200 bytes",
    [
        Case(f"{kind}, {ms} ms", Load(kind, count=2_000), Conduct(ms, tls=True))
        for kind in ("inserts", "updates", "deletes")
        for ms in (1, 20, 80)
    ],
)
BATCH = Part(
    "By batch: inserts of 200 bytes, 20 ms",
    [Case(f"{count:,}", Load(count=count)) for count in (1, 10, 100, 500, 10_000)],
)
TROUBLE = Part(
    "By trouble: 2,000 mixed records of 200 bytes, 20 ms",
    [
        Case("none", Load("mixed", count=2_000)),
        Case("1 write in 20 refused", Load("mixed", count=2_000), Conduct(20, refused=20)),
        Case("1 request in 20 throttled", Load("mixed", count=2_000), Conduct(20, throttled=20)),
    ],
)
