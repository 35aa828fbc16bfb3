"""A real browser for tests of the page."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from commands.local_ring import RunningLocalRing
from local.ring import LocalRing
from page.server import PageServer

NEEDED = "RING_TESTS_NEED_BROWSER"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run headless Chromium; without it the test is skipped, or fails where CI needs it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        reason = "Chromium is not installed: apt-get install chromium"
        if os.environ.get(NEEDED):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
    # Python 3.11 fails to parse a program when it collects a greenlet of Playwright's meanwhile
    # ("AST constructor recursion depth mismatch"): collect them all now.
    gc.collect()


def serve(ring: LocalRing, folder: Path, port: int = 0) -> PageServer:
    """The page of a local ring, with its key in a folder."""
    options = ["--local", ring.endpoint]
    reached = RunningLocalRing(ring.endpoint)
    return PageServer(reached, options, is_local=True, port=port, key_file=folder / "page-key")
