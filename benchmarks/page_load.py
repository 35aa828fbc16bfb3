"""Measure the page in a real browser while its ring is at work, and its cost for the ring."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.screen import Screen, number
from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from local.stack_config import StackConfig
from page.server import PageServer

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

_REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
_TABLE = {"name": "orders", "partition_key": {"name": "id", "type": "S"}}
_TEXT = "x" * 260
_BATCH = 25
_EVENTS = 1000
"""Deliveries a second of the steady load: each item is delivered by each hop once."""
_MILLISECONDS = 5000
_PAGES = (0, 1, 3)
_ROUNDS = 3
_SINGLE = 5
_TIMEOUT = 600.0
_MEASURE = """(milliseconds) => new Promise((resolve) => {
  let frames = 0, long = 0, longest = 0, last = performance.now();
  const end = last + milliseconds, began = last;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => { long += entry.duration; longest = Math.max(longest, entry.duration); }));
  observer.observe({ entryTypes: ["longtask"] });
  const frame = (now) => {
    frames += 1;
    last = now;
    if (now < end) return requestAnimationFrame(frame);
    observer.disconnect();
    resolve({ fps: frames * 1000 / (now - began), long, longest });
  };
  requestAnimationFrame(frame);
})"""


@dataclass(frozen=True)
class _Spent:
    """What loading took until the items were everywhere, and the lag of single writes after it.

    Seconds: by the clock, of the processor in this process, and from a put until the last member
    has the item.
    """

    clock: float
    processor: float
    lag: float


def run(screen: Screen, scale: float) -> None:
    """Measure frames a second at rest and under load, then loading with and without the page."""
    stack = StackConfig.of(
        {"table": _TABLE, "members": [{"region": region} for region in _REGIONS]}
    )
    with LocalRing(stack) as ring:
        load = _Load(ring)
        with _opened(ring) as page:
            frames = {
                "at rest": _frames(page),
                f"at {_EVENTS:,} events a second": _under(load.steadily, page),
                "while items are loaded at full speed": _under(load.at_once, page),
            }
            _until_quiet(ring)
        items = max(100, int(500 * scale))
        spent: dict[int, list[_Spent]] = {pages: [] for pages in _PAGES}
        for _ in range(max(1, int(_ROUNDS * scale))):
            for pages in _PAGES:  # in turn, so that other programs disturb all of them alike
                with _opened(ring, pages) if pages else nullcontext():
                    spent[pages].append(_spent(load, items))
    rest = frames["at rest"]["fps"]
    screen.table(
        "The page in Chromium, in windows of 5 s",
        ["", "frames a second", "share", "thread busy", "ms in long tasks", "longest, ms"],
        [
            [name, number(one["fps"]), f"{one['fps'] / rest:.0%}", f"{one['busy']:.0%}",
             number(one["long"]), number(one["longest"])]
            for name, one in frames.items()
        ],
    )  # fmt: skip
    screen.table(
        f"{items:,} items loaded until they are everywhere, and the lag of {_SINGLE} single writes "
        f"over two hops; medians of {len(spent[0])} rounds in turn, as ratios to no page",
        ["pages open", "items/s", "throughput", "processor time", "lag, ms", "lag"],
        _rows(spent, items),
    )


def _rows(spent: dict[int, list[_Spent]], items: int) -> Iterator[list[str]]:
    for pages, rounds in spent.items():
        pairs = [*zip(rounds, spent[0], strict=True)]
        ratios = [
            median(without.clock / one.clock for one, without in pairs),
            median(one.processor / without.processor for one, without in pairs),
            median(one.lag / without.lag for one, without in pairs),
        ]
        faster, processor, slower = (f"{ratio:.2f}" for ratio in ratios)
        rate, lag = median(items / one.clock for one in rounds), median(one.lag for one in rounds)
        yield [str(pages), number(rate), faster, processor, number(lag * 1000), slower]


class _Load:
    """Items that are written in batches at the first member, each with a key of its own."""

    def __init__(self, ring: LocalRing) -> None:
        self.ring = ring
        self._member, self._last = ring.member(_REGIONS[0]), ring.member(_REGIONS[-1])
        self._numbers = count()

    def write_batch(self) -> None:
        puts: Any = [
            {"PutRequest": {"Item": {"id": {"S": f"item-{next(self._numbers)}"},
                                     "text": {"S": _TEXT}}}}
            for _ in range(_BATCH)
        ]  # fmt: skip
        self._member.client.batch_write_item(RequestItems={self._member.table: puts})

    def lag(self) -> float:
        """Put an item; return the seconds until the last member has it."""
        item: Any = {"id": {"S": f"item-{next(self._numbers)}"}}
        began = time.monotonic()
        self._member.client.put_item(TableName=self._member.table, Item=item)
        while "Item" not in self._last.client.get_item(TableName=self._last.table, Key=item):
            time.sleep(0.01)
        return time.monotonic() - began

    def steadily(self, ended: threading.Event) -> None:
        """Write at the steady rate."""
        pause = _BATCH * len(_REGIONS) / _EVENTS
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            due += pause
            self.write_batch()

    def at_once(self, ended: threading.Event) -> None:
        """Write as fast as the ring takes it."""
        while not ended.is_set():
            self.write_batch()


def _until_quiet(ring: LocalRing) -> None:
    ring.wait_until_quiet(_TIMEOUT)


def _spent(load: _Load, items: int) -> _Spent:
    clock, processor = time.monotonic(), time.process_time()
    for _ in range(items // _BATCH):
        load.write_batch()
    _until_quiet(load.ring)
    clock, processor = time.monotonic() - clock, time.process_time() - processor
    return _Spent(clock, processor, median(load.lag() for _ in range(_SINGLE)))


def _under(work: Callable[[threading.Event], None], page: Page) -> dict[str, float]:
    ended = threading.Event()
    writer = threading.Thread(target=work, args=(ended,), daemon=True)
    writer.start()
    try:
        return _frames(page)
    finally:
        ended.set()
        writer.join()


def _frames(page: Page) -> dict[str, float]:
    """Return frames and long tasks of a window, and the processor's share in the page's thread."""
    browser = page.context.new_cdp_session(page)
    # By the processor's clock: other programs on this machine do not count.
    browser.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _task_seconds(browser)
    measured: dict[str, float] = page.evaluate(_MEASURE, _MILLISECONDS)
    busy = (_task_seconds(browser) - before) * 1000 / _MILLISECONDS
    browser.detach()
    return {**measured, "busy": busy}


def _task_seconds(browser: CDPSession) -> float:
    metrics = browser.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


@contextmanager
def _opened(ring: LocalRing, pages: int = 1) -> Iterator[Page]:
    """Serve the page of a ring in this process, as `automate.py local` does, and open it.

    More than one page are open side by side.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only here

    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if path is None:
        raise SystemExit("The page is measured in Chromium, which is not installed: make browser")
    with (
        tempfile.TemporaryDirectory() as folder,
        PageServer(
            RunningLocalRing(ring.endpoint),
            ["--local", ring.endpoint],
            is_local=True,
            port=0,
            key_file=Path(folder) / "key",
        ) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(pages):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(server.address)
            page.wait_for_selector("#ring svg")
        yield page
        browser.close()
