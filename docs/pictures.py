"""Take the pictures of the page: `python -m docs.pictures`. Needs Chromium (`make browser`).

They show the ring of `Pulumi.dev.yaml`, which `make local` runs, under a load of writes at each
member: at work, and while a region does not answer.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from local.stack_config import StackConfig
from page.server import PageServer
from ring.project import PROJECT_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

_FOLDER = PROJECT_ROOT / "docs" / "images"
_SIZE: Any = {"width": 1280, "height": 1000}
_MARGIN = 14
_PAUSE = 0.11
"""Seconds between two writes."""
_WARM = 15.0
"""Seconds of writes before the page counts lags: a function's first call starts its process."""
_MEASURED = 10_000
"""Milliseconds of writes before a picture."""
_KEPT = 40
"""So many writes later, an item is updated; another is deleted after twice as many."""
_LOST = "eu-west-1"
# Stop the page's motion when writes are on their way along enough hops, and none hides another.
_MOMENT = """(fewest) => {
  const points = [...document.querySelectorAll("#ring circle:not([visibility])")]
    .map((dot) => new DOMPoint(dot.getAttribute("cx"), dot.getAttribute("cy")));
  const hops = [...document.querySelectorAll("#ring path.hop")]
    .filter((path) => points.some((point) => path.isPointInStroke(point)));
  const isHidden = points.some((a, i) => points.slice(i + 1)
    .some((b) => Math.hypot(a.x - b.x, a.y - b.y) < 10));
  if (hops.length < fewest || points.length <= fewest || isHidden) return false;
  window.requestAnimationFrame = () => 0;
  return true;
}"""
_IS_HELD = "() => document.querySelector('#ring').textContent.includes('waiting')"
_BOTTOM = """() => Math.max(...["#hops", "#log"].map(
  (id) => document.querySelector(id).closest(".card").getBoundingClientRect().bottom))"""


def main() -> None:
    """Take both pictures."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a development package

    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if path is None:
        raise SystemExit("Chromium is not installed: make browser")
    stack = StackConfig.read(PROJECT_ROOT, "dev")
    with (
        LocalRing(stack, port=8000) as ring,
        tempfile.TemporaryDirectory() as folder,
        _written(ring),
        _served(ring, Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE, color_scheme="light")
        page.goto(server.address)
        page.wait_for_selector("#ring svg")
        page.wait_for_timeout(_MEASURED)
        page.wait_for_function(_MOMENT, arg=3)
        _take(page, "ring.png")
        page.locator("#faults-card [name=member]").select_option(_LOST)
        page.locator("#faults-card .danger").click()
        page.get_by_text(f"{_LOST} does not answer, for").wait_for()
        page.reload()
        page.wait_for_function(_IS_HELD)
        page.wait_for_function(_MOMENT, arg=1)
        _take(page, "outage.png")
        browser.close()


@contextmanager
def _served(ring: LocalRing, folder: Path) -> Iterator[PageServer]:
    threading.Event().wait(_WARM)
    options = ["--local", ring.endpoint]
    reached = RunningLocalRing(ring.endpoint)
    key_file = folder / "page-key"
    with PageServer(reached, options, is_local=True, port=0, key_file=key_file) as server:
        yield server


@contextmanager
def _written(ring: LocalRing) -> Iterator[None]:
    """Write at one member after the other: inserts, updates and deletes."""
    ended = threading.Event()
    thread = threading.Thread(target=_write, args=(ring, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write(ring: LocalRing, ended: threading.Event) -> None:
    members = [*ring.members.values()]
    for number in count():
        if ended.wait(_PAUSE):
            return
        member = members[number % len(members)]
        with suppress(ClientError, BotoCoreError):  # a region may not answer
            if number % 4 == 3:
                key = _key(number - 2 * _KEPT - 1)
                member.client.delete_item(TableName=member.table, Key=key)
            else:
                key = _key(number - _KEPT - 1 if number % 4 == 1 else number)
                item = {**key, "total": {"N": str(10 + number % 90)}}
                member.client.put_item(TableName=member.table, Item=item)


def _key(number: int) -> Any:
    names = ("ada", "bob", "eve")
    return {"customer": {"S": names[number % 3]}, "order": {"S": str(1000 + number)}}


def _take(page: Page, name: str) -> None:
    """Take the upper part of the page: the ring, its hops, and what happened."""
    height = page.evaluate(_BOTTOM) + _MARGIN
    clip: Any = {"x": 0, "y": 0, "width": _SIZE["width"], "height": height}
    page.screenshot(path=_FOLDER / name, clip=clip)


if __name__ == "__main__":
    main()
